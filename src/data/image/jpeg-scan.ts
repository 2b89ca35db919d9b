/**
 * The scans of a JPEG: Huffman codes to coefficients, and these to samples. A sequential scan transforms each block as
 * it comes; a progressive file keeps its coefficients until the last scan.
 *
 * Invariant: no scan uses bits that the file does not have; a block has 64 coefficients whatever its codes say.
 * Source: ITU-T T.81, annexes F.2 and G.2.
 */
import { inverseTransform } from './jpeg-idct.ts';
import { ZIGZAG } from './zigzag.ts';

/** One colour component of a frame. */
export interface Component {
  readonly id: number;
  /** Sampling factors. */
  readonly h: number;
  readonly v: number;
  /** Slot of its quantization table. */
  readonly table: number;
  /** Blocks of a row, those beyond the image's edge included. */
  readonly blocksAcross: number;
  /** Samples that belong to the image. */
  readonly width: number;
  readonly height: number;
  /** Samples, `stride` a row. */
  readonly stride: number;
  readonly plane: Uint8Array;
  /** Of progressive files. */
  readonly coefficients: Int16Array | undefined;
  /** Row by row; known from the component's first scan on. */
  quantization: Uint16Array | undefined;
  predictor: number;
}

/** Canonical Huffman codes, decoded by a table of their first nine bits and by length beyond. */
export interface HuffmanTable {
  /** `length << 8 | symbol` by the next nine bits; 0 where the code is longer. */
  readonly short: Uint16Array;
  /** By length: one more than the largest code, or 0; and what added to a code gives the symbol's index. */
  readonly limit: Int32Array;
  readonly offset: Int32Array;
  readonly symbols: Uint8Array;
}

export interface Scan {
  readonly parts: readonly { readonly component: Component; readonly dc: HuffmanTable; readonly ac: HuffmanTable }[];
  readonly progressive: boolean;
  /** Of progressive scans: coefficients from `start` to `end`, bit `low`, after bits from `high` up. */
  readonly start: number;
  readonly end: number;
  readonly high: number;
  readonly low: number;
  readonly restartInterval: number;
  /** Units of all components that the image has. */
  readonly across: number;
  readonly down: number;
}

const SHORT = 9;

/** @throws Error for counts that make no prefix code. */
export function huffmanTable(counts: Uint8Array, symbols: Uint8Array): HuffmanTable {
  const table = {
    short: new Uint16Array(1 << SHORT),
    limit: new Int32Array(18),
    offset: new Int32Array(18),
    symbols: symbols.slice(),
  };
  let code = 0;
  let index = 0;
  for (let length = 1; length <= 16; length++) {
    const count = counts[length - 1]!;
    table.offset[length] = index - code;
    for (let k = 0; k < count && length <= SHORT; k++) {
      const first = (code + k) << (SHORT - length);
      table.short.fill((length << 8) | symbols[index + k]!, first, first + (1 << (SHORT - length)));
    }
    code += count;
    index += count;
    table.limit[length] = count > 0 ? code : 0;
    if (code > 1 << length) throw new Error('its Huffman table holds more codes than there are');
    code <<= 1;
  }
  return table;
}

/** The bits of a scan. Beyond its end come zeros, which `check` finds out. */
class BitReader {
  private held = 0;
  private count = 0;
  /** Bits among those held that the file does not have. */
  private padding = 0;

  constructor(
    private readonly bytes: Uint8Array,
    public at: number,
  ) {}

  private fill(): void {
    while (this.count <= 16) {
      let byte = this.bytes[this.at];
      if (byte === undefined || (byte === 0xff && this.bytes[this.at + 1] !== 0)) {
        byte = 0;
        this.padding += 8;
      } else this.at += byte === 0xff ? 2 : 1;
      this.held = ((this.held << 8) | byte) & 0xffffffff;
      this.count += 8;
    }
  }

  /** `n` bits, 0 to 16. */
  bits(n: number): number {
    if (n === 0) return 0;
    if (this.count < n) this.fill();
    this.count -= n;
    return (this.held >>> this.count) & ((1 << n) - 1);
  }

  /** `n` bits as the signed number that they encode (T.81, F.12). */
  signed(n: number): number {
    if (n === 0) return 0;
    const value = this.bits(n);
    return value < 1 << (n - 1) ? value - (1 << n) + 1 : value;
  }

  symbol(table: HuffmanTable): number {
    if (this.count < 16) this.fill();
    const known = table.short[(this.held >>> (this.count - SHORT)) & ((1 << SHORT) - 1)]!;
    if (known !== 0) {
      this.count -= known >> 8;
      return known & 255;
    }
    const next = (this.held >>> (this.count - 16)) & 0xffff;
    for (let length = SHORT + 1; length <= 16; length++) {
      const code = next >> (16 - length);
      if (code >= table.limit[length]!) continue;
      this.count -= length;
      return table.symbols[code + table.offset[length]!]!;
    }
    throw new Error('it holds a code that its Huffman table does not have');
  }

  /** @throws Error when more bits were taken than there are. */
  check(): void {
    if (this.padding <= this.count) return;
    const rest = this.bytes.length - this.at;
    throw new Error(
      rest < 2
        ? `the file is truncated: it ends after ${this.bytes.length} bytes, within a scan`
        : 'a scan ends before its last block',
    );
  }

  /** Goes over a restart marker. @throws Error when another follows. */
  restart(index: number): void {
    this.held = this.count = this.padding = 0;
    while (this.bytes[this.at] === 0xff && this.bytes[this.at + 1] === 0xff) this.at++;
    if (this.bytes[this.at] !== 0xff || this.bytes[this.at + 1] !== 0xd0 + (index & 7)) {
      throw new Error('a restart marker is missing');
    }
    this.at += 2;
  }
}

/** `at` is where the block's coefficients begin. */
type BlockDecoder = (bits: BitReader, part: Scan['parts'][number], coefficients: Int16Array, at: number) => void;

/** Decodes the scan whose codes begin at `at`. @returns where they end. @throws Error for codes that cannot be. */
export function decodeScan(bytes: Uint8Array, at: number, scan: Scan): number {
  const { parts, progressive, restartInterval } = scan;
  const bits = new BitReader(bytes, at);
  const run = { left: 0 };
  const decode = progressive ? progressiveDecoder(scan, run) : decodeSequential;
  const scratch = new Int16Array(64);
  const block = (part: Scan['parts'][number], row: number, column: number): void => {
    const { component } = part;
    if (component.coefficients !== undefined) {
      decode(bits, part, component.coefficients, 64 * (row * component.blocksAcross + column));
      return;
    }
    scratch.fill(0);
    decode(bits, part, scratch, 0);
    transformBlock(component, scratch, 0, row, column);
  };
  const single = parts.length === 1 ? parts[0]!.component : undefined;
  // A scan of one component has the blocks of the image alone, one with several fills its units up.
  const across = single === undefined ? scan.across : Math.ceil(single.width / 8);
  const down = single === undefined ? scan.down : Math.ceil(single.height / 8);
  for (const { component } of parts) component.predictor = 0;
  const total = across * down;
  for (let unit = 0; unit < total; unit++) {
    if (restartInterval > 0 && unit > 0 && unit % restartInterval === 0) {
      bits.restart(unit / restartInterval - 1);
      run.left = 0;
      for (const { component } of parts) component.predictor = 0;
    }
    const [row, column] = [Math.floor(unit / across), unit % across];
    if (single !== undefined) block(parts[0]!, row, column);
    else {
      for (const part of parts) {
        const { h, v } = part.component;
        for (let y = 0; y < v; y++) for (let x = 0; x < h; x++) block(part, row * v + y, column * h + x);
      }
    }
    bits.check();
  }
  return bits.at;
}

/** The samples of a component whose coefficients were kept. @throws Error for one that no scan has. */
export function finishComponent(component: Component): void {
  const { coefficients, blocksAcross } = component;
  if (component.quantization === undefined) throw new Error(`component ${component.id} is in no scan (truncated?)`);
  if (coefficients === undefined) return;
  for (let at = 0, block = 0; at < coefficients.length; at += 64, block++) {
    transformBlock(component, coefficients, at, Math.floor(block / blocksAcross), block % blocksAcross);
  }
}

function transformBlock(component: Component, coefficients: Int16Array, at: number, row: number, column: number): void {
  const { plane, stride, quantization } = component;
  inverseTransform(coefficients, at, quantization!, plane, 8 * (row * stride + column), stride);
}

function decodeSequential(bits: BitReader, part: Scan['parts'][number], coefficients: Int16Array, at: number): void {
  const { component, dc, ac } = part;
  component.predictor += bits.signed(magnitude(bits.symbol(dc)));
  coefficients[at] = component.predictor;
  for (let k = 1; k < 64; k++) {
    const code = bits.symbol(ac);
    const size = code & 15;
    if (size === 0) {
      if (code !== 0xf0) return;
      k += 15;
      continue;
    }
    k += code >> 4;
    if (k > 63) throw tooMany();
    coefficients[at + ZIGZAG[k]!] = bits.signed(size);
  }
}

function progressiveDecoder({ start, end, high, low }: Scan, run: { left: number }): BlockDecoder {
  if (start === 0) {
    return (bits, { component, dc }, coefficients, at) => {
      if (high > 0) {
        if (bits.bits(1)) coefficients[at]! |= 1 << low;
        return;
      }
      component.predictor += bits.signed(magnitude(bits.symbol(dc)));
      coefficients[at] = component.predictor << low;
    };
  }
  return high === 0 ? firstBits : refine;

  function firstBits(bits: BitReader, { ac }: Scan['parts'][number], coefficients: Int16Array, at: number): void {
    if (run.left > 0) {
      run.left--;
      return;
    }
    for (let k = start; k <= end; k++) {
      const code = bits.symbol(ac);
      const [zeros, size] = [code >> 4, code & 15];
      if (size === 0) {
        if (zeros < 15) {
          run.left = (1 << zeros) - 1 + bits.bits(zeros);
          return;
        }
        k += 15;
        continue;
      }
      k += zeros;
      if (k > 63) throw tooMany();
      coefficients[at + ZIGZAG[k]!] = bits.signed(size) << low;
    }
  }

  /** One more bit of the coefficients that are not zero, and new ones of that bit (T.81, G.1.2.3). */
  function refine(bits: BitReader, { ac }: Scan['parts'][number], coefficients: Int16Array, at: number): void {
    const step = 1 << low;
    const more = (place: number): void => {
      const value = coefficients[place]!;
      if (bits.bits(1) && (Math.abs(value) & step) === 0) coefficients[place] = value + (value < 0 ? -step : step);
    };
    let k = start;
    while (k <= end && run.left === 0) {
      const code = bits.symbol(ac);
      let zeros = code >> 4;
      let value = 0;
      if ((code & 15) === 0) {
        if (zeros < 15) {
          run.left = (1 << zeros) + bits.bits(zeros);
          break;
        }
      } else value = bits.bits(1) ? step : -step;
      for (; k <= end; k++) {
        const place = at + ZIGZAG[k]!;
        if (coefficients[place] !== 0) more(place);
        else if (zeros-- === 0) {
          coefficients[place] = value;
          k++;
          break;
        }
      }
    }
    if (run.left === 0) return;
    for (; k <= end; k++) {
      const place = at + ZIGZAG[k]!;
      if (coefficients[place] !== 0) more(place);
    }
    run.left--;
  }
}

function magnitude(size: number): number {
  if (size <= 15) return size;
  throw new Error(`it holds a difference of ${size} bits`);
}

const tooMany = (): Error => new Error('a block has more than 64 coefficients');

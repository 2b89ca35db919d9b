/**
 * Test helper: reads event files without any code of the encoder: records with both checksums verified bit by bit, a
 * generic decoder of Protocol Buffers, and what TensorBoard takes from it.
 */

export interface ReadEvent {
  readonly wallTime: number;
  readonly step: number;
  readonly version?: string;
  readonly tag?: string;
  readonly plugin?: string;
  readonly dtype?: number;
  readonly shape?: readonly number[];
  readonly values?: readonly number[];
}

/** The events of a file's bytes; fails on any byte that does not belong. */
export function readEvents(file: Uint8Array): ReadEvent[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const events: ReadEvent[] = [];
  let at = 0;
  while (at < file.length) {
    const length = Number(view.getBigUint64(at, true));
    const check = (from: number, to: number): void => {
      const crc = unmask(view.getUint32(to, true));
      if (crc !== checksum(file.subarray(from, to))) throw new Error(`checksum at byte ${to} is wrong`);
    };
    check(at, at + 8);
    check(at + 12, at + 12 + length);
    events.push(readEvent(file.subarray(at + 12, at + 12 + length)));
    at += 16 + length;
  }
  return events;
}

function unmask(masked: number): number {
  const rotated = (masked - 0xa282ead8) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}

/** CRC-32C by long division. */
function checksum(bytes: Uint8Array): number {
  let remainder = 0xffffffff;
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const odd = (remainder ^ (byte >> bit)) & 1;
      remainder = (remainder >>> 1) ^ (odd ? 0x82f63b78 : 0);
    }
  }
  return (remainder ^ 0xffffffff) >>> 0;
}

type Message = Map<number, (number | Uint8Array)[]>;

function decode(bytes: Uint8Array): Message {
  const fields: Message = new Map();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++];
      value += factor * (byte & 127);
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    let value: number | Uint8Array;
    if (key % 8 === 0) value = varint();
    else {
      const length = key % 8 === 1 ? 8 : varint();
      if (key % 8 !== 1 && key % 8 !== 2) throw new Error(`wire type ${key % 8}`);
      value = bytes.subarray(at, at + length);
      if (value.length !== length) throw new Error('a field ends too early');
      at += length;
    }
    fields.set(Math.floor(key / 8), [...(fields.get(Math.floor(key / 8)) ?? []), value]);
  }
  return fields;
}

const numberIn = (message: Message, field: number): number => (message.get(field)?.[0] as number | undefined) ?? 0;
const bytesIn = (message: Message, field: number): Uint8Array => message.get(field)![0] as Uint8Array;
const textIn = (message: Message, field: number): string => new TextDecoder().decode(bytesIn(message, field));

function doubles(bytes: Uint8Array): number[] {
  return [...new Float64Array(Uint8Array.from(bytes).buffer)];
}

function readEvent(bytes: Uint8Array): ReadEvent {
  const event = decode(bytes);
  const [wallTime] = doubles(bytesIn(event, 1));
  const step = numberIn(event, 2);
  if (event.has(3)) return { wallTime, step, version: textIn(event, 3) };
  const value = decode(bytesIn(decode(bytesIn(event, 5)), 1));
  const tensor = decode(bytesIn(value, 8));
  const content = bytesIn(tensor, 4);
  const dtype = numberIn(tensor, 1);
  return {
    ...{ wallTime, step, tag: textIn(value, 1), dtype },
    plugin: textIn(decode(bytesIn(decode(bytesIn(value, 9)), 1)), 1),
    shape: (decode(bytesIn(tensor, 2)).get(2) ?? []).map((dim) => numberIn(decode(dim as Uint8Array), 1)),
    values: dtype === 1 ? [...new Float32Array(Uint8Array.from(content).buffer)] : doubles(content),
  };
}

/**
 * NumPy's array files (.npy): read in versions 1 to 3, little and big endian, C and Fortran order; written as version 1
 * (2 where the header needs it), little endian, C order.
 *
 * Invariant: the values of an NpyArray are in C order (last axis fastest), whatever the file had; a read accepts
 * exactly the bytes that the header announces.
 * Source: NumPy's format description, numpy/lib/format.py (NEP 1).
 */
import { DownhillError } from '../../util/errors.ts';
import { show } from '../../util/show.ts';

/** Element types, as downhill calls them; bool values are 0 and 1 in bytes. */
export type NpyType = keyof typeof KINDS;

export type NpyValues =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

export interface NpyArray {
  readonly dtype: NpyType;
  /** [] for a single number. */
  readonly shape: readonly number[];
  /** `product(shape)` values in C order. */
  readonly values: NpyValues;
}

/** NumPy's code, and the array that holds the values. */
const KINDS = {
  f32: ['f4', Float32Array],
  f64: ['f8', Float64Array],
  i8: ['i1', Int8Array],
  i16: ['i2', Int16Array],
  i32: ['i4', Int32Array],
  i64: ['i8', BigInt64Array],
  u8: ['u1', Uint8Array],
  u16: ['u2', Uint16Array],
  u32: ['u4', Uint32Array],
  u64: ['u8', BigUint64Array],
  bool: ['b1', Uint8Array],
} as const;

/** \x93NUMPY. */
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/**
 * Parses a .npy file.
 * @param name the name of the file in errors.
 * @throws DownhillError('file') for another magic number, a version above 3, a header that is not as NumPy writes it,
 *   an element type that is not among f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1, missing or left-over bytes.
 */
export function readNpy(bytes: Uint8Array, name = 'npy'): NpyArray {
  if (MAGIC.some((byte, k) => bytes[k] !== byte)) {
    throw refusal(
      name,
      `first bytes ${[...bytes.subarray(0, 6)].map(hex).join(' ')}`,
      'a .npy file (93 4e 55 4d 50 59)',
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6];
  if (version === undefined || version < 1 || version > 3) throw refusal(name, `.npy version ${version}`, '1, 2 or 3');
  const prefix = version === 1 ? 10 : 12;
  if (bytes.length < prefix) throw refusal(name, `${bytes.length} bytes`, 'a whole header (truncated?)');
  const start = prefix + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (bytes.length < start) throw refusal(name, `${bytes.length} bytes`, `a header of ${start} (truncated?)`);
  const header = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(bytes.subarray(prefix, start));
  const { dtype, little, fortran, shape } = parseHeader(name, header);
  const count = shape.reduce((product, extent) => product * extent, 1);
  const [code, Kind] = KINDS[dtype];
  const width = Kind.BYTES_PER_ELEMENT;
  if (bytes.length !== start + count * width) {
    const problem = bytes.length < start + count * width ? 'truncated?' : 'bytes too many';
    throw refusal(name, `${bytes.length} bytes`, `${start + count * width} for ${code} [${shape}] (${problem})`);
  }
  const raw = bytes.slice(start);
  // The arrays of JavaScript have the machine's order, which is little endian wherever WebGPU runs.
  if (!little && width > 1) {
    for (let at = 0; at < raw.length; at += width) raw.subarray(at, at + width).reverse();
  }
  const values = new Kind(raw.buffer, 0, count);
  if (dtype === 'bool') values.forEach((value, k) => void (values[k] = (value as number) === 0 ? 0 : 1));
  return { dtype, shape, values: fortran && shape.length > 1 ? fromFortran(values, shape) : values };
}

/**
 * The bytes of a .npy file that NumPy loads as the same array.
 * @param array values in C order; the dtype follows from the kind of array unless given (a Uint8Array may be `bool`).
 * @throws DownhillError('shape') when the shape does not hold the values; ('argument') for another kind of array.
 */
export function writeNpy(array: Omit<NpyArray, 'dtype'> & { readonly dtype?: NpyType }): Uint8Array {
  const { shape, values } = array;
  const dtype = array.dtype ?? (Object.keys(KINDS) as NpyType[]).find((key) => values instanceof KINDS[key][1]);
  if (dtype === undefined || !Object.hasOwn(KINDS, dtype) || !(values instanceof KINDS[dtype][1])) {
    const found = `${(values as object)?.constructor?.name} as ${dtype ?? 'no dtype'}`;
    throw new DownhillError('argument', `writeNpy: found ${found}; expected one of ${Object.keys(KINDS).join(', ')}`);
  }
  const count = shape.reduce((product, extent) => product * extent, 1);
  if (count !== values.length || shape.some((extent) => !Number.isInteger(extent) || extent < 0)) {
    throw new DownhillError('shape', `writeNpy: ${values.length} values do not fill shape [${shape}]`);
  }
  const [code, { BYTES_PER_ELEMENT: width }] = KINDS[dtype];
  const order = width === 1 ? '|' : '<';
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${order}${code}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const version = text.length + 64 > 0xffff ? 2 : 1;
  const prefix = version === 1 ? 10 : 12;
  // The data begins at a multiple of 64, and the header ends with a line end.
  const start = Math.ceil((prefix + text.length + 1) / 64) * 64;
  const bytes = new Uint8Array(start + values.byteLength);
  bytes.set([...MAGIC, version, 0]);
  const view = new DataView(bytes.buffer);
  if (version === 1) view.setUint16(8, start - prefix, true);
  else view.setUint32(8, start - prefix, true);
  bytes.set(new TextEncoder().encode(`${text.padEnd(start - prefix - 1)}\n`), prefix);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), start);
  return bytes;
}

function parseHeader(name: string, header: string) {
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const tuple = /'shape':\s*\(([\d,\sL]*)\)/.exec(header)?.[1];
  if (descr === undefined || order === undefined || tuple === undefined) {
    throw refusal(name, `header ${show(header.trim())}`, "'descr' of one type, 'fortran_order' and 'shape'");
  }
  const dtype = (Object.keys(KINDS) as NpyType[]).find((key) => KINDS[key][0] === descr.slice(1));
  if (dtype === undefined || !'<>|='.includes(descr[0]!)) {
    const known = Object.values(KINDS).map(([code]) => code);
    throw refusal(name, `element type '${descr}'`, `one of ${known.join(', ')}`);
  }
  const shape = tuple
    .split(',')
    .map((part) => part.trim().replace(/L$/, ''))
    .filter((part) => part !== '')
    .map(Number);
  return { dtype, little: descr[0] !== '>', fortran: order === 'True', shape };
}

/** The same array with its last axis fastest; the file had its first axis fastest. */
function fromFortran<T extends NpyValues>(values: T, shape: readonly number[]): T {
  const out = values.slice() as T;
  // Axes of one element change nothing, and a header may have very many.
  const extents = shape.filter((extent) => extent !== 1);
  const index = extents.map(() => 0);
  let stride = 1;
  const strides = extents.map((extent) => {
    stride *= extent;
    return stride / extent;
  });
  let from = 0;
  for (let k = 0; k < out.length; k++) {
    out[k] = values[from]!;
    for (let axis = extents.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < extents[axis]!) break;
      from -= strides[axis]! * extents[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

function refusal(name: string, found: string, expected: string): DownhillError {
  return new DownhillError('file', `${name}: found ${found}; expected ${expected}`);
}

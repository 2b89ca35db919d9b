/** The safetensors codec against files of the reference implementation, and over every way a header can lie. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readSafetensors, type SafetensorsInput, writeSafetensors } from '../../src/train/weights/safetensors.ts';
import { expectRefusal } from './refusal.ts';

const golden = (name: string) => new Uint8Array(readFileSync(new URL(`../golden/${name}`, import.meta.url)));

/** A file with the given header (object or text) and `dataLength` bytes of values. */
function fileOf(header: unknown, dataLength = 0): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const f32 = (start: number, end: number, shape = [(end - start) / 4]) => ({
  dtype: 'F32',
  shape,
  data_offsets: [start, end],
});

describe('the reference implementation', () => {
  test('its file is read, and written again with the same bytes', () => {
    const bytes = golden('weights.safetensors');
    const { tensors, metadata } = readSafetensors(bytes);
    expect([...tensors.keys()]).toEqual(['conv/bias', 'conv/kernel', 'größe "x"', 'seed', 'step']);
    expect(tensors.get('conv/kernel')).toEqual({
      dtype: 'F32',
      shape: [2, 2, 1, 3],
      data: Float32Array.from({ length: 12 }, (_, i) => i / 8),
    });
    expect(tensors.get('step')).toEqual({ dtype: 'I32', shape: [], data: Int32Array.of(7) });
    expect(tensors.get('größe "x"')).toEqual({ dtype: 'F32', shape: [0, 4], data: new Float32Array(0) });
    expect([...metadata]).toEqual([
      ['format', 'downhill'],
      ['model', '{"a":\n1}'],
    ]);
    const again = writeSafetensors(tensors as ReadonlyMap<string, SafetensorsInput>, metadata);
    expect(again).toEqual(bytes);
  });

  test('every dtype of its other file has the right values', () => {
    const { tensors } = readSafetensors(golden('all-dtypes.safetensors'));
    const values = Object.fromEntries([...tensors].map(([name, { data }]) => [name, data]));
    expect(values).toEqual({
      f64: Float64Array.of(0.1, -2.5e300),
      f32: Float32Array.of(0.1, -2.5e30),
      f16: Float32Array.of(0.0999755859375, -65504, 2 ** -24, Infinity, -Infinity, NaN, -0),
      bf16: Float32Array.of(0.10009765625, -3.140625, Infinity),
      i64: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n),
      i32: Int32Array.of(-(2 ** 31), 2 ** 31 - 1),
      i16: Int16Array.of(-(2 ** 15), 2 ** 15 - 1),
      i8: Int8Array.of(-128, 127),
      u64: BigUint64Array.of(0n, 2n ** 64n - 1n),
      u32: Uint32Array.of(0, 2 ** 32 - 1),
      u16: Uint16Array.of(0, 2 ** 16 - 1),
      u8: Uint8Array.of(0, 255, 3),
      bool: Uint8Array.of(1, 0, 1),
    });
  });

  test('a file inside a larger buffer is read alike', () => {
    const bytes = golden('weights.safetensors');
    const padded = new Uint8Array(bytes.length + 5);
    padded.set(bytes, 3);
    expect(readSafetensors(padded.subarray(3, 3 + bytes.length))).toEqual(readSafetensors(bytes));
  });

  test('every truncation of its file is refused', async () => {
    const bytes = golden('weights.safetensors');
    for (let length = 0; length < bytes.length; length++) {
      await expectRefusal(() => readSafetensors(bytes.subarray(0, length), 'w'), 'file', /^w: .*truncated/s);
    }
  });
});

describe('writeSafetensors', () => {
  test('round trip of views, awkward names and NaN bits', () => {
    const whole = new Float32Array(new Uint32Array([1, 0x7fc00123, 0x80000000, 4]).buffer);
    const inputs: [string, SafetensorsInput][] = [
      ['__proto__', { shape: [2], data: whole.subarray(1, 3) }],
      ['10', { shape: [1, 1], data: Uint32Array.of(9) }],
      ['', { shape: [], data: Int32Array.of(-3) }],
    ];
    const bytes = writeSafetensors(inputs);
    const { tensors } = readSafetensors(bytes);
    expect(tensors.size).toBe(3);
    const bits = tensors.get('__proto__')!.data;
    expect([...new Uint32Array(bits.buffer)]).toEqual([0x7fc00123, 0x80000000]);
    expect(tensors.get('10')).toEqual({ dtype: 'U32', shape: [1, 1], data: Uint32Array.of(9) });
    expect(tensors.get('')).toEqual({ dtype: 'I32', shape: [], data: Int32Array.of(-3) });
    expect(writeSafetensors([...inputs].reverse())).toEqual(bytes);
  });

  test('a file without tensors is a file', () => {
    expect(readSafetensors(writeSafetensors([])).tensors.size).toBe(0);
  });

  test('refuses names and shapes that do not fit', async () => {
    const one = { shape: [1], data: Float32Array.of(1) };
    await expectRefusal(() => writeSafetensors([['__metadata__', one]]), 'argument', /reserved/);
    await expectRefusal(
      () => writeSafetensors(Object.entries({ a: one }).concat([['a', one]])),
      'argument',
      /two .*"a"/,
    );
    await expectRefusal(
      () => writeSafetensors([['a', { ...one, shape: [2] }]]),
      'shape',
      /"a" of shape \[2\] has 1 values/,
    );
    await expectRefusal(() => writeSafetensors([['a', { ...one, shape: [-1] }]]), 'shape', /\[-1\]/);
  });
});

describe('readSafetensors refuses', () => {
  const huge = fileOf({});
  huge[5] = 1;
  test.each<[string, Uint8Array, RegExp]>([
    ['fewer than 8 bytes', Uint8Array.of(1, 2, 3), /found 3 bytes; expected at least 8/],
    ['a header longer than the file', huge, /header length 1099511627778 in a file of 10 bytes/],
    ['another format', new TextEncoder().encode('<!DOCTYPE html>'), /header length \d+ .* another format\?/],
    ['a header that is no JSON', fileOf('{"a":'), /its header is no JSON \(/],
    ['a header that is no UTF-8', fileOf('{"a":1}').map((b, i) => (i === 10 ? 0xff : b)), /its header is no JSON/],
    ['a header that is no object', fileOf([1]), /found \[1\] as header; expected a JSON object/],
    ['metadata that is no object', fileOf({ __metadata__: 'x' }), /__metadata__ is "x"; expected an object of strings/],
    ['metadata of other than strings', fileOf({ __metadata__: { a: 1 } }), /__metadata__ entry "a" is 1/],
    ['a tensor that is no object', fileOf({ a: null }), /tensor "a": found null; expected dtype, shape/],
    [
      'an unknown dtype',
      fileOf({ a: { ...f32(0, 4), dtype: 'F8_E4M3' } }, 4),
      /dtype "F8_E4M3"; expected one of F64, F32/,
    ],
    ['a dtype named like a method', fileOf({ a: { ...f32(0, 4), dtype: 'toString' } }, 4), /dtype "toString"/],
    ['no dtype', fileOf({ a: { shape: [], data_offsets: [0, 4] } }, 4), /found dtype undefined/],
    ['a negative extent', fileOf({ a: f32(0, 4, [-1, -1]) }, 4), /found shape \[-1,-1\]; expected a list of whole/],
    ['a shape that is no list', fileOf({ a: { ...f32(0, 4), shape: 1 } }, 4), /found shape 1/],
    ['offsets in reverse', fileOf({ a: { ...f32(0, 4), data_offsets: [4, 0] } }, 4), /data_offsets \[4,0\]/],
    [
      'one offset',
      fileOf({ a: { ...f32(0, 4), data_offsets: [4] } }, 4),
      /data_offsets \[4\]; expected \[start, end\]/,
    ],
    ['a shape of another size', fileOf({ a: f32(0, 8, [3]) }, 8), /F32 \[3\] takes 12 bytes, but .* hold 8/],
    ['overlap', fileOf({ a: f32(0, 8), b: f32(4, 12) }, 12), /tensor "b" overlaps .* starts at byte 4; expected 8/],
    ['a gap', fileOf({ a: f32(0, 4), b: f32(8, 12) }, 12), /tensor "b" leaves a gap .* starts at byte 8; expected 4/],
    ['a gap at the start', fileOf({ a: f32(4, 8) }, 8), /tensor "a" leaves a gap/],
    [
      'missing values',
      fileOf({ a: f32(0, 8) }, 7),
      /found 7 bytes of values; expected 8 by its header \(truncated\?\)/,
    ],
    ['trailing bytes', fileOf({ a: f32(0, 8) }, 9), /found 9 bytes of values; expected 8 .*1 bytes too many/],
  ])('%s', async (_, bytes, message) => {
    await expectRefusal(() => readSafetensors(bytes, 'w.safetensors'), 'file', /^w.safetensors: /, message);
  });
});

/** The IDX parser over every type byte and every way a file can be wrong; gzip likewise. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { gunzip } from '../../src/data/formats/gzip.ts';
import { parseIdx, readIdx } from '../../src/data/formats/idx.ts';
import { idxBytes } from './idx-bytes.ts';
import { expectRefusal } from './refusal.ts';

/** Big-endian bytes of numbers, by a DataView setter. */
function bigEndian(width: number, set: (view: DataView, at: number, value: number) => void, values: number[]) {
  const bytes = new Uint8Array(width * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    set(view, i * width, value);
  });
  return bytes;
}

describe('parseIdx', () => {
  test.each([
    [8, 'u8', Uint8Array.of(0, 255), [0, 255]],
    [9, 'i8', Uint8Array.of(128, 127), [-128, 127]],
    [11, 'i16', bigEndian(2, (v, at, x) => v.setInt16(at, x), [-300, 300]), [-300, 300]],
    [12, 'i32', bigEndian(4, (v, at, x) => v.setInt32(at, x), [-70000, 70000]), [-70000, 70000]],
    [13, 'f32', bigEndian(4, (v, at, x) => v.setFloat32(at, x), [0.5, -1.25]), [0.5, -1.25]],
    [14, 'f64', bigEndian(8, (v, at, x) => v.setFloat64(at, x), [0.1, -1e300]), [0.1, -1e300]],
  ] as const)('type byte %i is %s', (type, dtype, bytes, values) => {
    const parsed = parseIdx(idxBytes(type, [2, 1], bytes), 'a.idx');
    expect(parsed.dtype).toBe(dtype);
    expect(parsed.shape).toEqual([2, 1]);
    expect([...parsed.values]).toEqual(values);
  });

  test('reads a view that does not begin its buffer', () => {
    const file = idxBytes(12, [1], [0, 0, 1, 0]);
    const padded = new Uint8Array(file.length + 3);
    padded.set(file, 3);
    expect([...parseIdx(padded.subarray(3), 'a.idx').values]).toEqual([256]);
  });

  test('takes an extent of 0', () => {
    expect(parseIdx(idxBytes(8, [0, 28, 28], []), 'a.idx').shape).toEqual([0, 28, 28]);
  });

  test.each([
    ['an empty file', Uint8Array.of(), /^a.idx: found 0 bytes; expected an IDX file of at least 4 \(truncated\?\)/],
    ['a wrong magic number', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0), /found magic number 0x89504e47; expected IDX/],
    ['gzip', gzipSync(idxBytes(8, [1], [1])), /magic number 0x1f8b.* \(this is gzip: decompress it first\)/],
    ['an unknown type byte', idxBytes(10, [1], [1]), /found IDX type byte 0x0a; expected one of 0x08 \(u8\), 0x09/],
    ['no dimension', Uint8Array.of(0, 0, 8, 0), /found IDX header with 0 dimensions; expected at least one/],
    [
      'a truncated header',
      idxBytes(8, [2, 2], []).subarray(0, 9),
      /found 9 bytes; expected a header of 12 bytes for 2/,
    ],
    ['truncated values', idxBytes(8, [2, 2], [1, 2, 3]), /found 15 bytes; expected 16 for u8 \[2,2\] \(truncated\?\)/],
    ['trailing bytes', idxBytes(8, [2], [1, 2, 3]), /found 11 bytes; expected 10 for u8 \[2\] \(1 bytes too many\)/],
    ['extents that no file can hold', idxBytes(14, [2 ** 32 - 1, 2 ** 32 - 1], []), /truncated/],
  ])('refuses %s', async (_, bytes, message) => {
    await expectRefusal(() => parseIdx(bytes, 'a.idx'), 'file', message);
  });
});

describe('readIdx', () => {
  const file = idxBytes(8, [2], [3, 4]);

  test('takes plain and gzip bytes', async () => {
    expect([...(await readIdx(file, 'a')).values]).toEqual([3, 4]);
    expect([...(await readIdx(gzipSync(file), 'a')).values]).toEqual([3, 4]);
  });

  test('refuses corrupt and truncated gzip', async () => {
    const gz = gzipSync(file);
    await expectRefusal(() => readIdx(gz.subarray(0, -4), 'a.gz'), 'file', /^a.gz: truncated or corrupt gzip/, /whole/);
    const corrupt = Uint8Array.from(gz);
    corrupt[gz.length - 6]! ^= 1;
    await expectRefusal(() => readIdx(corrupt, 'a.gz'), 'file', /^a.gz: truncated or corrupt gzip \(/);
    await expectRefusal(() => readIdx(Uint8Array.from([...gz, 1, 2]), 'a.gz'), 'file', /corrupt gzip/);
  });
});

test('gunzip says when bytes are not gzip', async () => {
  await expectRefusal(() => gunzip(Uint8Array.of(1, 2, 3), 'b.gz'), 'file', /^b.gz: no gzip .*3 bytes/);
});

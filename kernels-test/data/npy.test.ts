/**
 * NumPy's files: what NumPy wrote is read to the bit, what is written NumPy's header describes, broken files are
 * refused.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type NpyArray, readNpy, writeNpy } from '../../src/data/formats/npy.ts';
import { npyDataset, readNpz, writeNpz } from '../../src/data/formats/npz.ts';
import { crc32, readZip, writeZip } from '../../src/data/formats/zip.ts';
import { expectRefusal } from './refusal.ts';

interface Golden {
  readonly cases: readonly {
    name: string;
    file: string;
    dtype: string;
    shape: number[];
    values: (number | string)[];
  }[];
  readonly archives: readonly { name: string; file: string }[];
}

const golden: Golden = JSON.parse(readFileSync(new URL('../golden/npy.json', import.meta.url), 'utf8'));
const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));
const plain = (array: NpyArray) =>
  Array.from<number | bigint, number | string>(array.values, (v) => (typeof v === 'bigint' ? String(v) : v));

describe('readNpy', () => {
  test.each(golden.cases)('reads $name as NumPy wrote it', ({ file, dtype, shape, values }) => {
    const array = readNpy(bytesOf(file), 'golden');
    expect(array.dtype).toBe(dtype);
    expect(array.shape).toEqual(shape);
    // toEqual tells -0 from 0.
    expect(plain(array)).toEqual(values);
  });

  const good = bytesOf(golden.cases[0].file);
  const changed = (from: string, to: string) => {
    const text = Buffer.from(good).toString('latin1').replace(from, to.padEnd(from.length));
    return new Uint8Array(Buffer.from(text, 'latin1'));
  };
  test.each([
    ['another file', Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0), /x\.npy: found first bytes 50 4b .*; expected a .npy file/],
    ['version 4', good.with(6, 4), /version 4; expected 1, 2 or 3/],
    ['half a header', good.subarray(0, 40), /found 40 bytes; expected a header of 128 \(truncated\?\)/],
    ['nothing after the magic', good.subarray(0, 7), /found 7 bytes; expected a whole header/],
    ['missing values', good.subarray(0, -1), /found 151 bytes; expected 152 for f4 \[2,3\] \(truncated\?\)/],
    ['bytes left over', Uint8Array.of(...good, 0), /found 153 bytes; expected 152 .*too many/],
    ['complex numbers', changed("'<f4'", "'<c8'"), /element type '<c8'; expected one of f4, f8/],
    ['a record type', changed("'<f4'", '[   ]'), /header .*; expected 'descr' of one type/],
  ])('refuses %s', async (_, bytes, message) => {
    await expectRefusal(() => readNpy(bytes, 'x.npy'), 'file', message);
  });
});

describe('writeNpy', () => {
  test.each(golden.cases.filter(({ name }) => /^[<|].. C$/.test(name)))(
    "gives NumPy's own bytes for $name",
    ({ file }) => {
      const array = readNpy(bytesOf(file));
      // NumPy pads to 64 bytes with spaces as well: the files agree to the byte.
      expect(Buffer.from(writeNpy(array)).toString('base64')).toBe(file);
    },
  );

  test('takes the dtype from the array', () => {
    expect(readNpy(writeNpy({ shape: [2], values: Int32Array.of(1, 2) }))).toMatchObject({ dtype: 'i32', shape: [2] });
    expect(readNpy(writeNpy({ shape: [], values: Float32Array.of(4) })).shape).toEqual([]);
  });

  test('takes a header of more than 64 KiB into version 2', () => {
    const shape = Array.from({ length: 30_000 }, () => 1);
    const bytes = writeNpy({ shape, values: Uint8Array.of(9) });
    expect(bytes[6]).toBe(2);
    expect(readNpy(bytes)).toMatchObject({ shape, values: Uint8Array.of(9) });
  });

  test('refuses what does not fit', async () => {
    await expectRefusal(
      () => writeNpy({ shape: [3], values: Int32Array.of(1) }),
      'shape',
      /1 values do not fill shape \[3\]/,
    );
    const wrong = { shape: [1], values: Int32Array.of(1), dtype: 'f32' } as const;
    await expectRefusal(() => writeNpy(wrong), 'argument', /found Int32Array as f32/);
  });
});

describe('npz', () => {
  test.each(golden.archives)('reads what $name wrote', async ({ file }) => {
    const arrays = await readNpz(bytesOf(file));
    expect([...arrays.keys()]).toEqual(['x', 'y']);
    expect(plain(arrays.get('x')!)).toEqual([0, 1, 2, 3, 4, 5]);
    const set = npyDataset(arrays.get('x')!, arrays.get('y')!, { name: 'z', classNames: ['a', 'b'] });
    expect(set).toMatchObject({ size: 3, xShape: [2], y: Int32Array.of(0, 1, 1) });
  });

  test.each([true, false])('comes back as written, compress %s', async (compress) => {
    const values = Float64Array.from({ length: 1000 }, (_, k) => k % 7);
    const bytes = await writeNpz(
      { long: { shape: [10, 100], values }, one: { shape: [], values: Uint8Array.of(1) } },
      { compress },
    );
    expect(bytes.length < 4000).toBe(compress);
    const arrays = await readNpz(bytes);
    expect(arrays.get('long')).toEqual({ dtype: 'f64', shape: [10, 100], values });
    expect(arrays.get('one')!.shape).toEqual([]);
  });

  test('refuses broken archives', async () => {
    const bytes = bytesOf(golden.archives[0].file);
    await expectRefusal(() => readNpz(bytes.subarray(0, -30), 'a.npz'), 'file', /a\.npz: found .*expected a whole zip/);
    await expectRefusal(() => readNpz(new Uint8Array(5), 'a.npz'), 'file', /5 bytes without an end record/);
    await expectRefusal(
      () => readNpz(bytes.with(200, bytes[200] ^ 1), 'a.npz'),
      'file',
      /entry "x\.npy": found another checksum/,
    );
    const odd = await writeZip(new Map([['note.txt', new TextEncoder().encode('hello')]]));
    await expectRefusal(() => readNpz(odd, 'a.npz'), 'file', /a\.npz: note\.txt: found first bytes 68 65/);
    const packed = bytesOf(golden.archives[1].file);
    const corrupt = packed.slice();
    corrupt.fill(0xff, 60, 120);
    await expectRefusal(() => readNpz(corrupt, 'a.npz'), 'file', /entry "x\.npy": found corrupt bytes/);
  });

  test('the checksum is that of the standard', async () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
    expect(await readZip(await writeZip(new Map()), 'empty')).toEqual(new Map());
  });

  test('refuses targets of more than 32 bits', async () => {
    const x = { dtype: 'f32', shape: [1, 1], values: Float32Array.of(1) } as const;
    const y = { dtype: 'i64', shape: [1], values: BigInt64Array.of(2n ** 40n) } as const;
    await expectRefusal(() => npyDataset(x, y), 'data', /target 1099511627776 does not fit 32 bits/);
  });
});

/** The archive of one entry with those sizes of its directory in 64 bits, in the order that zip64 prescribes. */
function inZip64(archive: Uint8Array): Uint8Array {
  const end = archive.length - 22;
  const view = new DataView(archive.buffer, archive.byteOffset);
  const start = view.getUint32(end + 16, true);
  const name = view.getUint16(start + 28, true);
  const extra = new DataView(new ArrayBuffer(28));
  extra.setUint16(0, 1, true);
  extra.setUint16(2, 24, true);
  for (const [k, at] of [24, 20, 42].entries()) {
    extra.setBigUint64(4 + 8 * k, BigInt(view.getUint32(start + at, true)), true);
    view.setUint32(start + at, 0xffffffff, true);
  }
  view.setUint16(start + 30, 28, true);
  view.setUint32(end + 12, view.getUint32(end + 12, true) + 28, true);
  const fields = start + 46 + name;
  return Uint8Array.of(...archive.subarray(0, fields), ...new Uint8Array(extra.buffer), ...archive.subarray(fields));
}

test.each([true, false])('sizes in 64 bits are read, compressed %s', async (compress) => {
  const plain = Uint8Array.from({ length: 300 }, (_, k) => k % 7);
  const read = await readZip(inZip64(await writeZip(new Map([['a.bin', plain]]), compress)), 'wide.zip');
  expect([...read]).toEqual([['a.bin', plain]]);
});

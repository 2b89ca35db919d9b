/**
 * Image folders: PNG and JPEG as TensorFlow decodes and resizes them, classes by folder, every unreadable file named.
 */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { crc32 } from '../../src/data/formats/zip.ts';
import { decodeImage } from '../../src/data/image/decode.ts';
import { imageFolder } from '../../src/data/image-folder.node.ts';
import { type ImageOptions, imagesFromFiles } from '../../src/data/images.ts';
import { inChannels, resizeImage } from '../../src/data/resize.ts';
import { expectRefusal } from './refusal.ts';

const golden = JSON.parse(readFileSync(new URL('../golden/images.json', import.meta.url), 'utf8'));
const kinds: Record<
  'images' | 'orientations',
  { name: string; width: number; height: number; file: string; pixels: string }[]
> = JSON.parse(readFileSync(new URL('../golden/image-kinds.json', import.meta.url), 'utf8'));
const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));
const noise = { height: 5, width: 7, channels: 3, data: Uint8Array.from(golden.noise as number[]) };
const farthest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((most, value, k) => Math.max(most, Math.abs(value - b[k])), a.length === b.length ? 0 : 999);

describe('resizeImage', () => {
  test.each(golden.resized as { size: [number, number]; values: number[] }[])(
    'to $size as TensorFlow',
    ({ size, values }) => {
      const { data, height, width } = resizeImage(noise, ...size);
      expect([height, width]).toEqual(size);
      // Ours are rounded to bytes.
      expect(farthest(data, values)).toBeLessThanOrEqual(0.501);
    },
  );

  test('leaves an image of that size alone, and a constant one constant', () => {
    expect(resizeImage(noise, 5, 7)).toBe(noise);
    const flat = resizeImage({ ...noise, data: new Uint8Array(105).fill(77) }, 3, 11);
    expect([...new Set(flat.data)]).toEqual([77]);
  });
});

describe('decodeImage', () => {
  test.each(['png', 'rgbaPng'])('%s', async (kind) => {
    expect(await decodeImage(bytesOf(golden[kind]))).toMatchObject(noise);
  });

  test('a grey PNG has three equal channels', async () => {
    const { data } = await decodeImage(bytesOf(golden.greyPng));
    expect([...data.subarray(0, 3)]).toEqual(Array(3).fill(noise.data[0]));
  });

  test('a JPEG is that of TensorFlow within 2 levels', async () => {
    const image = await decodeImage(bytesOf(golden.jpeg));
    expect([image.height, image.width]).toEqual([16, 24]);
    expect(farthest(image.data, golden.jpegPixels)).toBeLessThanOrEqual(2);
  });

  test('grey is luma', async () => {
    const { data } = inChannels(await decodeImage(bytesOf(golden.png)), 1);
    expect(farthest(data, golden.grey)).toBeLessThanOrEqual(0.53);
  });

  test.each(kinds.images)('$name has the pixels of libjpeg and libpng, to the bit', async (expected) => {
    const { width, height, data } = await decodeImage(bytesOf(expected.file), { orientation: 'stored' });
    expect([width, height]).toEqual([expected.width, expected.height]);
    expect(farthest(data, bytesOf(expected.pixels))).toBe(0);
  });

  test.each(kinds.orientations)('$name stands upright', async ({ file, width, height, pixels }) => {
    const image = await decodeImage(bytesOf(file));
    expect([image.width, image.height]).toEqual([width, height]);
    expect(farthest(image.data, inflateSync(bytesOf(pixels)))).toBe(0);
    expect(await decodeImage(bytesOf(file), { orientation: 'stored' })).toMatchObject({ width: 24, height: 16 });
  });

  test('a small file that announces many pixels is refused before memory is asked for', async () => {
    const png = bytesOf(golden.png);
    const view = new DataView(png.buffer);
    const announce = (side: number) => {
      view.setUint32(16, side);
      view.setUint32(20, side);
      view.setUint32(29, crc32(png.subarray(12, 29)));
      return png;
    };
    await expect(decodeImage(announce(30_000))).rejects.toThrow(/30000 × 30000 pixels, more than maxPixels = 67108864/);
    await expect(decodeImage(announce(30_000), { maxPixels: 1e9 })).rejects.toThrow(/cannot hold 30000 × 30000/);
    await expect(decodeImage(announce(8000))).rejects.toThrow(/truncated: its \d+ bytes cannot hold 8000 × 8000/);
    const jpeg = bytesOf(golden.jpeg);
    const frame = Buffer.from(jpeg).indexOf(Buffer.of(0xff, 0xc0));
    new DataView(jpeg.buffer).setUint32(frame + 5, 8000 * 65_537);
    await expect(decodeImage(jpeg)).rejects.toThrow(/bytes cannot hold 8000 × 8000 pixels/);
  });
});

describe('imageFolder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'downhill-images-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  async function put(path: string, content: Uint8Array): Promise<void> {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  const load = (options: object = {}) => imageFolder(folder, { size: [5, 7], ...options } as ImageOptions);

  test('takes classes and files in sorted order, all of one size', async () => {
    await put('dog/b.png', bytesOf(golden.png));
    await put('dog/a.JPG', bytesOf(golden.jpeg));
    await put('cat/x.png', bytesOf(golden.greyPng));
    await put('cat/notes.txt', Uint8Array.of(1));
    await put('.hidden/x.png', Uint8Array.of(1));
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const set = await load();
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/left out 1 file without an image's name \(.*notes\.txt\)$/)],
    ]);
    warn.mockRestore();
    expect(set).toMatchObject({ name: folder, size: 3, xShape: [5, 7, 3], classNames: ['cat', 'dog'] });
    expect([...set.y]).toEqual([0, 1, 1]);
    expect(set.x.subarray(2 * 105)).toEqual(noise.data);
    expect(await load({ colour: 'grey', size: [2, 3] })).toMatchObject({ xShape: [2, 3, 1], size: 3 });
  });

  test.each([
    ['half a PNG', () => bytesOf(golden.png).subarray(0, 60), /cannot read image .*bad\.png: .*; expected PNG or JPEG/],
    ['half a JPEG', () => bytesOf(golden.jpeg).subarray(0, 200), /cannot read image .*bad\.png/],
    ['text', () => new TextEncoder().encode('GIF89a'), /bad\.png: it is a GIF; expected PNG or JPEG/],
    ['something else', () => Uint8Array.of(1, 2, 3, 4, 5), /bad\.png: it begins with 01 02 03 04; expected PNG/],
    ['nothing', () => new Uint8Array(0), /bad\.png: the file is empty/],
  ])('names the file that is %s', async (_, bytes, message) => {
    await put('a/bad.png', bytes());
    await expectRefusal(() => load(), 'file', message);
  });

  test.each([
    ['png', golden.png, 12],
    ['png', golden.png, 40],
    ['jpg', golden.jpeg, 2],
    ['jpg', golden.jpeg, 60],
  ])('names a %s file that is truncated', async (kind, whole, lacking) => {
    const bytes = bytesOf(whole);
    await mkdir(join(folder, 'cut'));
    await put(`cut/x.${kind}`, bytes.subarray(0, bytes.length - lacking));
    const length = bytes.length - lacking;
    await expectRefusal(
      () => load(),
      'file',
      new RegExp(`cannot read image .*cut/x\\.${kind}: the file is truncated: it ends after ${length} bytes`),
    );
  });

  test('follows links to folders and files', async () => {
    await put('real/x.png', bytesOf(golden.png));
    await symlink(join(folder, 'real'), join(folder, 'linked'));
    await symlink(join(folder, 'real', 'x.png'), join(folder, 'real', 'y.png'));
    expect(await load()).toMatchObject({ size: 4, classNames: ['linked', 'real'] });
    await symlink(join(folder, 'nowhere'), join(folder, 'real', 'z.png'));
    await expectRefusal(() => load(), 'file', /cannot follow link .*z\.png: no such file or folder/);
  });

  test('passes over nothing silently', async () => {
    await put('a/x.png', bytesOf(golden.png));
    await put('a/y.webp', Uint8Array.of(1));
    await expectRefusal(() => load(), 'data', /1 image of kinds that are not read: .*y\.webp; expected PNG or JPEG/);
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    expect((await load({ others: 'skip' })).size).toBe(1);
    expect(warn.mock.calls[0][0]).toMatch(/left out 1 image of kinds that are not read \(.*y\.webp\)/);
    warn.mockRestore();
    await expectRefusal(() => load({ others: 'leave' }), 'argument', /others/);
    await rm(join(folder, 'a/y.webp'));
    await put('a/deep/x.png', bytesOf(golden.png));
    await expectRefusal(() => load(), 'data', /class folder .* has a folder "deep" in it/);
    await rm(join(folder, 'a/deep'), { recursive: true });
    await put('loose.png', bytesOf(golden.png));
    await expectRefusal(() => load(), 'data', /loose\.png is not in a class folder/);
  });

  test('refuses a pipe that is called an image', async () => {
    await put('a/x.png', bytesOf(golden.png));
    execFileSync('mkfifo', [join(folder, 'a/a.png')]);
    await expectRefusal(() => load(), 'file', /cannot read image .*a\.png: it is a pipe; expected a file/);
  });

  test('refuses folders without images and options that do not fit', async () => {
    await expectRefusal(() => load(), 'data', /has no folders in it; expected one for each class/);
    await mkdir(join(folder, 'empty'));
    await expectRefusal(() => load(), 'data', /class folder .*empty has no PNG or JPEG/);
    await expectRefusal(() => imageFolder(join(folder, 'no'), { size: [1, 1] }), 'file', /no such file or folder/);
    await put('empty/x.png', bytesOf(golden.png));
    await expectRefusal(() => load({ size: [0, 3] }), 'argument', /height of size/);
    await expectRefusal(() => load({ size: 3 }), 'argument', /width of size/);
    await expectRefusal(() => load({ color: 'grey' }), 'argument', /"color"; did you mean "colour"/);
    await expectRefusal(() => load({ colour: 'gray' }), 'argument', /did you mean "grey"/);
  });
});

test('files of a browser are read as those of a folder', async () => {
  const file = (path: string, bytes = bytesOf(golden.png)) =>
    Object.assign(new File([bytes], path.split('/').at(-1)!), { webkitRelativePath: path });
  const load = (files: File[], options: object = {}) =>
    imagesFromFiles(files, { size: [5, 7], ...options } as ImageOptions);
  const set = await load([file('set/dog/b.png'), file('set/cat/a.png'), file('set/.git/a.png')]);
  expect(set).toMatchObject({ size: 2, classNames: ['cat', 'dog'], x: Uint8Array.of(...noise.data, ...noise.data) });
  await expectRefusal(() => load([file('x.png')]), 'data', /x\.png is not in a folder/);
  await expectRefusal(
    () => load([file('set/cat/x.png', Uint8Array.of(1))]),
    'file',
    /cannot read image set\/cat\/x\.png/,
  );
  await expectRefusal(() => load([]), 'data', /no image/);
  await expectRefusal(
    () => load([file('set/cat/x.gif')]),
    'data',
    /1 image of kinds that are not read: set\/cat\/x\.gif/,
  );
  const nested = [file('set/cat/a.png'), file('set/cat/more/a.png')];
  await expectRefusal(
    () => load(nested),
    'data',
    /more\/a\.png is in a class folder of "set\/cat", others are in one of "set"/,
  );
  await expectRefusal(
    () => load([file('set/cat/a.png')], { maxPixels: 34 }),
    'file',
    /7 × 5 pixels, more than maxPixels = 34/,
  );
});

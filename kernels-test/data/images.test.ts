/** Image folders: PNG and JPEG as TensorFlow decodes and resizes them, classes by folder, every unreadable file named. */
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodeImage, imageFolder } from '../../src/data/image-folder.node.ts';
import { type ImageOptions, imagesFromFiles } from '../../src/data/images.ts';
import { fromRgba, resizeImage } from '../../src/data/resize.ts';
import { expectRefusal } from './refusal.ts';

const golden = JSON.parse(readFileSync(new URL('../golden/images.json', import.meta.url), 'utf8'));
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
    expect(fromRgba(await decodeImage(bytesOf(golden[kind])), 3)).toEqual(noise);
  });

  test('a grey PNG has three equal channels', async () => {
    const { data } = fromRgba(await decodeImage(bytesOf(golden.greyPng)), 3);
    expect([...data.subarray(0, 3)]).toEqual(Array(3).fill(noise.data[0]));
  });

  test('a JPEG (without subsampled colour) is that of libjpeg within 2 levels', async () => {
    const image = fromRgba(await decodeImage(bytesOf(golden.jpeg)), 3);
    expect([image.height, image.width]).toEqual([16, 24]);
    expect(farthest(image.data, golden.jpegPixels)).toBeLessThanOrEqual(2);
  });

  test('grey is luma', async () => {
    const { data } = fromRgba(await decodeImage(bytesOf(golden.png)), 1);
    expect(farthest(data, golden.grey)).toBeLessThanOrEqual(0.53);
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
    const set = await load();
    expect(set).toMatchObject({ name: folder, size: 3, xShape: [5, 7, 3], classNames: ['cat', 'dog'] });
    expect([...set.y]).toEqual([0, 1, 1]);
    expect(set.x.subarray(2 * 105)).toEqual(noise.data);
    expect(await load({ colour: 'grey', size: [2, 3] })).toMatchObject({ xShape: [2, 3, 1], size: 3 });
  });

  test.each([
    ['half a PNG', () => bytesOf(golden.png).subarray(0, 60), /cannot read image .*bad\.png: .*; expected PNG or JPEG/],
    ['half a JPEG', () => bytesOf(golden.jpeg).subarray(0, 200), /cannot read image .*bad\.png/],
    ['text', () => new TextEncoder().encode('GIF89a'), /bad\.png: it begins with 47 49 46 38/],
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

test('files of a browser need a folder each, and an image that fails is named', async () => {
  const file = (name: string) => Object.assign(new File([Uint8Array.of(1)], name), { webkitRelativePath: name });
  await expectRefusal(() => imagesFromFiles([file('x.png')], { size: [1, 1] }), 'data', /x\.png lies in no folder/);
  // Node has no createImageBitmap: the reader's own error path.
  await expectRefusal(
    () => imagesFromFiles([file('set/cat/x.png')], { size: [1, 1] }),
    'file',
    /cannot read image set\/cat\/x\.png/,
  );
  await expectRefusal(() => imagesFromFiles([], { size: [1, 1] }), 'data', /no image/);
});

/**
 * Image files in a page: the bytes that Node gives (kernels-test/data/images.test.ts reads the same files), which are those
 * of libjpeg and libpng; and, as a second witness, the browser's own decoder.
 */

import { imagesFromFiles } from '../../../src/index.ts';
import golden from '../../golden/image-kinds.json';
import { type Check, expect } from './check.ts';

export async function checkImages(check: Check): Promise<void> {
  await check('image files give the bytes that they give in Node', async () => {
    for (const { name, file, width, height, pixels } of golden.images) {
      const expected = bytesOf(pixels);
      const different = (await decoded(name, file, width, height)).findIndex((value, k) => value !== expected[k]);
      expect(different < 0, `${name}: byte ${different} is another`);
    }
    return `${golden.images.length} files`;
  });

  await check('opaque images of 8 bits are those of the browser within a level, turned photographs too', async () => {
    const opaque = golden.images.filter(({ name }) => !/alpha|transparent|palette|16|cmyk/.test(name));
    let most = 0;
    for (const { name, file, width, height } of [...opaque, ...golden.orientations]) {
      const ours = await decoded(name, file, width, height);
      const theirs = await drawn(bytesOf(file), width, height);
      const farthest = ours.reduce((far, value, k) => Math.max(far, Math.abs(value - theirs[k]!)), 0);
      expect(farthest <= 1, `${name}: ${farthest} levels apart`);
      most = Math.max(most, farthest);
    }
    return `${opaque.length + golden.orientations.length} files, at most ${most} levels apart`;
  });
}

async function decoded(name: string, file: string, width: number, height: number): Promise<Uint8Array> {
  const given = new File([bytesOf(file)], name);
  Object.defineProperty(given, 'webkitRelativePath', { value: `set/class/${name}` });
  const { x } = await imagesFromFiles([given], { size: [height, width] });
  return x as Uint8Array;
}

/** RGB as the browser decodes and draws it. */
async function drawn(bytes: Uint8Array<ArrayBuffer>, width: number, height: number): Promise<number[]> {
  const bitmap = await createImageBitmap(new Blob([bytes]), { colorSpaceConversion: 'none' });
  expect(bitmap.width === width && bitmap.height === height, `the browser sees ${bitmap.width} × ${bitmap.height}`);
  const context = new OffscreenCanvas(width, height).getContext('2d')!;
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  return [...data].filter((_, k) => k % 4 !== 3);
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

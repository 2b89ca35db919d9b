/**
 * CIFAR-10 in its binary form: records of 3073 bytes, a label and the red, green and blue planes of a 32 × 32 image.
 * Browser-safe: bytes come from the caller; cifar.node.ts reads folders.
 *
 * Invariant: a file holds whole records only, labels are class ids; planes become interleaved (height, width, channel).
 * Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images" (2009), and its page's file format.
 */
import { DownhillError } from '../../util/errors.ts';
import { type ArrayDataset, arrayDataset } from '../dataset.ts';
import { gunzip, isGzip } from '../formats/gzip.ts';

export const CIFAR10_CLASSES: readonly string[] = 'airplane automobile bird cat deer dog frog horse ship truck'.split(
  ' ',
);

const SIDE = 32;
const PLANE = SIDE * SIDE;
const RECORD = 1 + 3 * PLANE;

/** One file: its name in errors, and its bytes, gzip-compressed or plain. */
export interface CifarFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * The images of all `files`, one file after the other: x u8 [n, 32, 32, 3], y u8 class ids.
 * @param classNames CIFAR-10's unless given.
 * @throws DownhillError('file') for corrupt gzip, an empty file or one that ends within a record; ('data') for a label
 *   out of range, naming file and record; ('argument') for no file at all.
 */
export async function cifar10FromBytes(
  files: readonly CifarFile[],
  name = 'cifar10',
  classNames: readonly string[] = CIFAR10_CLASSES,
): Promise<ArrayDataset> {
  if (files.length === 0) throw new DownhillError('argument', `${name}: expected at least one file`);
  const plain: CifarFile[] = [];
  for (const { name: file, bytes } of files) {
    plain.push({ name: file, bytes: isGzip(bytes) ? await gunzip(bytes, file) : bytes });
  }
  for (const file of plain) checkLength(file);
  const size = plain.reduce((sum, { bytes }) => sum + bytes.length / RECORD, 0);
  const x = new Uint8Array(size * 3 * PLANE);
  const y = new Uint8Array(size);
  let example = 0;
  for (const { name: file, bytes } of plain) {
    for (let record = 0; record * RECORD < bytes.length; record++, example++) {
      const at = record * RECORD;
      const label = bytes[at]!;
      if (label >= classNames.length) {
        const range = `0 to ${classNames.length - 1}`;
        throw new DownhillError(
          'data',
          `${file}: label ${label} of record ${record} is out of range; expected ${range}`,
        );
      }
      y[example] = label;
      interleave(bytes.subarray(at + 1, at + RECORD), x, example * 3 * PLANE);
    }
  }
  return arrayDataset({ name, x, xShape: [SIDE, SIDE, 3], y, classNames });
}

/** The class names in a `batches.meta.txt`: one per line, empty lines aside. @throws DownhillError('file') for none. */
export function parseClassNames(text: string, name: string): string[] {
  const names = text.split(/\r?\n/).map((line) => line.trim());
  const found = names.filter((line) => line !== '');
  if (found.length > 0) return found;
  throw new DownhillError('file', `${name}: no class name in it; expected one per line`);
}

function checkLength({ name, bytes }: CifarFile): void {
  const records = Math.floor(bytes.length / RECORD);
  if (bytes.length > 0 && bytes.length === records * RECORD) return;
  const found =
    bytes.length === 0 ? 'no bytes' : `${bytes.length} bytes, ${bytes.length - records * RECORD} of record ${records}`;
  throw new DownhillError('file', `${name}: found ${found}; expected whole records of ${RECORD} bytes (truncated?)`);
}

function interleave(planes: Uint8Array, x: Uint8Array, at: number): void {
  for (let pixel = 0; pixel < PLANE; pixel++) {
    x[at + 3 * pixel] = planes[pixel]!;
    x[at + 3 * pixel + 1] = planes[PLANE + pixel]!;
    x[at + 3 * pixel + 2] = planes[2 * PLANE + pixel]!;
  }
}

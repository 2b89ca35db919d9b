/** Test helper: writes IDX files, the counterpart of src/data/formats/idx.ts. */

/** An IDX file of the given type byte and extents around `values` (already big-endian). */
export function idxBytes(type: number, shape: readonly number[], values: Uint8Array | readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + values.length);
  bytes.set([0, 0, type, shape.length]);
  const view = new DataView(bytes.buffer);
  shape.forEach((extent, axis) => {
    view.setUint32(4 + 4 * axis, extent);
  });
  bytes.set(values, 4 + 4 * shape.length);
  return bytes;
}

/** Four small files in the layout of MNIST: 3 training and 2 test images of 2 × 2. */
export function tinyMnist() {
  return {
    trainImages: idxBytes(8, [3, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
    trainLabels: idxBytes(8, [3], [9, 0, 5]),
    testImages: idxBytes(8, [2, 2, 2], [20, 21, 22, 23, 24, 25, 26, 27]),
    testLabels: idxBytes(8, [2], [1, 2]),
  };
}

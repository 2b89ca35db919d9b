/**
 * unpackBytes: four numbers from each word. Images stay on the device as the bytes they are, a quarter of the memory
 * and of the upload, and become f32 in the kernel that reads them first.
 */

import { defineOp, type Op } from '../../core/op.ts';
import { describe, type Tensor } from '../../core/tensor.ts';
import { checkOptions } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { sizeOf } from '../../util/shape.ts';

interface UnpackAttrs {
  readonly scale: number;
  readonly offset: number;
}

type UnpackBytes = (packed: Tensor, options?: Partial<UnpackAttrs>) => Tensor;

/**
 * The bytes of `packed` (u32 [..., n], the lowest byte first) as f32 [..., 4n]: byte · scale (1/255) + offset (0).
 * @throws DownhillError `dtype` unless packed is u32, `shape` for a scalar.
 */
export const unpackBytes: UnpackBytes & Op<UnpackAttrs> = defineOp<UnpackAttrs, UnpackBytes>(
  {
    name: 'unpackBytes',
    doc: 'The bytes of u32 words [..., n], the lowest byte first, as f32 [..., 4n]: byte · scale (1/255) + offset (0).',
    infer([packed]) {
      if (packed.dtype !== 'u32') {
        throw new DownhillError('dtype', `unpackBytes: packed must be u32, got ${describe(packed)}`);
      }
      const words = packed.shape.at(-1);
      if (words === undefined) throw new DownhillError('shape', 'unpackBytes: packed needs an axis, got u32[]');
      return { shape: [...packed.shape.slice(0, -1), 4 * words], dtype: 'f32' };
    },
    cpu([packed], output, { scale, offset }) {
      for (let i = 0; i < output.data.length; i++) {
        const byte = (packed.data[i >> 2] >>> (8 * (i & 3))) & 255;
        output.data[i] = byte * scale + offset;
      }
    },
    vjp: null,
    lower: {
      kind: 'index',
      cost: 'inline',
      wgsl: ({ i, attrs: { scale, offset }, scalar, load }) => `
        let word = ${load(0, `${i} / 4u`)};
        return f32((word >> (8u * (${i} % 4u))) & 255u) * ${scalar(scale)} + ${scalar(offset)};`,
    },
    samples: [
      { inputs: [{ shape: [1], dtype: 'u32', values: [0x04030201] }], attrs: { scale: 1, offset: 0 } },
      { inputs: [{ shape: [2, 3], dtype: 'u32', values: { below: 2 ** 32 } }], attrs: { scale: 1 / 255, offset: 0 } },
      {
        inputs: [{ shape: [3, 1, 7], dtype: 'u32', values: { below: 2 ** 32 } }],
        attrs: { scale: 2 / 255, offset: -1 },
      },
      {
        title: 'every bit set',
        inputs: [{ shape: [1], dtype: 'u32', values: [2 ** 32 - 1] }],
        attrs: { scale: 1, offset: 0 },
      },
    ],
    rejects: [
      {
        title: 'f32 words',
        inputs: [{ shape: [4] }],
        attrs: { scale: 1, offset: 0 },
        message: /^unpackBytes: packed must be u32, got f32\[4\]/,
      },
      {
        title: 'a scalar',
        inputs: [{ shape: [], dtype: 'u32' }],
        attrs: { scale: 1, offset: 0 },
        message: /^unpackBytes: packed needs an axis/,
      },
    ],
    tolerance: { relative: 3e-7, source: 'a product and a sum, correctly rounded; scale and offset rounded to f32' },
    bench: {
      flops: (_inputs, output) => 2 * sizeOf(output.shape),
      sample: {
        inputs: [{ shape: [262144], dtype: 'u32', values: { below: 2 ** 32 } }],
        attrs: { scale: 1 / 255, offset: 0 },
      },
    },
  },
  (apply) => (packed, options) => {
    const { scale = 1 / 255, offset = 0 } = checkOptions('unpackBytes', options, ['scale', 'offset']);
    return apply([packed], { scale, offset });
  },
);

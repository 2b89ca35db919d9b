/**
 * Convolutions of other forms, written in conv2d, its gradient and ops that move elements: in groups, over a line, over
 * a volume, transposed. Gradients of any order follow from those ops.
 *
 * A grouped convolution is G convolutions side by side (a contraction with G batches). A volume's depth taps become
 * channels (im2col along the depth, KD copies of the input), so it is one two-dimensional contraction.
 * Source: Keras 3 ops.conv and ops.conv_transpose (`keras/src/backend/common/backend_utils.py` for the output sizes).
 */

import type { Tensor } from '../../core/tensor.ts';
import { checkOptions } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, type Shape, sizeOf } from '../../util/shape.ts';
import { requireRank } from '../checks.ts';
import { reshape } from '../layout/shape.ts';
import { pad, slice } from '../layout/slice.ts';
import { transpose } from '../layout/transpose.ts';
import { conv2d, conv2dInputGrad } from './conv.ts';
import { type Conv2dOptions, type Padding, pair } from './conv-geometry.ts';
import { im2col } from './im2col.ts';

export interface GroupedConv2dOptions extends Conv2dOptions {
  /** The channels are cut into so many groups, and so are the filters; 1 when left out. */
  readonly groups?: number;
}

/**
 * conv2d in groups: images [N,H,W,C], kernel [KH,KW,C/groups,F] → [N,OH,OW,F]; filter f sees the channels of group
 * ⌊f · groups / F⌋ only.
 * @throws DownhillError `shape` unless groups divides C and F and the kernel takes C/groups channels; as conv2d
 *   otherwise.
 */
export function groupedConv2d(x: Tensor, kernel: Tensor, options: GroupedConv2dOptions = {}): Tensor {
  const known = ['groups', 'strides', 'padding', 'dilation'] as const;
  const { groups = 1, ...window } = checkOptions('groupedConv2d', options, known);
  requireRank('groupedConv2d', 'x', x, '[N,H,W,C]');
  requireRank('groupedConv2d', 'kernel', kernel, '[KH,KW,C/groups,F]');
  checkGroups('groupedConv2d', x.shape, kernel.shape, groups);
  if (groups === 1) return conv2d(x, kernel, window);
  const [N, H, W, C] = x.shape;
  const [KH, KW, , F] = kernel.shape;
  const images = transpose(reshape(x, [N, H, W, groups, C / groups]), [3, 0, 1, 2, 4]);
  const kernels = transpose(reshape(kernel, [KH, KW, C / groups, groups, F / groups]), [3, 0, 1, 2, 4]);
  return joinGroups(conv2d(images, kernels, window));
}

export interface Conv1dOptions {
  /** Step between windows; 1 when left out. */
  readonly strides?: number;
  /** `causal` pads in front only, so that step t sees nothing after t; `valid` when left out. */
  readonly padding?: Padding | 'causal';
  /** Step between the taps of a window; 1 when left out. */
  readonly dilation?: number;
  readonly groups?: number;
}

/**
 * Convolution over sequences [N,L,C] with a kernel [K,C/groups,F] → [N,OL,F].
 * @throws DownhillError as groupedConv2d does.
 */
export function conv1d(x: Tensor, kernel: Tensor, options: Conv1dOptions = {}): Tensor {
  const known = ['groups', 'strides', 'padding', 'dilation'] as const;
  const { groups = 1, strides = 1, padding = 'valid', dilation = 1 } = checkOptions('conv1d', options, known);
  requireRank('conv1d', 'x', x, '[N,L,C]');
  requireRank('conv1d', 'kernel', kernel, '[K,C/groups,F]');
  const [K, , F] = kernel.shape;
  const front = padding === 'causal' ? dilation * (K - 1) : 0;
  const padded = front === 0 ? x : pad(x, [none, [front, 0], none]);
  const [N, L, C] = padded.shape;
  const y = groupedConv2d(reshape(padded, [N, 1, L, C]), reshape(kernel, [1, ...kernel.shape]), {
    groups,
    strides: [1, strides],
    padding: padding === 'causal' ? 'valid' : padding,
    dilation: [1, dilation],
  });
  return reshape(y, [N, y.shape[2], F]);
}

const none = [0, 0] as const;

/** One number for three axes, or [depth, height, width]. */
export type Triple = number | readonly [number, number, number];

export interface Conv3dOptions {
  readonly strides?: Triple;
  readonly padding?: Padding;
  readonly dilation?: Triple;
  readonly groups?: number;
}

/**
 * Convolution over volumes [N,D,H,W,C] with a kernel [KD,KH,KW,C/groups,F] → [N,OD,OH,OW,F].
 * @throws DownhillError as groupedConv2d does.
 */
export function conv3d(x: Tensor, kernel: Tensor, options: Conv3dOptions = {}): Tensor {
  const known = ['groups', 'strides', 'padding', 'dilation'] as const;
  const { groups = 1, strides = 1, padding = 'valid', dilation = 1 } = checkOptions('conv3d', options, known);
  const [[stepD, ...step], [apartD, ...apart]] = [triple(strides), triple(dilation)];
  requireRank('conv3d', 'x', x, '[N,D,H,W,C]');
  requireRank('conv3d', 'kernel', kernel, '[KD,KH,KW,C/groups,F]');
  checkGroups('conv3d', x.shape, kernel.shape, groups);
  const [N, D, H, W, C] = x.shape;
  const [KD, KH, KW, , F] = kernel.shape;
  const part = C / groups;
  const along = { kernelSize: [KD, 1], strides: [stepD, 1], dilation: [apartD, 1], padding } as const;
  const windows = im2col(reshape(x, [N, D, 1, H * W * C]), along);
  const slabs = sizeOf(windows.shape) / (KD * H * W * C);
  const images = transpose(reshape(windows, [slabs, KD, H, W, groups, part]), [4, 0, 2, 3, 1, 5]);
  const kernels = transpose(reshape(kernel, [KD, KH, KW, part, groups, F / groups]), [4, 1, 2, 0, 3, 5]);
  const lead = groups === 1 ? [] : [groups];
  const planes = conv2d(
    reshape(images, [...lead, slabs, H, W, KD * part]),
    reshape(kernels, [...lead, KH, KW, KD * part, F / groups]),
    { strides: step as [number, number], dilation: apart as [number, number], padding },
  );
  const y = groups === 1 ? planes : joinGroups(planes);
  return reshape(y, [N, slabs / N, y.shape[1], y.shape[2], F]);
}

export interface Conv2dTransposeOptions extends Conv2dOptions {
  /** Elements added at the far end of each axis, less than the stride; null (the default) chooses as Keras does. */
  readonly outputPadding?: number | readonly [number, number] | null;
}

/**
 * Transposed convolution of [N,H,W,C] with a kernel [KH,KW,F,C] → [N,OH,OW,F]: the gradient of the convolution that
 * makes the small image of the large one. With Keras' sizes: `same` gives H · stride, `valid` (H − 1) · stride +
 * max(KH, stride); with outputPadding p, (H − 1) · stride + (KH mod 2, or KH when `valid`) + p.
 * @throws DownhillError `argument` for outputPadding that is not below the stride; `shape` for an empty output; as
 *   conv2d otherwise.
 */
export function conv2dTranspose(x: Tensor, kernel: Tensor, options: Conv2dTransposeOptions = {}): Tensor {
  const op = 'conv2dTranspose';
  const known = ['strides', 'padding', 'dilation', 'outputPadding'] as const;
  const { strides = 1, padding = 'valid', dilation = 1, outputPadding = null } = checkOptions(op, options, known);
  requireRank(op, 'x', x, '[N,H,W,C]');
  requireRank(op, 'kernel', kernel, '[KH,KW,F,C]');
  const more = outputPadding === null ? [null, null] : pair(outputPadding);
  const axes = ([0, 1] as const).map((k) => {
    const [size, stride] = [x.shape[1 + k], pair(strides)[k]];
    const extent = (kernel.shape[k] - 1) * pair(dilation)[k] + 1;
    return transposedAxis(size, extent, stride, padding, more[k]);
  });
  if (more.some((p, k) => p !== null && !(Number.isInteger(p) && p >= 0 && p < pair(strides)[k]))) {
    const found = `${JSON.stringify(more)} with strides ${formatShape(pair(strides))}`;
    throw new DownhillError(
      'argument',
      `${op}: outputPadding must be whole, at least 0, below the stride, got ${found}`,
    );
  }
  const [height, width] = axes;
  const [N, F] = [x.shape[0], kernel.shape[2]];
  if (height.size < 1 || width.size < 1) {
    const found = `[${N},${height.size},${width.size},${F}]`;
    throw new DownhillError('shape', `${op}: ${formatShape(x.shape)} would give ${found}; use a larger outputPadding`);
  }
  const window = { strides, dilation };
  if (axes.every(({ direct }) => direct)) {
    return conv2dInputGrad(x, kernel, { ...window, padding, inputShape: [N, height.size, width.size, F] });
  }
  const full = conv2dInputGrad(x, kernel, {
    ...window,
    padding: 'valid',
    inputShape: [N, height.full, width.full, F],
  });
  return slice(full, [0, height.crop, width.crop, 0], [N, height.size, width.size, F]);
}

/** One axis of a transposed convolution. */
interface TransposedAxis {
  readonly size: number;
  /** Whether a convolution of an axis of `size` has as many windows as there are elements. */
  readonly direct: boolean;
  /** Else: the size without padding, at least `crop + size`, and how much of it is cut off in front. */
  readonly full: number;
  readonly crop: number;
}

function transposedAxis(input: number, extent: number, stride: number, padding: Padding, more: number | null) {
  const span = (input - 1) * stride;
  if (padding === 'valid') {
    const size = span + (more === null ? Math.max(extent, stride) : extent + more);
    return { size, direct: true, full: size, crop: 0 } satisfies TransposedAxis;
  }
  const size = more === null ? input * stride : span + (extent % 2) + more;
  const crop = Math.max(Math.floor((span + extent - size) / 2), 0);
  const full = Math.max(span + extent, crop + size);
  return { size, direct: Math.ceil(size / stride) === input, full, crop } satisfies TransposedAxis;
}

/** [G,N,OH,OW,F/G] → [N,OH,OW,F]. */
function joinGroups(y: Tensor): Tensor {
  const [G, N, OH, OW, part] = y.shape;
  return reshape(transpose(y, [1, 2, 3, 0, 4]), [N, OH, OW, G * part]);
}

function checkGroups(op: string, x: Shape, kernel: Shape, groups: number): void {
  const [C, F, taken] = [x[x.length - 1], kernel[kernel.length - 1], kernel[kernel.length - 2]];
  if (!Number.isInteger(groups) || groups < 1 || C % groups !== 0 || F % groups !== 0) {
    const found = `${groups} groups of ${C} channels and ${F} filters`;
    throw new DownhillError('shape', `${op}: groups must divide channels and filters, got ${found}`);
  }
  if (taken * groups !== C) {
    const fit = formatShape([...kernel.slice(0, -2), C / groups, F]);
    throw new DownhillError(
      'shape',
      `${op}: channels differ: x ${formatShape(x)} has ${C}, kernel ${formatShape(kernel)} takes ${taken} in each of ` +
        `${groups} groups; a kernel that fits is ${fit}`,
    );
  }
}

function triple(value: Triple): readonly [number, number, number] {
  return typeof value === 'number' ? [value, value, value] : value;
}

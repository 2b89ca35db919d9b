/**
 * The shape rule of the three convolution ops: each infers the full picture (images, kernel, output, windows) from the
 * two of the three shapes that it is given. A leading axis on all of them, G, means G convolutions side by side.
 *
 * Invariant: all three end in `convolution`, so what conv2d accepts, its gradients accept, and nothing else.
 */

import type { Aval } from '../../core/tensor.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, type Shape, sameShape } from '../../util/shape.ts';
import { requireFloat, requireRank, requireShapeOption } from '../checks.ts';
import { type WindowAttrs, type WindowGeometry, windowGeometry } from './conv-geometry.ts';

export interface InputGradAttrs extends WindowAttrs {
  /** Shape [N,H,W,C] of the images that conv2d was given. */
  readonly inputShape: Shape;
}

export interface WeightGradAttrs extends WindowAttrs {
  /** Shape [KH,KW,C,F] of the kernel that conv2d was given. */
  readonly kernelShape: Shape;
}

/** One convolution: y = conv2d(x, kernel). */
export interface Convolution {
  readonly windows: WindowGeometry;
  /** G: convolutions side by side, 1 without the leading axis. */
  readonly groups: number;
  /** C, of the images. */
  readonly channels: number;
  /** F, of the output. */
  readonly filters: number;
  readonly x: Aval;
  readonly kernel: Aval;
  readonly y: Aval;
  /** Operations of a direct evaluation, padding included; the same for the two gradients. */
  readonly flops: number;
}

const IMAGE = '[N,H,W,C]';
const KERNEL = '[KH,KW,C,F]';
const OUTPUT = '[N,OH,OW,F]';

export function inferOutput(op: string, x: Aval, kernel: Aval, attrs: WindowAttrs): Convolution {
  requireFloat(op, ['x', 'kernel'], [x, kernel]);
  requireRank(op, 'x', x, layout(IMAGE, x, kernel));
  requireRank(op, 'kernel', kernel, layout(KERNEL, x, kernel));
  return convolution(op, x, kernel, attrs);
}

export function inferInputGrad(dy: Aval, kernel: Aval, attrs: InputGradAttrs): Convolution {
  const op = 'conv2dInputGrad';
  requireFloat(op, ['dy', 'kernel'], [dy, kernel]);
  requireRank(op, 'dy', dy, layout(OUTPUT, dy, kernel));
  requireRank(op, 'kernel', kernel, layout(KERNEL, dy, kernel));
  const images = requireShapeOption(op, 'inputShape', attrs.inputShape, layout(IMAGE, dy, kernel));
  const result = convolution(op, images, kernel, attrs);
  requireOutput(op, dy, result);
  return result;
}

export function inferWeightGrad(x: Aval, dy: Aval, attrs: WeightGradAttrs): Convolution {
  const op = 'conv2dWeightGrad';
  requireFloat(op, ['x', 'dy'], [x, dy]);
  requireRank(op, 'x', x, layout(IMAGE, x, dy));
  requireRank(op, 'dy', dy, layout(OUTPUT, x, dy));
  const kernel = requireShapeOption(op, 'kernelShape', attrs.kernelShape, layout(KERNEL, x, dy));
  const result = convolution(op, x, kernel, attrs);
  requireOutput(op, dy, result);
  return result;
}

/** `axes`, with the leading axis G when both operands have five. */
function layout(axes: string, { shape: a }: Aval, { shape: b }: Aval): string {
  return a.length === 5 && b.length === 5 ? axes.replace('[', '[G,') : axes;
}

function convolution(op: string, x: Aval, kernel: Aval, attrs: WindowAttrs): Convolution {
  const lead = x.shape.slice(0, -4);
  const [KH, KW, kernelChannels, F] = kernel.shape.slice(-4);
  const [N, , , C] = x.shape.slice(-4);
  if (!sameShape(lead, kernel.shape.slice(0, -4))) {
    throw new DownhillError(
      'shape',
      `${op}: ${lead[0]} images side by side ${formatShape(x.shape)} need as many kernels, found ${formatShape(kernel.shape)}`,
    );
  }
  if (kernelChannels !== C) {
    throw new DownhillError(
      'shape',
      `${op}: channels differ: images ${formatShape(x.shape)} have ${C}, kernel ${formatShape(kernel.shape)} takes ` +
        `${kernelChannels}; a kernel ${KERNEL} for these images is ${formatShape([...lead, KH, KW, C, F])}`,
    );
  }
  const windows = windowGeometry(op, x.shape.slice(-4), [KH, KW], attrs);
  const groups = lead[0] ?? 1;
  const y: Aval = { shape: [...lead, N, windows.height.output, windows.width.output, F], dtype: 'f32' };
  const flops = 2 * groups * N * windows.height.output * windows.width.output * KH * KW * C * F;
  return { windows, groups, channels: C, filters: F, x, kernel, y, flops };
}

function requireOutput(op: string, dy: Aval, { x, kernel, y }: Convolution): void {
  if (!sameShape(dy.shape, y.shape)) {
    throw new DownhillError(
      'shape',
      `${op}: dy is ${formatShape(dy.shape)}, but conv2d of ${formatShape(x.shape)} with kernel ` +
        `${formatShape(kernel.shape)} gives ${formatShape(y.shape)}`,
    );
  }
}

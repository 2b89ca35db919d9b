/**
 * Options and shape rule of the three depthwise ops: each infers the full picture (images, kernel, output, windows)
 * from the two operands that it is given, so what depthwiseConv2d accepts, its gradients accept, and nothing else.
 */

import type { Aval } from '../../core/tensor.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, type Shape, sameShape } from '../../util/shape.ts';
import { requireFloat, requireRank, requireShapeOption } from '../checks.ts';
import { type WindowAttrs, type WindowGeometry, windowGeometry } from './conv-geometry.ts';

export interface DepthwiseInputGradAttrs extends WindowAttrs {
  /** Shape [N,H,W,C] of the images that were convolved. */
  readonly inputShape: Shape;
}

export interface DepthwiseWeightGradAttrs extends WindowAttrs {
  /** [KH,KW]. */
  readonly kernelSize: readonly [number, number];
}

/** One depthwise convolution: y = depthwiseConv2d(x, kernel). */
export interface Depthwise {
  readonly windows: WindowGeometry;
  readonly kernelSize: readonly [number, number];
  /** Whether each image has a kernel of its own, [N,KH,KW,C,M]. */
  readonly perImage: boolean;
  /** M, filters of each channel. */
  readonly multiplier: number;
  /** C·M. */
  readonly outputs: number;
  readonly x: Aval;
  readonly kernel: Aval;
  readonly y: Aval;
}

const IMAGE = '[N,H,W,C]';
const KERNEL = '[KH,KW,C,M]';
const OUTPUT = '[N,OH,OW,C·M]';

export function inferDepthwise(op: string, x: Aval, kernel: Aval, attrs: WindowAttrs): Depthwise {
  requireFloat(op, ['x', 'kernel'], [x, kernel]);
  requireRank(op, 'x', x, IMAGE);
  requireRank(op, 'kernel', kernel, kernel.shape.length === 5 ? KERNEL.replace('[', '[N,') : KERNEL);
  const [KH, KW, taken, M] = kernel.shape.slice(-4);
  const [N, , , C] = x.shape;
  const perImage = kernel.shape.length === 5;
  if (taken !== C || (perImage && kernel.shape[0] !== N)) {
    const fit = [...(perImage ? [N] : []), KH, KW, C, M];
    throw new DownhillError(
      'shape',
      `${op}: kernel ${formatShape(kernel.shape)} does not fit images ${formatShape(x.shape)}, a kernel ${KERNEL} for ` +
        `their ${C} channels is ${formatShape(fit)}`,
    );
  }
  const windows = windowGeometry(op, x.shape, [KH, KW], attrs);
  const y: Aval = { shape: [N, windows.height.output, windows.width.output, C * M], dtype: 'f32' };
  return { windows, kernelSize: [KH, KW], perImage, multiplier: M, outputs: C * M, x, kernel, y };
}

export function inferDepthwiseInputGrad(dy: Aval, kernel: Aval, attrs: DepthwiseInputGradAttrs): Depthwise {
  const op = 'depthwiseConv2dInputGrad';
  requireFloat(op, ['dy'], [dy]);
  requireRank(op, 'dy', dy, OUTPUT);
  const x = requireShapeOption(op, 'inputShape', attrs.inputShape, IMAGE);
  return requireOutput(op, dy, inferDepthwise(op, x, kernel, attrs));
}

export function inferDepthwiseWeightGrad(x: Aval, dy: Aval, attrs: DepthwiseWeightGradAttrs): Depthwise {
  const op = 'depthwiseConv2dWeightGrad';
  requireFloat(op, ['x', 'dy'], [x, dy]);
  requireRank(op, 'x', x, IMAGE);
  requireRank(op, 'dy', dy, OUTPUT);
  if (!Array.isArray(attrs.kernelSize) || attrs.kernelSize.length !== 2) {
    throw new DownhillError('argument', `${op}: option kernelSize [KH,KW] is missing`);
  }
  const [N, , , C] = x.shape;
  const M = dy.shape[3] / C;
  if (!Number.isInteger(M)) {
    const found = `dy ${formatShape(dy.shape)} of images ${formatShape(x.shape)}`;
    throw new DownhillError('shape', `${op}: ${found} must have a multiple of their ${C} channels`);
  }
  const kernel: Aval = { shape: [N, ...attrs.kernelSize, C, M], dtype: 'f32' };
  return requireOutput(op, dy, inferDepthwise(op, x, kernel, attrs));
}

function requireOutput(op: string, dy: Aval, result: Depthwise): Depthwise {
  const { x, kernel, y } = result;
  if (sameShape(dy.shape, y.shape)) return result;
  throw new DownhillError(
    'shape',
    `${op}: dy is ${formatShape(dy.shape)}, but depthwiseConv2d of ${formatShape(x.shape)} with kernel ` +
      `${formatShape(kernel.shape)} gives ${formatShape(y.shape)}`,
  );
}

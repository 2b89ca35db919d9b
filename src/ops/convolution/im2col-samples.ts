/**
 * Calls that tests, benches and documentation make of im2col and col2im, from one table; then the calls that must be
 * refused.
 */

import type { Reject, Sample } from '../../core/op.ts';
import { type Shape, sizeOf } from '../../util/shape.ts';
import { type Col2imAttrs, type Im2colAttrs, type Pair, pair, windowGeometry } from './conv-geometry.ts';
import { options as windowOptions } from './window-samples.ts';

interface Case {
  readonly title: string;
  readonly x: Shape;
  readonly attrs: Im2colAttrs;
}

function options(kernelSize: Pair, ...window: Parameters<typeof windowOptions>): Im2colAttrs {
  return { kernelSize: pair(kernelSize), ...windowOptions(...window) };
}

const CASES: readonly Case[] = [
  { title: 'one element', x: [1, 1, 1, 1], attrs: options(1) },
  { title: 'valid, odd sizes', x: [2, 4, 5, 3], attrs: options([3, 2]) },
  { title: 'same', x: [2, 3, 4, 1], attrs: options(3, 1, 'same') },
  { title: 'strides differ, same', x: [1, 7, 5, 2], attrs: options(3, [2, 3], 'same') },
  { title: 'stride over the kernel size', x: [1, 7, 7, 1], attrs: options(2, 3) },
  { title: 'dilation 2', x: [1, 5, 6, 2], attrs: options(2, 1, 'valid', 2) },
];

const BENCH: Case = { title: 'bench', x: [16, 28, 28, 32], attrs: options(3, 1, 'same') };

export const im2colSamples: readonly Sample<Im2colAttrs>[] = CASES.map(im2colSample);
export const col2imSamples: readonly Sample<Col2imAttrs>[] = CASES.map(col2imSample);
export const im2colBench = { im2col: im2colSample(BENCH), col2im: col2imSample(BENCH) };

function im2colSample({ title, x, attrs }: Case): Sample<Im2colAttrs> {
  return { title, inputs: [{ shape: x }], attrs };
}

function col2imSample({ title, x, attrs }: Case): Sample<Col2imAttrs> {
  const { batch, height, width } = windowGeometry('im2col', x, attrs.kernelSize, attrs);
  const columns = [batch * height.output * width.output, sizeOf(attrs.kernelSize) * x[3]];
  return { title, inputs: [{ shape: columns }], attrs: { ...attrs, inputShape: x } };
}

export const im2colRejects: readonly Reject<Im2colAttrs>[] = [
  { title: 'rank 2', inputs: [{ shape: [4, 4] }], attrs: options(2), message: /^im2col: x needs 4 axes \[N,H,W,C\]/ },
  {
    title: 'kernel larger than the image',
    inputs: [{ shape: [1, 4, 4, 1] }],
    attrs: options([2, 5]),
    message: /^im2col: a window of width 5 does not fit/,
  },
];

export const col2imRejects: readonly Reject<Col2imAttrs>[] = [
  {
    title: 'columns of another image',
    inputs: [{ shape: [9, 4] }],
    attrs: { ...options(2), inputShape: [1, 5, 4, 1] },
    message: /^col2im: columns are \[9,4\], but im2col of \[1,5,4,1\] with kernelSize \[2,2\] gives \[12,4\]$/,
  },
  {
    title: 'no input shape',
    inputs: [{ shape: [9, 4] }],
    attrs: options(2) as Col2imAttrs,
    message: /^col2im: option inputShape \[N,H,W,C\] is missing$/,
  },
];

/**
 * WGSL for walking windows: the texts that convolution, im2col and pooling share. All expressions are i32 unless they
 * say otherwise; names (`image`, `oh`, `ih`, `kh` …) are those of the [N,H,W,C] image and its [N,OH,OW] windows.
 *
 * Invariant: sizes are literals because they divide, unless the caller says how to write them; the batch size is in no
 * text.
 */

import type { AxisGeometry, WindowGeometry } from './conv-geometry.ts';

/** Writes a size as an u32 expression. */
export type Size = (value: number) => string;

const literal: Size = (value) => `${value}u`;

/** [kh, kw] of the flat tap `tap`, as i32 expressions. */
export function tapOf(tap: string, width: AxisGeometry): [string, string] {
  return [`i32(${tap} / ${width.window}u)`, `i32(${tap} % ${width.window}u)`];
}

/** Input position of tap `t` of window `o`. */
export function position(o: string, t: string, { stride, dilation, before }: AxisGeometry): string {
  return `${o} * ${stride} + ${t} * ${dilation} - ${before}`;
}

/** Whether some tap of some window is off the image. */
export function isPadded({ input, window, output, stride, dilation, before }: AxisGeometry): boolean {
  return before > 0 || (output - 1) * stride + (window - 1) * dilation - before >= input;
}

/**
 * Condition: input position `at` is off the image; true of no tap unless the axis `isPadded`. As an u32 a negative
 * position is a large one; conditions are combined with `|`, since `||` is a branch.
 */
export function isOutside(at: string, { input }: AxisGeometry, size: Size = literal): string {
  return `(u32(${at}) >= ${size(input)})`;
}

/** Condition: `at`, a window position times the stride, belongs to no window. */
export function isNoWindow(at: string, { output, stride }: AxisGeometry, size: Size = literal): string {
  const between = stride > 1 ? ` | (u32(${at}) % ${stride}u != 0u)` : '';
  return `(u32(${at}) >= ${size(output * stride)})${between}`;
}

/** How many windows can cover one pixel. */
export function mostWindows({ height, width }: WindowGeometry): number {
  const along = ({ window, stride, output }: AxisGeometry): number => Math.min(output, Math.ceil(window / stride));
  return along(height) * along(width);
}

/** Statements that split the flat index `i` (u32) of an element [N,H,W,C] into `image`, `ih`, `iw` and the u32 `c`. */
export function splitPixel(i: string, { height, width, channels }: WindowGeometry): string {
  return splitIndex(i, ['image', 'ih', 'iw'], height.input, width.input, channels);
}

/**
 * Statements that split the flat index `i` (u32) of an element [N,OH,OW,C] into `image`, `oh`, `ow` and the u32 `c`.
 */
export function splitWindow(i: string, { height, width, channels }: WindowGeometry): string {
  return splitIndex(i, ['image', 'oh', 'ow'], height.output, width.output, channels);
}

/** u32 index of element (image, `ih`, `iw`, c). */
export function pixelIndex({ height, width, channels }: WindowGeometry, ih: string, iw: string): string {
  return `u32(((image * ${height.input} + ${ih}) * ${width.input} + ${iw}) * ${channels}) + c`;
}

/** u32 index of element (image, oh, ow, c). */
export function windowIndex({ height, width, channels }: WindowGeometry): string {
  return `u32(((image * ${height.output} + oh) * ${width.output} + ow) * ${channels}) + c`;
}

/** Runs `body` for every tap (kh, kw) of window (oh, ow) that is on the image, at (`ty`, `tx`), in row-major order. */
export function forTaps({ height, width }: WindowGeometry, body: string): string {
  return `for (var kh = 0; kh < ${height.window}; kh++) {
    let ty = ${position('oh', 'kh', height)};
    ${isPadded(height) ? `if (${isOutside('ty', height)}) { continue; }` : ''}
    for (var kw = 0; kw < ${width.window}; kw++) {
      let tx = ${position('ow', 'kw', width)};
      ${isPadded(width) ? `if (${isOutside('tx', width)}) { continue; }` : ''}
      ${body}
    }
  }`;
}

/** Runs `body` for every undilated window (oh, ow) that covers the pixel (ih, iw). */
export function forWindows({ height, width }: WindowGeometry, body: string): string {
  return `${loop('oh', 'ih', height)}
    ${loop('ow', 'iw', width)}
      ${body}
    }
  }`;
}

/**
 * Head of a loop over the windows of one axis that can cover input position `i`, from the last. The trip count is a
 * literal, so that compilers unroll it; candidates that do not cover the position are skipped.
 */
function loop(o: string, i: string, { before, window, stride, output }: AxisGeometry): string {
  const covers = [
    // As an u32 a negative window is a large one.
    `(u32(${o}) >= ${output}u)`,
    ...(window < stride || window % stride !== 0 ? [`(${i} + ${before} - ${o} * ${stride} >= ${window})`] : []),
  ];
  return `for (var ${o}_back = 0; ${o}_back < ${Math.ceil(window / stride)}; ${o}_back++) {
    let ${o} = (${i} + ${before}) / ${stride} - ${o}_back;
    if (${covers.join(' | ')}) { continue; }`;
}

function splitIndex(
  i: string,
  [image, y, x]: readonly [string, string, string],
  height: number,
  width: number,
  channels: number,
) {
  return `let c = ${i} % ${channels}u;
  let pixel = ${i} / ${channels}u;
  let ${x} = i32(pixel % ${width}u);
  let ${y} = i32(pixel / ${width}u % ${height}u);
  let ${image} = i32(pixel / ${width * height}u);`;
}

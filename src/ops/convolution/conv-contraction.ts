/**
 * The three convolutions as segmented contractions (core/lowering.ts): "implicit im2col", where the window matrix is an
 * address function, never a buffer. A segment is a run along which the address is affine, so the division that finds
 * the window is paid once a run and zero padding is a range [lo, hi), never a test per element.
 *
 * Invariant: no text contains the batch size. The other sizes go through `size`; window, stride, dilation and padding
 * are literals, since they are few in a network and decide what the text must do.
 * Source: Chetlur et al., "cuDNN: Efficient Primitives for Deep Learning" (2014), section 3.
 */

import type { Contraction, EmitContext } from '../../core/lowering.ts';
import type { AxisGeometry } from './conv-geometry.ts';
import type { Convolution } from './conv-shapes.ts';
import { isNoWindow, isOutside, isPadded, position, type Size, tapOf } from './window-wgsl.ts';

/** Rows (b, oh, ow) × filters; a segment is a kernel row, or one tap where dilation tears the row apart. */
export function outputContraction({ windows, groups, channels: C, filters: F }: Convolution): Contraction {
  const { batch: N, height, width } = windows;
  const byTap = width.dilation > 1 && width.window > 1;
  const inner = byTap ? C : width.window * C;
  const imagesSize = N * height.input * width.input * C;
  const [kh, kw] = byTap ? tapOf('s', width) : ['i32(s)', '0'];
  return {
    batch: groups,
    m: N * height.output * width.output,
    n: F,
    segments: byTap ? height.window * width.window : height.window,
    inner,
    aStep: 1,
    bStep: F,
    a: 0,
    b: 1,
    clipped: isPadded(height) || isPadded(width),
    way: ['output', height, width, groups, C, F],
    // The image's start and the window's upper left corner.
    row: (context) => `
      let columns = ${context.size(width.output)};
      let lines = ${context.size(height.output)};
      let line = m / columns;
      let ih = ${position('i32(line % lines)', '0', height)};
      let iw = ${position('i32(m % columns)', '0', width)};
      let image = i32(line / lines * ${context.size(height.input * width.input * C)});
      return vec3i(image${ofGroup(context, groups, imagesSize)}, ih, iw);`,
    segment: ({ size }) =>
      `return vec3i(i32(s * ${size(inner * F)}), ${kh} * ${height.dilation}, ${kw} * ${width.dilation});`,
    aRun: ({ size }) => {
      const outside = [...offImage('ih', height, size), ...(byTap ? offImage('iw', width, size) : [])];
      const whole = byTap || !isPadded(width);
      const [lo, hi] = whole
        ? ['0', 'inner']
        : ['max(0, -iw) * channels', `min(${width.window}, columns - iw) * channels`];
      return `
      let columns = i32(${size(width.input)});
      let channels = i32(${size(C)});
      let inner = ${byTap ? 1 : width.window} * channels;
      let ih = r.y + s.y;
      let iw = r.z + s.z;
      return ${runUnless(outside, 'r.x + (ih * columns + iw) * channels', lo, hi, 'inner')};`;
    },
    bBase: (context) => `return s.x + i32(n)${ofGroup(context, groups, height.window * width.window * C * F)};`,
  };
}

/** Smallest batch for which the invocations of one workgroup can share a pixel. */
const MIN_BATCH_BY_PIXEL = 16;

/** Rows (b, ih, iw) × channels; a segment is one tap: at most one window sees this pixel through it. */
export function inputGradContraction({ windows, groups, channels: C, filters: F }: Convolution): Contraction {
  const { batch: N, height, width } = windows;
  const [kh, kw] = tapOf('s', width);
  const pixels = height.input * width.input;
  // Where most taps of a pixel meet no window, invocations that share a pixel skip them together.
  const useful = (height.output * width.output) / pixels;
  const byPixel = N >= MIN_BATCH_BY_PIXEL && useful < 0.75;
  const outputSize = N * height.output * width.output * F;
  const pointwise = ({ window, stride, before }: AxisGeometry) => window === 1 && stride === 1 && before === 0;
  return {
    batch: groups,
    m: N * height.input * width.input,
    n: C,
    segments: height.window * width.window,
    inner: F,
    aStep: 1,
    bStep: 1,
    a: 0,
    b: 1,
    clipped: !(pointwise(height) && pointwise(width)),
    way: ['input gradient', height, width, groups, C, F, byPixel],
    row: (context) => `
      ${byPixel ? `let images = ${context.count(N)};\n      let image = m % images;\n      let pixel = m / images;` : `let pixels = ${context.size(pixels)};\n      let image = m / pixels;\n      let pixel = m % pixels;`}
      let columns = ${context.size(width.input)};
      let y = i32(pixel / columns) + ${height.before};
      let x = i32(pixel % columns) + ${width.before};
      let start = i32(image * ${context.size(height.output * width.output * F)});
      return vec3i(start${ofGroup(context, groups, outputSize)}, y, x);`,
    ...(byPixel && {
      outRow: ({ count, size }: EmitContext<unknown>) => {
        const images = count(N);
        return `return m % ${images} * ${size(pixels)} + m / ${images};`;
      },
    }),
    segment: ({ size }) =>
      `return vec3i(i32(s * ${size(C * F)}), ${kh} * ${height.dilation}, ${kw} * ${width.dilation});`,
    // y and x are the window's position times the stride.
    aRun: ({ size }) => {
      const base = `r.x + (y / ${height.stride} * i32(${size(width.output)}) + x / ${width.stride}) * filters`;
      return `
      let filters = i32(${size(F)});
      let y = r.y - s.y;
      let x = r.z - s.z;
      return ${runUnless([isNoWindow('y', height, size), isNoWindow('x', width, size)], base, '0', 'filters', 'filters')};`;
    },
    bBase: (context) =>
      `return s.x + i32(n * ${context.size(F)})${ofGroup(context, groups, height.window * width.window * C * F)};`,
  };
}

/** Rows (kh, kw, c) × filters; a segment is one output line (b, oh), its run the windows along that line. */
export function weightGradContraction({ windows, groups, channels: C, filters: F }: Convolution): Contraction {
  const { batch: N, height, width } = windows;
  const [kh, kw] = tapOf('tap', width);
  const imagesSize = N * height.input * width.input * C;
  const outputSize = N * height.output * width.output * F;
  return {
    batch: groups,
    m: height.window * width.window * C,
    n: F,
    segments: N * height.output,
    growing: true,
    inner: width.output,
    aStep: width.stride * C,
    bStep: F,
    a: 0,
    b: 1,
    clipped: isPadded(height) || isPadded(width),
    way: ['weight gradient', height, width, groups, C, F],
    // The channel, and where the tap is for the window at (0, 0).
    row: (context) => `
      let channels = ${context.size(C)};
      let tap = m / channels;
      let channel = i32(m % channels);
      return vec3i(channel${ofGroup(context, groups, imagesSize)}, ${position('0', kh, height)}, ${position('0', kw, width)});`,
    segment: ({ size }) => `
      let lines = ${size(height.output)};
      let image = i32(s / lines * ${size(height.input * width.input * C)});
      return vec3i(image, i32(s % lines) * ${height.stride}, i32(s * ${size(width.output * F)}));`,
    aRun: ({ size }) => {
      const base = `s.x + (ih * columns + iw) * i32(${size(C)}) + r.x`;
      const [lo, hi] = isPadded(width)
        ? [
            `(max(0, -iw) + ${width.stride - 1}) / ${width.stride}`,
            `min(inner, (columns - iw + ${width.stride - 1}) / ${width.stride})`,
          ]
        : ['0', 'inner'];
      return `
      let columns = i32(${size(width.input)});
      let inner = i32(${size(width.output)});
      let ih = r.y + s.y;
      let iw = r.z;
      let lo = ${lo};
      let hi = ${hi};
      return ${runUnless([...offImage('ih', height, size), ...(isPadded(width) ? ['(hi <= lo)'] : [])], base, 'lo', 'hi', 'inner')};`;
    },
    bBase: (context) => `return s.z + i32(n)${ofGroup(context, groups, outputSize)};`,
    // Every element of dy is in exactly one segment, so a row of ones gives the gradient of a bias.
    ...(groups === 1 && { summedAxesOfB: [0, 1, 2] }),
  };
}

/**
 * What is added to an address for convolution `product` of `groups` side by side, whose operands have `size` elements.
 */
function ofGroup({ count }: EmitContext<unknown>, groups: number, size: number): string {
  return groups === 1 ? '' : ` + i32(product * ${count(size)})`;
}

function offImage(name: string, axis: AxisGeometry, size: Size): string[] {
  return isPadded(axis) ? [isOutside(name, axis, size)] : [];
}

/**
 * The run [lo, hi), or one that is empty and does not lengthen its neighbours' (lo = inner, hi = 0) when a condition
 * holds. Without branches: a software adapter turns each into a mask that everything after it pays for.
 */
function runUnless(conditions: readonly string[], base: string, lo: string, hi: string, inner: string): string {
  if (conditions.length === 0) return `Run(${base}, ${lo}, ${hi})`;
  const skip = conditions.join(' | ');
  return `Run(${base}, select(${lo}, ${inner}, ${skip}), select(${hi}, 0, ${skip}))`;
}

/**
 * The three convolutions as segmented contractions (core/lowering.ts): "implicit im2col", where the window matrix is an
 * address function, never a buffer. A segment is a run along which the address is affine, so the division that finds
 * the window is paid once a run and zero padding is a range [lo, hi), never a test per element.
 *
 * Invariant: the batch size stands in no text; all other sizes are literals, because they divide.
 * Source: Chetlur et al., "cuDNN: Efficient Primitives for Deep Learning" (2014), section 3.
 */

import type { Contraction } from '../core/lowering.ts';
import type { AxisGeometry } from './conv-geometry.ts';
import type { Convolution } from './conv-shapes.ts';
import { isNoWindow, isOutside, isPadded, position, tapOf } from './window-wgsl.ts';

/** Rows (b, oh, ow) × filters; a segment is a kernel row, or one tap where dilation tears the row apart. */
export function outputContraction({ windows, channels: C, filters: F, y }: Convolution): Contraction {
  const { batch: N, height, width } = windows;
  const byTap = width.dilation > 1 && width.window > 1;
  const inner = byTap ? C : width.window * C;
  const [kh, kw] = byTap ? tapOf('seg', width) : ['i32(seg)', '0'];
  return {
    batch: 1,
    m: N * height.output * width.output,
    n: F,
    segments: byTap ? height.window * width.window : height.window,
    inner,
    aStep: 1,
    bStep: F,
    a: 0,
    b: 1,
    aRow: () => `
      let line = m / ${width.output}u;
      let image = i32(line / ${height.output}u);
      let ih = ${position(`i32(line % ${height.output}u)`, kh, height)};
      let iw = ${position(`i32(m % ${width.output}u)`, kw, width)};
      ${skipUnlessInside('ih', height)}
      ${byTap ? skipUnlessInside('iw', width) : ''}
      let base = ((image * ${height.input} + ih) * ${width.input} + iw) * ${C};
      ${
        byTap || !isPadded(width)
          ? `return Row(base, 0, ${inner});`
          : `return Row(base, max(0, -iw) * ${C}, min(${width.window}, ${width.input} - iw) * ${C});`
      }`,
    bCol: () => `return i32(seg * ${inner * y.shape[3]}u + n);`,
  };
}

/** Rows (b, ih, iw) × channels; a segment is one tap: at most one window sees this pixel through it. */
export function inputGradContraction({ windows, channels: C, filters: F }: Convolution): Contraction {
  const { batch: N, height, width } = windows;
  const [kh, kw] = tapOf('seg', width);
  return {
    batch: 1,
    m: N * height.input * width.input,
    n: C,
    segments: height.window * width.window,
    inner: F,
    aStep: 1,
    bStep: 1,
    a: 0,
    b: 1,
    // y and x are the window's position times the stride.
    aRow: () => `
      let line = m / ${width.input}u;
      let image = i32(line / ${height.input}u);
      let y = i32(line % ${height.input}u) + ${height.before} - ${kh} * ${height.dilation};
      let x = i32(m % ${width.input}u) + ${width.before} - ${kw} * ${width.dilation};
      if (${isNoWindow('y', height)} || ${isNoWindow('x', width)}) { return Row(0, 0, 0); }
      let window = (image * ${height.output} + y / ${height.stride}) * ${width.output} + x / ${width.stride};
      return Row(window * ${F}, 0, ${F});`,
    bCol: () => `return i32((seg * ${C}u + n) * ${F}u);`,
  };
}

/** Rows (kh, kw, c) × filters; a segment is one output line (b, oh), its run the windows along that line. */
export function weightGradContraction({ windows, channels: C, filters: F }: Convolution): Contraction {
  const { batch: N, height, width } = windows;
  const [kh, kw] = tapOf(`(m / ${C}u)`, width);
  return {
    batch: 1,
    m: height.window * width.window * C,
    n: F,
    segments: N * height.output,
    inner: width.output,
    aStep: width.stride * C,
    bStep: F,
    a: 0,
    b: 1,
    aRow: () => `
      let image = i32(seg / ${height.output}u);
      let ih = ${position(`i32(seg % ${height.output}u)`, kh, height)};
      let iw = ${position('0', kw, width)};
      ${skipUnlessInside('ih', height)}
      let base = ((image * ${height.input} + ih) * ${width.input} + iw) * ${C} + i32(m % ${C}u);
      ${
        isPadded(width)
          ? `let lo = (max(0, -iw) + ${width.stride - 1}) / ${width.stride};
      let hi = min(${width.output}, (${width.input} - iw + ${width.stride - 1}) / ${width.stride});
      if (hi <= lo) { return Row(0, 0, 0); }
      return Row(base, lo, hi);`
          : `return Row(base, 0, ${width.output});`
      }`,
    bCol: () => `return i32(seg * ${width.output * F}u + n);`,
    // Every element of dy is in exactly one segment, so a row of ones gives the gradient of a bias.
    summedAxesOfB: [0, 1, 2],
  };
}

function skipUnlessInside(name: string, axis: AxisGeometry): string {
  return isPadded(axis) ? `if (${isOutside(name, axis)}) { return Row(0, 0, 0); }` : '';
}

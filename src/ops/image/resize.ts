/**
 * Bilinear resizing of images and its adjoint.
 *
 * Pixel centres are at half-integers and positions off the image are moved to its edge, as in Keras 3 ops.image.resize
 * and UpSampling2D; nothing is smoothed when the image shrinks. Along one axis the position of output o on the input is
 * ((2o + 1)·I − O) / 2O, clamped to [0, I − 1]; numerator and denominator are whole numbers, so the weights are exact
 * to one division and the adjoint uses the very same ones.
 * Invariant: resizeBilinear is linear and resizeBilinearGrad its adjoint, so each is the gradient of the other.
 */

import { defineOp, type Op } from '../../core/op.ts';
import type { Aval, Tensor } from '../../core/tensor.ts';
import { checkOptions } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, type Shape, sameShape, sizeOf } from '../../util/shape.ts';
import { requireFloat, requireRank, requireShapeOption } from '../checks.ts';
import { inDouble } from '../in-double.ts';
import { termSum } from '../reduction/term-sum.ts';

interface ResizeAttrs {
  /** [OH,OW] */
  readonly size: readonly [number, number];
}

interface ResizeGradAttrs {
  readonly inputShape: Shape;
}

type Resize = (x: Tensor, options: ResizeAttrs) => Tensor;
type ResizeGrad = (dy: Tensor, options: ResizeGradAttrs) => Tensor;

const tolerance = { relative: 1e-5, source: 'a sum of a few products with weights of one division (2.5 ulp, WGSL)' };

/**
 * Images [N,H,W,C] resized to `size` [OH,OW] by linear interpolation along both axes → [N,OH,OW,C], f32.
 * @throws DownhillError `shape`, `argument` or `dtype`.
 */
export const resizeBilinear: Resize & Op<ResizeAttrs> = defineOp<ResizeAttrs, Resize>(
  {
    name: 'resizeBilinear',
    doc:
      'Images [N,H,W,C] resized to size [OH,OW] by linear interpolation along both axes, pixel centres at half-integers, ' +
      'edges repeated → [N,OH,OW,C].',
    infer([x], { size }) {
      checkImages('resizeBilinear', x);
      if (!Array.isArray(size) || size.length !== 2 || size.some((s) => !Number.isInteger(s) || s < 1)) {
        const found = JSON.stringify(size);
        throw new DownhillError('argument', `resizeBilinear: size must be two whole numbers ≥ 1 [OH,OW], got ${found}`);
      }
      return { shape: [x.shape[0], ...size, x.shape[3]], dtype: 'f32' };
    },
    cpu: inDouble(([x], output, { size }) => {
      forEachWeight(x.shape, size, (from, to, weight, C) => {
        for (let c = 0; c < C; c++) output.data[to * C + c] += weight * x.data[from * C + c];
      });
    }),
    vjp: (dy, [x]) => [resizeBilinearGrad(dy, { inputShape: x.shape })],
    lower: {
      kind: 'index',
      cost: 'materialize',
      wgsl({ i, inputs: [x], attrs: { size }, load }) {
        const [, H, W, C] = x.shape;
        const [OH, OW] = size;
        const at = (y: string, x: string): string => load(0, `((image * ${H}u + ${y}) * ${W}u + ${x}) * ${C}u + c`);
        return `
          let c = ${i} % ${C}u;
          let at = ${i} / ${C}u;
          let image = at / ${OH * OW}u;
          ${cornersWgsl('y', `at / ${OW}u % ${OH}u`, H, OH)}
          ${cornersWgsl('x', `at % ${OW}u`, W, OW)}
          let top = ${between(at('y0', 'x0'), at('y0', 'x1'), 'xt')};
          let bottom = ${between(at('y1', 'x0'), at('y1', 'x1'), 'xt')};
          return ${between('top', 'bottom', 'yt')};`;
      },
    },
    samples: [
      sample([1, 1, 1, 1], [3, 2]),
      sample([2, 3, 2, 3], [6, 4]),
      sample([1, 2, 3, 2], [6, 9]),
      sample([1, 3, 4, 1], [7, 5]),
      { title: 'smaller', ...sample([2, 7, 5, 2], [3, 2]) },
      { title: 'the same size', ...sample([1, 3, 4, 2], [3, 4]) },
    ],
    rejects: [
      {
        title: 'rank 3',
        inputs: [{ shape: [4, 4, 1] }],
        attrs: { size: [8, 8] },
        message: /^resizeBilinear: x needs 4 axes \[N,H,W,C\]/,
      },
      {
        title: 'an empty size',
        inputs: [{ shape: [1, 4, 4, 1] }],
        attrs: { size: [0, 8] },
        message: /^resizeBilinear: size must be two whole numbers ≥ 1 \[OH,OW\], got \[0,8\]/,
      },
    ],
    tolerance,
    bench: { flops: (_inputs, y) => 6 * sizeOf(y.shape), sample: sample([16, 28, 28, 32], [56, 56]) },
  },
  (apply) => (x, options) => apply([x], { size: checkOptions('resizeBilinear', options, ['size'], ['size']).size }),
);

/**
 * Adjoint of resizeBilinear: dy [N,OH,OW,C] → `inputShape` [N,H,W,C]; each pixel asks the outputs that read it.
 * @throws DownhillError `shape`, `argument` or `dtype`.
 */
export const resizeBilinearGrad: ResizeGrad & Op<ResizeGradAttrs> = defineOp<ResizeGradAttrs, ResizeGrad>(
  {
    name: 'resizeBilinearGrad',
    doc: 'Adjoint of resizeBilinear: dy [N,OH,OW,C] → inputShape [N,H,W,C], each pixel the weighted sum of its readers.',
    infer([dy], { inputShape }) {
      const x = requireShapeOption('resizeBilinearGrad', 'inputShape', inputShape, '[N,H,W,C]');
      requireFloat('resizeBilinearGrad', ['dy'], [dy]);
      requireRank('resizeBilinearGrad', 'dy', dy, '[N,OH,OW,C]');
      const fit = [x.shape[0], dy.shape[1], dy.shape[2], x.shape[3]];
      if (!sameShape(dy.shape, fit)) {
        const found = `${formatShape(dy.shape)}, for inputShape ${formatShape(inputShape)}`;
        throw new DownhillError('shape', `resizeBilinearGrad: dy is ${found} it must be ${formatShape(fit)}`);
      }
      checkImages('resizeBilinearGrad', x);
      return { shape: inputShape, dtype: 'f32' };
    },
    cpu: inDouble(([dy], dx, { inputShape }) => {
      forEachWeight(inputShape, [dy.shape[1], dy.shape[2]], (to, from, weight, C) => {
        for (let c = 0; c < C; c++) dx.data[to * C + c] += weight * dy.data[from * C + c];
      });
    }),
    vjp: (g, [dy]) => [resizeBilinear(g, { size: [dy.shape[1], dy.shape[2]] })],
    lower: {
      kind: 'index',
      cost: 'materialize',
      wgsl({ i, inputs: [dy], attrs: { inputShape }, load, use }) {
        const [, H, W, C] = inputShape;
        const [, OH, OW] = dy.shape;
        // A pixel has a weight in what is up to one pixel beside it.
        const terms = termSum((Math.ceil((2 * OH) / H) + 1) * (Math.ceil((2 * OW) / W) + 1), use);
        return `
          let c = ${i} % ${C}u;
          let pixel = ${i} / ${C}u;
          let image = pixel / ${H * W}u;
          let iy = i32(pixel / ${W}u % ${H}u);
          let ix = i32(pixel % ${W}u);
          ${terms.begin}
          ${readersWgsl('y', 'iy', H, OH)}
            ${readersWgsl('x', 'ix', W, OW)}
              ${terms.add(`yw * xw * ${load(0, `((image * ${OH}u + u32(oy)) * ${OW}u + u32(ox)) * ${C}u + c`)}`)}
            }
          }
          return ${terms.value};`;
      },
    },
    samples: [
      gradSample([1, 1, 1, 1], [3, 2]),
      gradSample([2, 3, 2, 3], [6, 4]),
      gradSample([1, 2, 3, 2], [6, 9]),
      gradSample([1, 3, 4, 1], [7, 5]),
      { title: 'smaller', ...gradSample([2, 7, 5, 2], [3, 2]) },
    ],
    rejects: [
      {
        title: 'dy of other channels',
        inputs: [{ shape: [1, 4, 4, 3] }],
        attrs: { inputShape: [1, 2, 2, 1] },
        message: /^resizeBilinearGrad: dy is \[1,4,4,3\], for inputShape \[1,2,2,1\] it must be \[1,4,4,1\]$/,
      },
    ],
    tolerance,
    bench: { flops: ([dy]) => 8 * sizeOf(dy.shape), sample: gradSample([16, 28, 28, 32], [56, 56]) },
  },
  (apply) => (dy, options) => {
    const { inputShape } = checkOptions('resizeBilinearGrad', options, ['inputShape'], ['inputShape']);
    return apply([dy], { inputShape });
  },
);

/** The records of this family, for `ops/index.ts`. */
export const resizeOps: readonly Op[] = [resizeBilinear, resizeBilinearGrad];

function sample(x: Shape, size: readonly [number, number]) {
  return { inputs: [{ shape: x }], attrs: { size } };
}

function gradSample([N, H, W, C]: Shape, [OH, OW]: readonly [number, number]) {
  return { inputs: [{ shape: [N, OH, OW, C] }], attrs: { inputShape: [N, H, W, C] } };
}

function checkImages(op: string, x: Aval): void {
  requireFloat(op, ['x'], [x]);
  requireRank(op, 'x', x, '[N,H,W,C]');
  if (x.shape[1] > 0 && x.shape[2] > 0) return;
  throw new DownhillError('shape', `${op}: images ${formatShape(x.shape)} have no pixels to interpolate`);
}

/** Visits flat positions `input` in [N,H,W] and `output` in [N,OH,OW] with the weight of the one in the other. */
function forEachWeight(
  [N, H, W, C]: Shape,
  [OH, OW]: readonly [number, number],
  visit: (input: number, output: number, weight: number, channels: number) => void,
): void {
  for (let n = 0; n < N; n++) {
    for (let oy = 0; oy < OH; oy++) {
      for (const [y, yw] of corners(oy, H, OH)) {
        for (let ox = 0; ox < OW; ox++) {
          for (const [x, xw] of corners(ox, W, OW)) visit((n * H + y) * W + x, (n * OH + oy) * OW + ox, yw * xw, C);
        }
      }
    }
  }
}

/** The input elements that output `o` of one axis reads, with their weights. */
function corners(o: number, I: number, O: number): [number, number][] {
  const at = Math.min(Math.max((2 * o + 1) * I - O, 0), 2 * O * (I - 1));
  const first = Math.floor(at / (2 * O));
  const share = (at - first * 2 * O) / (2 * O);
  return share === 0 ? [[first, 1]] : [[first, 1 - share], [first + 1, share]]; // biome-ignore format: one line
}

/**
 * Statements that leave the u32 `${a}0`, `${a}1` and the f32 `${a}t`: the two elements read, and the share of the
 * second.
 */
function cornersWgsl(a: string, o: string, I: number, O: number): string {
  return `let ${a}_at = u32(clamp((2 * i32(${o}) + 1) * ${I} - ${O}, 0, ${2 * O * (I - 1)}));
    let ${a}0 = ${a}_at / ${2 * O}u;
    let ${a}1 = min(${a}0 + 1u, ${I - 1}u);
    let ${a}t = f32(${a}_at % ${2 * O}u) / ${2 * O}.0;`;
}

/** The value at share `t` between `a` and `b`; what has no share is not read, were it infinite or NaN. */
function between(a: string, b: string, t: string): string {
  return `select(${a} * (1.0 - ${t}) + ${b} * ${t}, ${a}, ${t} == 0.0)`;
}

/** Head of a loop over the outputs `o${a}` of one axis that read element `i`, with the f32 weight `${a}w`. */
function readersWgsl(a: string, i: string, I: number, O: number): string {
  return `let ${a}_end = min(${O}, ((2 * ${i} + 3) * ${O} + ${2 * I - 1}) / ${2 * I});
    for (var o${a} = max(0, (2 * ${i} - 1) * ${O} / ${2 * I} - 1); o${a} < ${a}_end; o${a}++) {
      let ${a}_at = clamp((2 * o${a} + 1) * ${I} - ${O}, 0, ${2 * O * (I - 1)});
      let ${a}w = f32(max(0, ${2 * O} - abs(${a}_at - ${2 * O} * ${i}))) / ${2 * O}.0;
      if (${a}w == 0.0) { continue; }`;
}

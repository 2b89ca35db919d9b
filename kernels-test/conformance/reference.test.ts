/**
 * What every op record must hold without a device: its samples are accepted and give the inferred shape, its rejects are
 * refused with their messages, its gradient and the gradient of that agree with finite differences in f64, a composite
 * equals its expansion.
 */

import { describe, expect, test as testOfBoth } from 'vitest';
import { isFloat } from '../../src/core/dtype.ts';
import { applyOp, type Op, type Sample } from '../../src/core/op.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { mul } from '../../src/ops/elementwise/binary.ts';
import { allOps } from '../../src/ops/index.ts';
import { pack } from '../../src/ops/layout/concat.ts';
import { gradients } from '../../src/transform/grad.ts';
import { DownhillError } from '../../src/util/errors.ts';
import { sizeOf } from '../../src/util/shape.ts';
import { bindPlaceholders, evaluate, runReference } from '../support/evaluate.ts';
import { checkGradients, checkVjp, type GradientError } from '../support/gradcheck.ts';
import { byPart, LONG, shortTest as test } from '../support/part.ts';
import { avalOf, drawCotangent, drawSample, isFiniteSample } from '../support/sample-values.ts';

/** The bound of the issue: relative error of a gradient in f64. */
const GRADIENT_TOLERANCE = 1e-6;

/** Finite differences along an axis of a hundred thousand elements take seconds. */
const isLong = (sample: Sample): boolean => sample.inputs.some(({ shape = [] }) => Math.max(0, ...shape) > 600);

const rows = allOps.map((op) => [op.name, op] as const);
const withLongSamples = rows.filter(([, op]) => op.samples.some(isLong));

test('names are unique', () => {
  const names = allOps.map((op) => op.name);
  expect(names.filter((name, k) => names.indexOf(name) !== k)).toEqual([]);
});

describe.each(byPart(rows, withLongSamples))('%s', (name, op) => {
  test('documents itself and has samples', () => {
    expect(op.doc.length).toBeGreaterThan(10);
    expect(op.tolerance.source).not.toBe('');
    expect(op.samples.length).toBeGreaterThan(0);
    const { sample, flops } = op.bench;
    const inputs = sample.inputs.map(avalOf);
    expect(flops(inputs, op.infer(inputs, sample.attrs), sample.attrs)).toBeGreaterThanOrEqual(0);
  });

  testOfBoth.each(titled(op.samples.filter((sample) => isLong(sample) === LONG)))('sample %s', (_title, sample) => {
    const inputs = drawSample(sample);
    const before = inputs.map(({ data }) => data.slice());
    const output = runReference(op, inputs, sample.attrs);
    expect(output.data.length).toBe(sizeOf(output.shape));
    expect(inputs.map(({ data }) => data)).toEqual(before);
    // Small: the tests of a device run them all. One long axis shows that errors do not grow with the length.
    const sizes = [...inputs.flatMap(({ shape }) => shape), ...output.shape];
    if (isLong(sample)) expect(Math.max(...inputs.map(({ shape }) => sizeOf(shape)))).toBeLessThanOrEqual(200_000);
    else expect(Math.max(0, ...sizes)).toBeLessThanOrEqual(600);
    if (op.expand !== undefined) expect(differenceFromExpansion(op, sample)).toBeLessThanOrEqual(1e-12);
    if (op.vjp !== null && isFiniteSample(sample)) {
      const { error, worst } = checkVjp(op, sample, { nullIsZero: sample.title !== 'ties' });
      expect(error, worst).toBeLessThanOrEqual(GRADIENT_TOLERANCE);
    }
  });

  const { vjp } = op;
  if (vjp !== null) {
    test('a gradient that is off by a ten-thousandth, or missing, is found', () => {
      for (const position of differentiablePositions(op)) {
        for (const spoil of [(gradient: Tensor) => mul(gradient, 1.0001), () => null]) {
          const spoiled: Op = {
            ...op,
            vjp: (...args) => vjp(...args).map((g, k) => (k === position && g !== null ? spoil(g) : g)),
          };
          const found = op.samples.filter(isFiniteSample).some((sample) => {
            return checkVjp(spoiled, sample, { elements: 6 }).error > GRADIENT_TOLERANCE;
          });
          expect(found, `input ${position}`).toBe(true);
        }
      }
    });
  }

  if (op.vjp !== null) {
    // The samples that the check of first derivatives takes longest over would take its square here.
    const small = op.samples.filter((sample) => sample.inputs.every(({ shape }) => sizeOf(shape) <= 100));
    const differentiable = small.filter(isFiniteSample).slice(0, 3);
    test.each(titled(differentiable))('gradient of the gradient, %s', (_title, sample) => {
      const { error, worst } = checkSecondDerivative(op, sample);
      expect(error, worst).toBeLessThanOrEqual(GRADIENT_TOLERANCE);
    });
  }

  test.each(op.rejects.map((reject) => [reject.title, reject] as const))('refuses: %s', (_title, reject) => {
    const { tensors } = bindPlaceholders(drawSample(reject));
    let thrown: unknown;
    try {
      applyOp(op, tensors, reject.attrs);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(DownhillError);
    expect((thrown as DownhillError).message).toMatch(reject.message);
    expect((thrown as DownhillError).message.startsWith(`${name}: `)).toBe(true);
  });
});

/** Samples with titles; shapes and attributes stand in for a missing one. */
function titled(samples: readonly Sample[]): (readonly [string, Sample])[] {
  return samples.map((sample) => {
    const inputs = sample.inputs.map(({ shape, dtype = 'f32' }) => `${dtype}[${shape}]`).join(' ');
    const shapes = `${inputs} ${JSON.stringify(sample.attrs)}`;
    return [sample.title === undefined ? shapes : `${sample.title}: ${shapes}`, sample];
  });
}

/** Positions of inputs for which the vjp gives a gradient on some sample. */
function differentiablePositions(op: Op): number[] {
  const positions = new Set<number>();
  for (const sample of op.samples.filter(isFiniteSample)) {
    const { tensors } = bindPlaceholders(drawSample(sample));
    const output = applyOp(op, tensors, sample.attrs);
    if (!isFloat(output.dtype)) continue;
    const [dy] = bindPlaceholders([drawCotangent(output.shape, 1)]).tensors;
    op.vjp?.(dy, tensors, output, sample.attrs).forEach((gradient, position) => {
      if (gradient !== null && isFloat(tensors[position].dtype)) positions.add(position);
    });
  }
  return [...positions];
}

/** Checks the gradient of op's gradient, along a fixed cotangent, with respect to the inputs and that cotangent. */
function checkSecondDerivative(op: Op, sample: Sample): GradientError {
  const { tensors, bindings } = bindPlaceholders(drawSample(sample));
  const output = applyOp(op, tensors, sample.attrs);
  const floats = tensors.filter(({ dtype }, k) => isFloat(dtype) && !op.nonDifferentiableInputs?.includes(k));
  if (!isFloat(output.dtype) || floats.length === 0) return { error: 0, compared: 0, worst: '' };
  const {
    tensors: [dy],
    bindings: cotangent,
  } = bindPlaceholders([drawCotangent(output.shape, 3)]);
  const flat = pack(gradients(output, floats, dy));
  const wrt = [...floats, dy];
  const values = new Map([...bindings, ...cotangent]);
  return checkGradients(flat, wrt, values, (dz) => gradients(flat, wrt, dz), { elements: 6 });
}

/** Largest error between the reference of a composite and its expansion, relative to max(1, |reference|). */
function differenceFromExpansion(op: Op, sample: Sample): number {
  const { tensors, bindings } = bindPlaceholders(drawSample(sample));
  const expanded = evaluate(op.expand?.(tensors, sample.attrs) as Tensor, { bindings });
  const direct = evaluate(applyOp(op, tensors, sample.attrs), { bindings });
  expect(expanded.shape).toEqual(direct.shape);
  expect(expanded.dtype).toBe(direct.dtype);
  let worst = 0;
  for (let i = 0; i < direct.data.length; i++) {
    const [a, b] = [expanded.data[i], direct.data[i]];
    if (Object.is(a, b) || (Number.isNaN(a) && Number.isNaN(b))) continue;
    worst = Math.max(worst, Math.abs(a - b) / Math.max(1, Math.abs(b)));
    if (Number.isNaN(a) !== Number.isNaN(b)) worst = Number.POSITIVE_INFINITY;
  }
  return worst;
}

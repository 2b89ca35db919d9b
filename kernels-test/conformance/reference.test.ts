/**
 * What every op record must hold without a device: its samples are accepted and give the inferred shape, its rejects are
 * refused with their messages, its gradient agrees with finite differences in f64, a composite equals its expansion, the
 * reference in f32 stays within the tolerance that the record claims for a GPU.
 */

import { describe, expect, test } from 'vitest';
import { applyOp, type Op, type Sample } from '../../src/core/op.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { allOps } from '../../src/ops/index.ts';
import { DownhillError } from '../../src/util/errors.ts';
import { sizeOf } from '../../src/util/shape.ts';
import { bindPlaceholders, evaluate, runReference } from '../support/evaluate.ts';
import { checkVjp } from '../support/gradcheck.ts';
import { avalOf, drawSample, isFiniteSample } from '../support/sample-values.ts';

/** The bound of the issue: relative error of a gradient in f64. */
const GRADIENT_TOLERANCE = 1e-6;

const rows = allOps.map((op) => [op.name, op] as const);

test('names are unique', () => {
  const names = allOps.map((op) => op.name);
  expect(names.filter((name, k) => names.indexOf(name) !== k)).toEqual([]);
});

describe.each(rows)('%s', (name, op) => {
  test('documents itself and has samples', () => {
    expect(op.doc.length).toBeGreaterThan(10);
    expect(op.tolerance.source).not.toBe('');
    expect(op.samples.length).toBeGreaterThan(0);
    const { sample, flops } = op.bench;
    const inputs = sample.inputs.map(avalOf);
    expect(flops(inputs, op.infer(inputs, sample.attrs), sample.attrs)).toBeGreaterThanOrEqual(0);
  });

  test.each(titled(op.samples))('sample %s', (_title, sample) => {
    const inputs = drawSample(sample);
    const before = inputs.map(({ data }) => data.slice());
    const output = runReference(op, inputs, sample.attrs);
    expect(output.data.length).toBe(sizeOf(output.shape));
    expect(inputs.map(({ data }) => data)).toEqual(before);
    // Small: the tests of a device run them all.
    for (const size of [...inputs.flatMap(({ shape }) => shape), ...output.shape])
      expect(size).toBeLessThanOrEqual(600);
    if (op.expand !== undefined) expect(differenceFromExpansion(op, sample)).toBeLessThanOrEqual(1e-12);
    if (op.vjp !== null && isFiniteSample(sample)) {
      const { error, worst } = checkVjp(op, sample);
      expect(error, worst).toBeLessThanOrEqual(GRADIENT_TOLERANCE);
    }
  });

  if (op.vjp !== null) {
    test('some sample checks the gradient, if there is anything to differentiate', () => {
      const differentiable = op.samples.filter((sample) => {
        const inputs = sample.inputs.map(avalOf);
        return inputs.some(({ dtype }) => dtype === 'f32') && op.infer(inputs, sample.attrs).dtype === 'f32';
      });
      const compared = differentiable.filter(isFiniteSample).map((sample) => checkVjp(op, sample).compared);
      if (differentiable.length > 0) expect(Math.max(...compared)).toBeGreaterThan(0);
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

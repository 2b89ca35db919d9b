/**
 * Layers against Keras 3: every golden/nn/*-layers.json, forward and backward, on the CPU backend and on WebGPU.
 *
 * A new family of layers adds a file of cases (golden/make/layer_cases.py writes them) and nothing here. Bounds are the
 * issue's: 1e-5 forward, 1e-4 for gradients, relative to the largest value of the tensor.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import { Tensor } from '../../src/core/tensor.ts';
import type { CallContext, LayerConfig } from '../../src/nn/layer.ts';
import { makeLayer } from '../../src/nn/layers/index.ts';
import { add, mul } from '../../src/ops/elementwise/binary.ts';
import { sum } from '../../src/ops/reduction/reduce.ts';
import { evaluate, setBackend } from '../../src/runtime/index.ts';
import { gradients } from '../../src/transform/grad.ts';

type Nested = number | readonly Nested[];

/** What Keras gave for one layer and one batch. */
interface Case {
  /** downhill's class name. */
  readonly name: string;
  readonly config: LayerConfig;
  /** One input, or several in `xs` (then `dxs` belongs to them). */
  readonly x?: Nested;
  readonly xs?: readonly Nested[];
  readonly training?: boolean;
  /** In the order of the layer's build. */
  readonly weights: readonly { readonly name?: string; readonly values: Nested }[];
  readonly output: Nested;
  /** Cotangent of the output. */
  readonly dy: Nested;
  readonly dx?: Nested;
  readonly dxs?: readonly (Nested | null)[];
  /** One for each weight; null for those that training does not change. */
  readonly dweights: readonly (Nested | null)[];
  /** What the layer adds to the loss; its gradient is part of `dx`. */
  readonly penalty?: Nested;
  /** What the layer's non-trainable weights hold after the step, by name: moving averages. */
  readonly assigned?: Readonly<Record<string, Nested>>;
}

const folder = new URL('../golden/nn/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('-layers.json'));
const backends = new Map<string, Backend>();

beforeAll(async () => {
  backends.set('cpu', createCpuBackend());
  backends.set('webgpu', await createNodeWebGPUBackend());
});
afterAll(async () => {
  setBackend(undefined);
  for (const backend of backends.values()) await backend.dispose();
});

test('there are golden files', () => expect(files).toContain('conv-layers.json'));

describe.each(files)('%s', (file) => {
  const cases: readonly Case[] = JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
  test.each(cases.map((c) => [c.name, c.config, c] as const))('%s %j', async (_name, _config, golden) => {
    for (const [backend, instance] of backends) {
      setBackend(instance);
      for (const { what, found, expected, bound } of await compare(golden)) {
        expect(found.shape, `${what} on ${backend}`).toEqual(shapeOf(expected));
        expect(relativeError(await found.data(), flat(expected)), `${what} on ${backend}`).toBeLessThan(bound);
      }
    }
  });
});

interface Comparison {
  readonly what: string;
  readonly found: Tensor;
  readonly expected: Nested;
  readonly bound: number;
}

/** Runs the layer of a case and its gradients on the current backend; tensors are evaluated in one program. */
async function compare(golden: Case): Promise<readonly Comparison[]> {
  const layer = makeLayer(golden.name, golden.config);
  const inputs = (golden.xs ?? [golden.x as Nested]).map(tensor);
  const expectedInputs = golden.xs === undefined ? [golden.dx ?? null] : (golden.dxs ?? golden.xs.map(() => null));
  const specs = layer.buildAll(inputs.map(({ shape }) => shape.slice(1)));
  const weights = golden.weights.map(({ values }) => tensor(values));
  expect(weights.map(({ shape }) => shape)).toEqual(specs.map(({ shape }) => shape));
  expect(golden.dweights.map((values) => values !== null)).toEqual(specs.map(({ trainable }) => trainable));

  const assigned: Record<string, Tensor> = {};
  const penalties: Tensor[] = [];
  const { training = false } = golden;
  const context: CallContext = {
    training,
    key: training ? Tensor.host({ shape: [2], dtype: 'u32' }, Uint32Array.from([1, 0])) : undefined,
    stream: 0,
    assign: (name, value) => {
      assigned[name] = value;
    },
    addLoss: (value) => penalties.push(value),
  };
  const [output] = layer.apply(inputs, weights, context);
  const wrt = [
    ...inputs.map((of, k) => ({ what: `dx${k}`, of, expected: expectedInputs[k] })),
    ...weights.map((of, k) => ({ what: `d ${specs[k].name}`, of, expected: golden.dweights[k] })),
  ].flatMap(({ what, of, expected }) => (expected === null ? [] : [{ what, of, expected }]));
  const found = gradients(
    penalties.reduce((total, value) => add(total, value), sum(mul(output, tensor(golden.dy)))),
    wrt.map(({ of }) => of),
  );
  expect(penalties.length).toBe(golden.penalty === undefined ? 0 : 1);
  const comparisons = [
    { what: 'output', found: output, expected: golden.output, bound: 1e-5 },
    ...wrt.map(({ what, expected }, k) => ({ what, found: found[k], expected, bound: 1e-4 })),
    ...(golden.penalty === undefined
      ? []
      : [{ what: 'penalty', found: penalties[0], expected: golden.penalty, bound: 1e-5 }]),
    ...Object.entries(golden.assigned ?? {}).map(([what, expected]) => {
      expect(Object.keys(assigned)).toContain(what);
      return { what, found: assigned[what], expected, bound: 1e-5 };
    }),
  ];
  await evaluate(comparisons.map((comparison) => comparison.found));
  return comparisons;
}

function tensor(nested: Nested): Tensor {
  return Tensor.host({ shape: shapeOf(nested), dtype: 'f32' }, Float32Array.from(flat(nested)));
}

function shapeOf(nested: Nested): number[] {
  return typeof nested === 'number' ? [] : [nested.length, ...shapeOf(nested[0])];
}

function flat(nested: Nested): number[] {
  return typeof nested === 'number' ? [nested] : nested.flatMap(flat);
}

/** Largest |found − expected|, relative to the largest expected value; NaN counts as infinite. */
function relativeError(found: ArrayLike<number>, expected: readonly number[]): number {
  const scale = Math.max(1e-3, ...expected.map(Math.abs));
  const errors = expected.map((value, k) => Math.abs(found[k] - value));
  return errors.some(Number.isNaN) ? Number.POSITIVE_INFINITY : Math.max(0, ...errors) / scale;
}

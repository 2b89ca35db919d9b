/**
 * The zoo against the same networks built from Keras' layers (golden/make/make-zoo.py): outputs, loss and the gradient of
 * every weight, in f64 on the CPU backend and in f32 on WebGPU.
 *
 * Weights and examples are computed here and there by the same formula. Networks for ImageNet are narrow ones on small
 * images: blocks, strides, paddings and normalisations are those of the published ones, whose counts counts.test.ts has.
 * What a network draws at random in training is noted, compared and switched off (nn/random-layers.test.ts has those layers).
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import type { LossName } from '../../src/nn/losses/index.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { modelFromJSON } from '../../src/train/model/load-model.ts';
import type { Model } from '../../src/train/model/model.ts';
import { type Shape, sizeOf } from '../../src/util/shape.ts';
import { zooModel } from '../../src/zoo/index.ts';
import { golden } from '../nn/golden-values.ts';
import { byPart } from '../support/part.ts';

interface ZooCase {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly batch: number;
  readonly targets: 'classes' | 'input' | 'bits' | 'signs' | 'numbers';
  readonly loss: LossName;
  /** Means of the normalisations' gammas and betas. */
  readonly affine: readonly [gamma: number, beta: number];
  readonly parameters: number;
  /** Rates and deviations of the layers that draw in training, in order. */
  readonly chances: readonly number[];
  /** At inference: norm, dot product with `unit(PROBES)`, and the first values. */
  readonly output: readonly [norm: number, probe: number, ...first: number[]];
  readonly lossValue: number;
  /** By trainable weight: norm, dot product with `unit(PROBES)`, the value in the middle. */
  readonly gradients: readonly (readonly [norm: number, probe: number, middle: number])[];
}

const [EXAMPLES, PROBES] = [9001, 9002];
/** The kernels of GoogLeNet with its heads take llvmpipe 72 s of processor time to compile, and other tests keep the cores busy. */
const LIMIT = 300_000;
const cases = golden<ZooCase[]>('zoo.json');
const titled = cases.map((one) => [one.name, one.options, one] as const);
/** A model of each kind: the classics with their losses, a convolution, a normalisation, a branch, a residual. */
const QUICK = /^(perceptron|linear|logistic|softmax|mlp-batch-norm|lenet|dense-autoencoder|resnet18)$/;
const quick = titled.filter(([name]) => QUICK.test(name));
const others = titled.filter(([name]) => !QUICK.test(name));

/** Keras has float64 here: what separates it from f64 is the order of sums. */
const BACKENDS = [
  ['cpu', async () => createCpuBackend({ precision: 'f64' }), { forward: 1e-6, gradient: 1e-6 }],
  ['webgpu', () => createNodeWebGPUBackend(), { forward: 1e-5, gradient: 1e-4 }],
] as const;

describe.each(BACKENDS)('on %s', (_backend, open, bounds) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await open();
    setBackend(backend);
  });
  afterAll(async () => {
    setBackend(undefined);
    await backend.dispose();
  });

  test.each(byPart(quick, others))('%s %j', { timeout: LIMIT }, async (_name, _options, expected) => {
    using model = withoutChances(expected);
    expect(model.countParams()).toBe(expected.parameters);
    await setWeights(model, expected.affine);
    const [x, y] = batchOf(model, expected);

    const outputs = await model.predictAll(x, { batchSize: expected.batch });
    const values = (await Promise.all(outputs.map((output) => output.data()))).flatMap((data) => Array.from(data));
    const [norm, probe, ...first] = expected.output;
    expectNear([normOf(values), dot(values, PROBES)], [norm, probe], bounds.forward * norm, 'output');
    expectNear(values.slice(0, first.length), first, bounds.forward * Math.max(...first.map(Math.abs)), 'output');

    const { logs, gradients } = await model.gradientsOnBatch(x, outputs.length > 1 ? outputs.map(() => y) : y);
    expectNear([logs.loss], [expected.lossValue], bounds.forward * Math.max(1, expected.lossValue), 'loss');
    expect(gradients.length).toBe(expected.gradients.length);
    const norms = expected.gradients.map(([length]) => length);
    gradients.forEach(({ name, data }, k) => {
      // A bias before a normalisation has no gradient but rounding: the scale is that of its layer's largest.
      const layer = name.slice(0, name.lastIndexOf('/'));
      const scale = Math.max(...norms.filter((_, j) => gradients[j].name.startsWith(`${layer}/`)));
      const found = [normOf(data), dot(data, PROBES), data[Math.floor(data.length / 2)]];
      expectNear(found, expected.gradients[k], bounds.gradient * scale, name);
    });
  });
});

/** The model with nothing random in it, after a look at what there was. */
function withoutChances({ name, options, loss, chances }: ZooCase): Model {
  using model = zooModel(name, options);
  const found: number[] = [];
  const json = JSON.parse(JSON.stringify(model.toJSON()), (key, value) => {
    if (key !== 'rate' && key !== 'stddev') return value;
    found.push(value);
    return 0;
  });
  expect(found).toEqual(chances);
  const losses = model.outputShapes!.map(() => loss);
  return modelFromJSON(json).compile({ optimizer: 'sgd', loss: losses.length > 1 ? losses : loss });
}

/** `count` numbers in [-1, 1), a function of their places: MurmurHash3's finalizer, as in make-zoo.py. */
function unit(stream: number, count: number): Float64Array {
  const start = Math.imul(stream, 0x9e3779b1);
  return Float64Array.from({ length: count }, (_, k) => {
    let hash = k + start;
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 31 - 1;
  });
}

/** Weight number `k`, as `value_of` in make-zoo.py. */
function weight(path: string, shape: Shape, k: number, [gamma, beta]: ZooCase['affine']): Float32Array {
  const values = unit(k, sizeOf(shape));
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (name === 'gamma') return Float32Array.from(values, (u) => gamma * (1 + 0.4 * u));
  if (name === 'beta') return Float32Array.from(values, (u) => beta + 0.1 * u);
  if (name === 'movingVariance') return Float32Array.from(values, (u) => 1 + 0.5 * u);
  if (shape.length === 1) return Float32Array.from(values, (u) => 0.1 * u);
  const limit = Math.sqrt(6 / sizeOf(shape.slice(0, -1)));
  return Float32Array.from(values, (u) => limit * u);
}

async function setWeights(model: Model, affine: ZooCase['affine']): Promise<void> {
  const weights = await model.getWeights();
  model.setWeights(weights.map(({ name, shape }, k) => ({ name, shape, data: weight(name, shape, k, affine) })));
}

function batchOf(model: Model, { batch, targets }: ZooCase) {
  const shape = [batch, ...model.inputShapes![0]];
  const values = unit(EXAMPLES, sizeOf(shape));
  const x = { data: Float32Array.from(values, (u) => (targets === 'input' ? (u + 1) / 2 : u)), shape };
  const rows = Array.from({ length: batch }, (_, k) => k);
  const column = (of: (bit: number) => number) => ({
    data: Float32Array.from(rows, (k) => of(k % 2)),
    shape: [batch, 1],
  });
  const y = {
    input: () => x,
    classes: () => rows.map((k) => (7 * k) % 10),
    bits: () => column((bit) => bit),
    signs: () => column((bit) => 2 * bit - 1),
    numbers: () => column((bit) => 2.5 * bit + 0.5),
  }[targets]();
  return [x, y] as const;
}

const normOf = (values: ArrayLike<number>): number => Math.sqrt(Array.from(values).reduce((sum, v) => sum + v * v, 0));

function dot(values: ArrayLike<number>, stream: number): number {
  const probe = unit(stream, values.length);
  return probe.reduce((sum, u, k) => sum + u * values[k], 0);
}

function expectNear(found: readonly number[], expected: readonly number[], bound: number, what: string): void {
  found.forEach((value, k) => {
    expect(Math.abs(value - expected[k]), `${what} ${k}`).toBeLessThanOrEqual(bound);
  });
}

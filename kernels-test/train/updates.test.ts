/**
 * What acts around an update, in whole trainings, on the CPU and on the GPU: weights after 20 steps against Keras' own fit
 * (golden/make/make-updates.py), frozen layers, rates of layers, and the optimizer's state in files.
 */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { type OptimizerName, optimizers } from '../../src/nn/optimizers/index.ts';
import { exponentialDecay } from '../../src/nn/schedules/index.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { Sequential } from '../../src/train/model/sequential.ts';
import { flat, golden, type Nested, shaped } from '../nn/golden-values.ts';

interface TrainingFile {
  readonly x: Nested;
  readonly y: Nested;
  readonly cases: {
    readonly name: OptimizerName;
    readonly config: object;
    readonly title: string;
    /** Options of the first layer. */
    readonly layer: object;
    readonly weights: Nested[];
    readonly losses: number[];
    readonly evaluated: number;
    readonly finalWeights: number[][];
  }[];
}

const loss = 'sparseCategoricalCrossentropy';
const fitted = { batchSize: 4, epochs: 4, shuffle: false, verbose: 0 } as const;

const backends: readonly [string, () => Promise<Backend>][] = [
  ['cpu', async () => createCpuBackend()],
  ['webgpu', () => createNodeWebGPUBackend()],
];

function network(first: object = {}): Sequential {
  return new Sequential(
    [
      layers.dense({ name: 'hidden', units: 6, activation: 'tanh', ...first }),
      layers.dense({ name: 'head', units: 3, activation: 'softmax' }),
    ],
    { inputShape: [5] },
  );
}

describe.each(backends)('updates in a training on %s', (kind, create) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  beforeEach(() => setBackend(backend));
  afterAll(async () => {
    setBackend(undefined);
    await backend.dispose();
  });

  const file = golden<TrainingFile>('updated-trainings.json');
  const data = [shaped(file.x), shaped(file.y)] as const;

  test.each(file.cases.map((c) => [c.title, c] as const))('as Keras: %s', async (_title, expected) => {
    using model = network(expected.layer);
    model.compile({ optimizer: optimizers[expected.name](expected.config), loss });
    const names = (await model.getWeights()).map(({ name }) => name);
    model.setWeights(expected.weights.map((weight, k) => ({ name: names[k], ...shaped(weight) })));
    const history = await model.fit(...data, fitted);
    expect(distance(history.history.loss, expected.losses)).toBeLessThan(1e-4);
    for (const [k, { data: found }] of (await model.getWeights()).entries()) {
      expect(distance([...found], expected.finalWeights[k]), names[k]).toBeLessThan(1e-4);
    }
    const evaluated = await model.evaluate(...data, { batchSize: 4 });
    expect(distance([evaluated.loss], [expected.evaluated])).toBeLessThan(1e-4);
    // The JSON holds every option.
    expect(Sequential.fromJSON(JSON.stringify(model.toJSON())).toJSON()).toEqual(model.toJSON());
    if (kind === 'webgpu') expect(history.facts.submitsPerStep).toBe(1);
  });

  test('frozen weights keep every bit and cost no gradient; training goes on when they are thawed', async () => {
    using model = network();
    model.compile({ optimizer: optimizers.adamW({ learningRate: 0.05 }), loss });
    const all = await model.fit(...data, fitted);
    const before = await model.getWeights();
    model.layers[0].trainable = false;
    // As in Keras, it holds from the next compile on.
    model.compile({ optimizer: optimizers.adamW({ learningRate: 0.05 }), loss });
    expect(await model.getWeights()).toEqual(before);
    const half = await model.fit(...data, fitted);
    const after = await model.getWeights();
    for (const k of [0, 1]) expect(bits(after[k].data)).toEqual(bits(before[k].data));
    for (const k of [2, 3]) expect(after[k].data).not.toEqual(before[k].data);
    expect(half.facts.dispatchesPerStep).toBeLessThan(all.facts.dispatchesPerStep);
    const { gradients } = await model.gradientsOnBatch(...data);
    expect(gradients.map(({ name }) => name)).toEqual(['head/kernel', 'head/bias']);

    model.layers[0].trainable = true;
    model.compile({ optimizer: optimizers.adamW({ learningRate: 0.05 }), loss });
    expect(await model.getWeights()).toEqual(after);
    await model.fit(...data, fitted);
    expect((await model.getWeights())[0].data).not.toEqual(after[0].data);
  });

  test('with every layer frozen the loss is told and no weight moves', async () => {
    using model = network({ trainable: false });
    model.layers[1].trainable = false;
    model.compile({ optimizer: optimizers.adam({ globalClipNorm: 1, useEma: true }), loss });
    const before = await model.getWeights();
    const history = await model.fit(...data, fitted);
    expect(history.history.loss).toHaveLength(4);
    expect(await model.getWeights()).toEqual(before);
  });

  test('a rate of 0 holds a layer, a multiplier scales it, and patterns and names multiply', async () => {
    const changes = async (learningRateMultipliers: Record<string, number>): Promise<number[]> => {
      using model = network();
      model.compile({ optimizer: optimizers.sgd({ learningRate: 0.1, momentum: 0.5 }), loss, learningRateMultipliers });
      const before = await model.getWeights();
      await model.trainOnBatch(...data);
      const after = await model.getWeights();
      return after.map((weight, k) => Math.max(...weight.data.map((v, i) => Math.abs(v - before[k].data[i]))));
    };
    const plain = await changes({});
    const held = await changes({ hidden: 0 });
    expect(held.slice(0, 2)).toEqual([0, 0]);
    expect(held.slice(2)).toEqual(plain.slice(2));
    const scaled = await changes({ '/kernel$/': 0.5, hidden: 0.5 });
    for (const [k, factor] of [0.25, 0.5, 0.5, 1].entries()) expect(scaled[k] / plain[k]).toBeCloseTo(factor, 3);
  });

  test('the state of every kind of slot survives save and load, to the bit of an uninterrupted training', async () => {
    const optimizer = () =>
      optimizers.adagrad({
        learningRate: exponentialDecay({ initialLearningRate: 0.1, decaySteps: 5, decayRate: 0.5 }),
        gradientAccumulationSteps: 3,
        useEma: true,
        emaMomentum: 0.9,
        clipNorm: 1,
        weightDecay: 0.01,
        excludeFromWeightDecay: ['bias'],
      });
    // One batch at a time: the end of a fit puts the averages in the weights' place.
    const batch = [
      { data: Float32Array.from(flat(file.x)), shape: [20, 5] },
      { data: Float32Array.from(flat(file.y)), shape: [20] },
    ] as const;
    using straight = network();
    straight.compile({ optimizer: optimizer(), loss, learningRateMultipliers: { hidden: 0.5 } });
    for (let k = 0; k < 4; k++) await straight.trainOnBatch(...batch);
    const saved = await straight.save({ optimizer: true });
    for (let k = 0; k < 4; k++) await straight.trainOnBatch(...batch);

    using resumed = Sequential.load(saved);
    expect(resumed.toJSON()).toEqual(straight.toJSON());
    for (let k = 0; k < 4; k++) await resumed.trainOnBatch(...batch);
    expect(await resumed.getWeights()).toEqual(await straight.getWeights());
  });

  test('Muon: matrices and the rest are told apart, rates of layers hold, state survives save and load', async () => {
    const batch = [
      { data: Float32Array.from(flat(file.x)), shape: [20, 5] },
      { data: Float32Array.from(flat(file.y)), shape: [20] },
    ] as const;
    const compiled = (model: Sequential, multipliers = {}): Sequential => {
      const optimizer = optimizers.muon({ learningRate: 0.05, excludeLayers: ['head/'], rmsRate: null });
      model.compile({ optimizer, loss, learningRateMultipliers: multipliers });
      return model;
    };
    using straight = compiled(network(), { '/bias$/': 0 });
    const start = await straight.getWeights();
    for (let k = 0; k < 3; k++) await straight.trainOnBatch(...batch);
    const saved = await straight.save({ optimizer: true });
    const between = await straight.getWeights();
    for (let k = 0; k < 3; k++) await straight.trainOnBatch(...batch);
    const end = await straight.getWeights();
    for (const k of [1, 3]) expect(bits(end[k].data)).toEqual(bits(start[k].data));
    for (const k of [0, 2]) expect(end[k].data).not.toEqual(between[k].data);
    // A momentum for all 57 values, a mean of squares for all but the 30 of hidden/kernel, the rate and the count.
    expect(straight.summary()).toContain(`Optimizer params: ${57 + 27 + 2} `);

    using resumed = Sequential.load(saved);
    expect(resumed.toJSON()).toEqual(straight.toJSON());
    for (let k = 0; k < 3; k++) await resumed.trainOnBatch(...batch);
    expect(await resumed.getWeights()).toEqual(end);
  });

  test('new groups carry every value over, with groups small and many', async () => {
    using model = network();
    const before = await model.getWeights();
    const tried: Record<string, number>[] = [{ head: 0.5 }, { '/bias/': 0.1 }, {}, { hidden: 2, '/kernel/': 0.3 }];
    for (const multipliers of tried) {
      model.compile({ optimizer: 'sgd', loss, learningRateMultipliers: multipliers });
      await model.evaluate(...data);
      expect(await model.getWeights()).toEqual(before);
    }
  });
});

describe('dispatches', () => {
  beforeAll(() => setBackend(createCpuBackend()));
  afterAll(() => setBackend(undefined));

  const file = golden<TrainingFile>('updated-trainings.json');
  const dispatches = async (name: OptimizerName, config: object, multipliers = {}): Promise<number> => {
    using model = network();
    model.compile({ optimizer: optimizers[name](config), loss, learningRateMultipliers: multipliers });
    return (await model.fit(shaped(file.x), shaped(file.y), { ...fitted, epochs: 1 })).facts.dispatchesPerStep;
  };

  test.each([
    ['sgd', { momentum: 0.9, nesterov: true, weightDecay: 0.1, clipValue: 1 }],
    ['sgd', { gradientAccumulationSteps: 4, useEma: true, emaOverwriteFrequency: 3 }],
    ['rmsprop', { momentum: 0.9, weightDecay: 0.1 }],
    ['adam', { clipValue: 1, weightDecay: 0.1 }],
    ['adamW', {}],
    ['adagrad', {}],
    ['adadelta', {}],
    ['adamax', {}],
    ['nadam', {}],
  ] as const)('%s %j updates all weights in one dispatch, as plain gradient descent does', async (name, config) => {
    expect(await dispatches(name, config)).toBe(await dispatches('sgd', {}));
  });

  test('every switch at once, and a rule in two halves, still is one dispatch: what is updated in place is one buffer', async () => {
    const plain = await dispatches('sgd', {});
    // Lion's weights and its mean share no intermediate value, only what they overwrite.
    expect(await dispatches('lion', {})).toBe(plain);
    expect(await dispatches('adam', { amsgrad: true })).toBe(plain);
    const all = { useEma: true, gradientAccumulationSteps: 2, weightDecay: 0.1, clipValue: 1 };
    expect(await dispatches('adam', { ...all, amsgrad: true })).toBe(plain);
    expect(await dispatches('rmsprop', { ...all, momentum: 0.9, centered: true })).toBe(plain);
  });

  test('Muon takes a few dispatches for each matrix, whatever else is switched on', async () => {
    const plain = await dispatches('sgd', {});
    // One update of the biases; of each of the two kernels a norm and five steps of three products and what is around them.
    const muon = await dispatches('muon', {});
    expect(muon).toBeLessThanOrEqual(plain + 3 + 2 * (1 + 5 * 3));
    const all = { gradientAccumulationSteps: 2, clipValue: 1, useEma: true, emaOverwriteFrequency: 3 };
    expect(await dispatches('muon', all)).toBeLessThanOrEqual(muon + 4);
    // Where no matrix is left it is AdamW.
    expect(await dispatches('muon', { excludeLayers: ['kernel'] })).toBe(plain);
  });

  test('parameters with equal options are a group; groups are fused horizontally where bindings allow it; a norm is reduced before', async () => {
    const plain = await dispatches('adam', {});
    expect(await dispatches('adam', {}, { hidden: 0.5 })).toBeLessThanOrEqual(plain + 1);
    expect(await dispatches('adam', { weightDecay: 0.1, excludeFromWeightDecay: ['bias'] })).toBeLessThanOrEqual(
      plain + 1,
    );
    expect(await dispatches('adam', { globalClipNorm: 1 })).toBeLessThanOrEqual(plain + 3);
    // A reduction and a scaling for each of the four weights at most.
    expect(await dispatches('adam', { clipNorm: 1 })).toBeLessThanOrEqual(plain + 8);
  });
});

test('options that fit nothing are refused before step 0', () => {
  const compiled = (learningRateMultipliers: unknown) => () =>
    network().compile({ optimizer: 'sgd', loss, learningRateMultipliers: learningRateMultipliers as never });
  expect(compiled({ haed: 0.1 })).toThrow(/learningRateMultipliers: "haed"; did you mean "head"/);
  expect(compiled({ head: -1 })).toThrow(/learningRateMultipliers\["head"\] must be a finite number of at least 0/);
  expect(compiled({ head: Number.NaN })).toThrow(/found NaN/);
  expect(compiled({ '/(/': 1 })).toThrow(/\/\(\/ is not a regular expression/);
  expect(compiled([0.1])).toThrow(/learningRateMultipliers must be an object such as/);
  expect(() => optimizers.adam({ clipNorm: 1, globalClipNorm: 1 })).toThrow(
    /adam: clipNorm and globalClipNorm are given; the gradient is clipped one way/,
  );
  expect(() => optimizers.adam({ clipNorm: -1 })).toThrow(/clipNorm must be a finite number above 0, found -1/);
  expect(() => optimizers.adam({ clipValue: 0 })).toThrow(/clipValue must be a finite number above 0, found 0/);
  expect(() => optimizers.adam({ clipnorm: 1 } as never)).toThrow(/unknown option "clipnorm"; did you mean "clipNorm"/);
  expect(() => optimizers.sgd({ useEma: true, emaMomentum: 1.5 })).toThrow(/emaMomentum must be .* from 0 to 1/);
  expect(() => optimizers.sgd({ useEma: 1 as never })).toThrow(/useEma must be true or false, found 1/);
  expect(() => optimizers.sgd({ emaOverwriteFrequency: 0 })).toThrow(/emaOverwriteFrequency must be a whole number/);
  expect(() => optimizers.sgd({ gradientAccumulationSteps: 1 })).toThrow(/whole number of at least 2, found 1/);
  expect(() => optimizers.adamW({ weightDecay: Number.NaN })).toThrow(/adamW: weightDecay must be .* found NaN/);
  expect(() => optimizers.adamW({ excludeFromWeightDecay: 'bias' as never })).toThrow(/must be a list of words/);
  expect(() => optimizers.lion({ beta1: 0 })).toThrow(/lion: beta1/);
  expect(() => optimizers.muon({ excludeLayers: ['('] })).toThrow(/muon: excludeLayers must be a list of words or reg/);
  expect(() => optimizers.muon({ excludeLayers: 'head' as never })).toThrow(/excludeLayers must be .* found "head"/);
  expect(() => optimizers.muon({ nsSteps: 0 })).toThrow(/muon: nsSteps must be a whole number of at least 1, found 0/);
  expect(() => optimizers.muon({ momentum: 1 })).toThrow(/muon: momentum must be .* from 0 to below 1, found 1/);
  expect(() => optimizers.muon({ muonA: Number.NaN })).toThrow(/muon: muonA must be a finite number/);
  expect(() => optimizers.muon({ adamBeta: 0.9 } as never)).toThrow(
    /unknown option "adamBeta"; did you mean "adamBeta/,
  );
  expect(() => optimizers.rmsprop({ rho: -0.1 })).toThrow(/rmsprop: rho/);
  expect(() => layers.dense({ units: 1, kernelRegularizer: 'l3' as never })).toThrow(/regularizer of dense: "l3"/);
  expect(() => layers.dense({ units: 1, kernelConstraint: 'maxnorm' as never })).toThrow(/did you mean "maxNorm"/);
  expect(() => layers.conv2d({ filters: 1, kernelSize: 1, kernelRegulariser: 'l1' } as never)).toThrow(
    /did you mean "kernelRegularizer"/,
  );
});

test('convolutions take penalties and constraints for each of their weights', () => {
  const built = (layer: ReturnType<typeof layers.separableConv2d | typeof layers.conv1d>, shape: number[]) =>
    layer.build(shape).map(({ name, regularizer, constraint }) => [name, regularizer?.name, constraint?.name]);
  const separable = layers.separableConv2d({
    filters: 2,
    kernelSize: 3,
    depthwiseRegularizer: 'l1',
    pointwiseConstraint: 'unitNorm',
    biasRegularizer: 'l2',
    activityRegularizer: 'l1l2',
  });
  expect(built(separable, [5, 5, 1])).toEqual([
    ['depthwiseKernel', 'l1', undefined],
    ['pointwiseKernel', undefined, 'unitNorm'],
    ['bias', 'l2', undefined],
  ]);
  expect(separable.config.activityRegularizer).toEqual({ name: 'l1l2', config: { l1: 0.01, l2: 0.01 } });
  expect(built(layers.conv1d({ filters: 2, kernelSize: 3, kernelConstraint: 'nonNeg' }), [5, 1])).toEqual([
    ['kernel', undefined, 'nonNeg'],
    ['bias', undefined, undefined],
  ]);
});

function bits(data: Float32Array | Float64Array): number[] {
  return [...new Uint32Array(Float32Array.from(data).buffer)];
}

/** Largest |found − expected| / max(0.1, |expected|). */
function distance(found: readonly number[], expected: readonly number[]): number {
  expect(found.length).toBe(expected.length);
  return Math.max(0, ...expected.map((value, k) => Math.abs(found[k] - value) / Math.max(0.1, Math.abs(value))));
}

/**
 * Functional models: against Keras' figures (golden/make/make-functional.py), through JSON and files, and what is refused.
 */

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { Layer } from '../../src/nn/layer.ts';
import { inputSymbol as input } from '../../src/nn/layers/core/input.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { optimizers } from '../../src/nn/optimizers/index.ts';
import { square } from '../../src/ops/elementwise/unary.ts';
import { mean } from '../../src/ops/reduction/reduce.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { model } from '../../src/train/model/functional.ts';
import { loadModelFiles, modelFromJSON } from '../../src/train/model/load-model.ts';
import type { Model } from '../../src/train/model/model.ts';
import { Sequential, sequential } from '../../src/train/model/sequential.ts';

type Nested = number | readonly Nested[];

interface Golden {
  readonly x: Record<'a' | 'b', number[][]>;
  readonly y: { readonly value: number[][]; readonly kind: number[] };
  readonly weights: Record<string, Nested>;
  readonly history: Record<string, number[]>;
  readonly finalWeights: Record<string, Nested>;
  readonly predictions: readonly Nested[];
  readonly parameters: number;
}

const golden: Golden = JSON.parse(readFileSync(new URL('../golden/nn/functional.json', import.meta.url), 'utf8'));
const cpu = createCpuBackend();
let gpu: Backend;

beforeAll(async () => {
  gpu = await createNodeWebGPUBackend();
});
afterAll(async () => {
  setBackend(undefined);
  await gpu.dispose();
});

const flat = (nested: Nested): number[] => (typeof nested === 'number' ? [nested] : nested.flatMap(flat));
const shapeOf = (nested: Nested): number[] =>
  typeof nested === 'number' ? [] : [nested.length, ...shapeOf(nested[0])];

function expectClose(found: ArrayLike<number>, expected: readonly number[], tolerance: number, what?: string): void {
  expect(found.length).toBe(expected.length);
  const scale = Math.max(1, ...expected.map(Math.abs));
  const error = Math.max(...expected.map((value, k) => Math.abs(found[k] - value)));
  expect(error / scale, what).toBeLessThan(tolerance);
}

/** The model of the golden file. */
function build(): Model {
  const a = input({ shape: [5], name: 'a' });
  const b = input({ shape: [5], name: 'b' });
  const shared = layers.dense({ units: 6, activation: 'tanh', name: 'shared' });
  const both = layers.concatenate({ name: 'both' })([shared(a), shared(b)]);
  const inner = sequential(
    [layers.dense({ units: 12, activation: 'relu', name: 'one' }), layers.dense({ units: 12, name: 'two' })],
    { inputShape: [12], name: 'inner' },
  );
  const skip = layers.add({ name: 'skip' })([inner(both), both]);
  const normal = layers.batchNormalization({ momentum: 0.9, name: 'normal' })(skip);
  const value = layers.dense({ units: 1, name: 'value' })(normal);
  const kind = layers.dense({ units: 3, activation: 'softmax', name: 'kind' })(normal);
  return model({ inputs: [a, b], outputs: [value, kind], seed: 4 }).compile({
    optimizer: optimizers.sgd({ learningRate: 0.05, momentum: 0.9 }),
    loss: { value: 'meanSquaredError', kind: 'sparseCategoricalCrossentropy' },
    lossWeights: [0.7, 1.3],
    metrics: { value: ['mae'], kind: ['accuracy'] },
  });
}

/** Keras' name of a weight in ours. */
const ourName = (name: string) =>
  name.replace('moving_mean', 'movingMean').replace('moving_variance', 'movingVariance');

const backends = [
  ['CPU', () => cpu],
  ['WebGPU', () => gpu],
] as const;

describe.each(backends)('two inputs, two outputs on %s', (_name, backend) => {
  test("trains along Keras' path", async () => {
    setBackend(backend());
    using net = build();
    expect(net.countParams()).toBe(golden.parameters);
    const names = (await net.getWeights()).map(({ name }) => name);
    expect([...names].sort()).toEqual(Object.keys(golden.weights).map(ourName).sort());
    net.setWeights(
      Object.entries(golden.weights).map(([name, values]) => ({
        name: ourName(name),
        shape: shapeOf(values),
        data: Float32Array.from(flat(values)),
      })),
    );
    const { value, kind } = golden.y;
    const history = await net.fit(golden.x, { kind, value }, { batchSize: 12, epochs: 6, shuffle: false, verbose: 0 });
    expect(Object.keys(history.history)).toEqual(['loss', 'value_loss', 'value_mae', 'kind_loss', 'kind_accuracy']);
    const kerasName = (name: string) => name.replace('value_mae', 'value_mean_absolute_error');
    for (const [name, values] of Object.entries(history.history)) {
      expectClose(values, golden.history[kerasName(name)], 1e-4, name);
    }
    const found = new Map((await net.getWeights()).map(({ name, data }) => [name, data]));
    for (const [name, values] of Object.entries(golden.finalWeights)) {
      expectClose(found.get(ourName(name))!, flat(values), 1e-4, name);
    }
    const predictions = await net.predictAll([golden.x.a, golden.x.b], { batchSize: 7 });
    for (const [k, prediction] of predictions.entries()) {
      expect(prediction.shape).toEqual(shapeOf(golden.predictions[k]));
      expectClose(await prediction.data(), flat(golden.predictions[k]), 1e-4);
    }
  });
});

describe.each(backends)('weights of examples by output on %s', (_name, backend) => {
  interface Run {
    readonly history: Record<string, number[]>;
    readonly finalWeights: Record<string, Nested>;
  }
  interface WeightedGolden {
    readonly x: number[][];
    readonly y: { readonly value: number[][]; readonly kind: number[] };
    readonly sampleWeight: { readonly value: number[]; readonly kind: number[] };
    readonly weights: Record<string, Nested>;
    readonly each: Run;
    readonly shared: Run;
  }
  const file = new URL('../golden/nn/weighted-outputs.json', import.meta.url);
  const { x, y, sampleWeight, weights, each, shared }: WeightedGolden = JSON.parse(readFileSync(file, 'utf8'));
  const { value, kind } = sampleWeight;

  test.each([
    ['by name', { kind, value }, each],
    ['in the order of the outputs', [value, kind], each],
    ['for both', value, shared],
  ] as const)("%s go Keras' way", async (_form, given, expected) => {
    setBackend(backend());
    const source = input({ shape: [4], name: 'x' });
    const hidden = layers.dense({ units: 5, activation: 'tanh', name: 'hidden' })(source);
    const heads = [
      layers.dense({ units: 2, name: 'value' })(hidden),
      layers.dense({ units: 3, activation: 'softmax', name: 'kind' })(hidden),
    ];
    using net = model({ inputs: source, outputs: heads }).compile({
      optimizer: optimizers.sgd({ learningRate: 0.1 }),
      loss: { value: 'meanSquaredError', kind: 'sparseCategoricalCrossentropy' },
      lossWeights: { value: 0.6 },
      weightedMetrics: { value: ['mae'], kind: ['accuracy'] },
    });
    const values = Object.entries(weights);
    net.setWeights(values.map(([name, w]) => ({ name, shape: shapeOf(w), data: Float32Array.from(flat(w)) })));
    const { history } = await net.fit(x, y, {
      ...{ batchSize: 5, epochs: 2, shuffle: false, verbose: 0, sampleWeight: given },
      validationData: [x, y, given],
    });
    expect(Object.keys(history)).toHaveLength(10);
    for (const [name, logged] of Object.entries(history)) {
      const keras = name.replace('valLoss', 'val_loss').replace(/^val([A-Z])/, (_, c) => `val_${c.toLowerCase()}`);
      expectClose(logged, expected.history[keras.replace('_mae', '_mean_absolute_error')], 1e-4, name);
    }
    for (const { name, data } of await net.getWeights()) {
      expectClose(data, flat(expected.finalWeights[name]), 1e-4, name);
    }
    const { loss } = await net.evaluate(x, y, { sampleWeight: given });
    expect(loss).toBeCloseTo(history.valLoss[1], 4);
  });
});

describe('files', () => {
  test('a functional model is its JSON and its weights', async () => {
    setBackend(cpu);
    using net = build();
    const { value, kind } = golden.y;
    await net.fit(golden.x, [value, kind], { verbose: 0 });
    using again = loadModelFiles(await net.save({ optimizer: true }));
    expect(again.toJSON()).toEqual(net.toJSON());
    expect(again.summary()).toBe(net.summary());
    const [before, after] = [await net.evaluate(golden.x, golden.y), await again.evaluate(golden.x, golden.y)];
    expect(after).toEqual(before);
    await net.fit(golden.x, golden.y, { verbose: 0 });
    await again.fit(golden.x, golden.y, { verbose: 0 });
    expect(await again.getWeights()).toEqual(await net.getWeights());
  });

  test('the summary tells what each layer is connected to', () => {
    const rows = build().summary().split('\n');
    expect(rows[2]).toMatch(/Layer \(type\).*Output Shape.*Param #.*Connected to/);
    expect(rows.find((row) => row.includes('skip (Add)'))).toMatch(/\(None, 12\).*0 ┃?.*inner, both/);
    expect(rows.find((row) => row.includes('shared (Dense)'))).toMatch(/36 .*a, b/);
    expect(rows.find((row) => row.includes('inner (Sequential)'))).toMatch(/312 .*both/);
  });

  test('Sequential.load says where functional models are read', async () => {
    const json = JSON.stringify(build().toJSON());
    expect(() => Sequential.fromJSON(json)).toThrow(/functional model; read it with modelFromJSON/);
    expect(() => modelFromJSON(json.replace('"layer":"skip"', '"layer":"skp"'))).toThrow(
      /"graph" names a layer "skp" that is not among the layers/,
    );
    expect(() => modelFromJSON(json.replace('"seed":', '"sed":'))).toThrow(/"sed".*did you mean "seed"/);
    expect(() => modelFromJSON(json.replace('"graph":{"inputs"', '"graph":{"sources"'))).toThrow(/"graph" is/);
  });
});

describe('nested and shared', () => {
  test('a shared layer has its weights once, and both uses train it', async () => {
    setBackend(cpu);
    const dense = layers.dense({ units: 3, name: 'twice' });
    const x = input({ shape: [3] });
    using net = model({ inputs: x, outputs: dense(dense(x)) });
    expect(net.countParams()).toBe(12);
    const [kernel] = (await net.getWeights()).map(({ data }) => [...data]);
    const identity = [1, 0, 0, 0, 1, 0, 0, 0, 1];
    net.setWeights([
      { name: 'twice/kernel', shape: [3, 3], data: Float32Array.from(identity, (v) => 2 * v) },
      { name: 'twice/bias', shape: [3], data: Float32Array.of(1, 1, 1) },
    ]);
    expect(kernel).not.toEqual(identity);
    expect([...(await (await net.predict([[1, 2, 3]])).data())]).toEqual([7, 11, 15]);
  });

  test('a model as a layer shares its weights with the outer one, whose training moves it', async () => {
    setBackend(cpu);
    using base = sequential([layers.dense({ units: 4, activation: 'tanh' }), layers.dense({ units: 2 })], {
      inputShape: [3],
      seed: 9,
    });
    const before = await base.getWeights();
    using outer = sequential([base, layers.dense({ units: 1 })]);
    expect(outer.countParams()).toBe(base.countParams() + 3);
    outer.compile({ optimizer: 'adam', loss: 'mse' });
    const values = async () => new Map((await outer.getWeights()).map(({ name, data }) => [name, [...data]]));
    for (const { name, data } of before) expect((await values()).get(`sequential/${name}`)).toEqual([...data]);
    await outer.fit(
      [
        [1, 2, 3],
        [3, 1, 0],
      ],
      [1, 0],
      { epochs: 3, verbose: 0 },
    );
    expect((await values()).get('sequential/dense/kernel')).not.toEqual([...before[0].data]);
    expect((await base.getWeights())[0].data).not.toEqual(before[0].data);
    for (const { name, data } of await base.getWeights())
      expect((await values()).get(`sequential/${name}`)).toEqual([...data]);
  });

  test('frozen inner layers stay bit-equal, and thaw at the next compile', async () => {
    setBackend(gpu);
    using base = sequential(
      [layers.dense({ units: 4, activation: 'relu' }), layers.batchNormalization(), layers.dense({ units: 2 })],
      { inputShape: [3], name: 'base' },
    );
    base.trainable = false;
    using outer = sequential([base, layers.dense({ units: 1 })]);
    outer.compile({ optimizer: 'adam', loss: 'mse' });
    const data = [
      [
        [1, 2, 3],
        [3, 1, 0],
        [0, 1, 1],
      ],
      [1, 0, 2],
    ] as const;
    const read = async () => (await outer.getWeights()).map(({ data: values }) => [...values]);
    const before = await read();
    await outer.fit(...data, { epochs: 4, verbose: 0 });
    const frozen = await read();
    expect(frozen.slice(0, -2)).toEqual(before.slice(0, -2));
    expect(frozen.at(-2)).not.toEqual(before.at(-2));
    base.trainable = true;
    outer.compile({ optimizer: 'adam', loss: 'mse' });
    expect(await read()).toEqual(frozen);
    await outer.fit(...data, { epochs: 4, verbose: 0 });
    expect((await read())[0]).not.toEqual(frozen[0]);
  });

  test('copyWeightsFrom takes over what has the same name and shape', async () => {
    setBackend(cpu);
    const stack = (classes: number, seed: number) =>
      sequential([layers.dense({ units: 4 }), layers.dense({ units: classes })], { inputShape: [3], seed });
    using old = stack(5, 1);
    using fresh = stack(2, 2);
    expect(await fresh.copyWeightsFrom(old)).toEqual(['dense/kernel', 'dense/bias']);
    expect((await fresh.getWeights())[0]).toEqual((await old.getWeights())[0]);
    using other = sequential([layers.dense({ units: 4, name: 'x' })], { inputShape: [3] });
    await expect(other.copyWeightsFrom(old)).rejects.toThrow(/no weight in common/);
  });

  test('what a layer adds to the loss is in the loss', async () => {
    class Penalty extends Layer {
      override readonly className = 'Penalty';
      override get config() {
        return {};
      }
      override call(x: Tensor, _weights: readonly Tensor[], { addLoss }: Parameters<Layer['call']>[2]) {
        addLoss(mean(square(x)));
        return x;
      }
    }
    setBackend(cpu);
    const x = input({ shape: [2] });
    using net = model({ inputs: x, outputs: new Penalty()(x) }).compile({ optimizer: 'sgd', loss: 'mse' });
    expect((await net.evaluate([[3, 4]], [[3, 4]])).loss).toBeCloseTo(12.5, 6);
  });
});

describe('refusals', () => {
  const x = input({ shape: [4], name: 'x' });
  const y = input({ shape: [6], name: 'y' });

  test('of structure, naming the layers', () => {
    const dense = layers.dense({ units: 2, name: 'd' });
    expect(() => dense([x, y])).toThrow(/dense "d": takes one input, found 2; put a merging layer/);
    expect(() => dense('x' as never)).toThrow(/dense "d": called on "x", which is not a symbol; start with input\(/);
    expect(() => layers.add({ name: 's' })([x, y])).toThrow(/add "s".*input_layer "x" \[4\] and input_layer "y" \[6\]/);
    const out = dense(x);
    expect(() => model({ inputs: y, outputs: out })).toThrow(
      /depend on input_layer "x" \[4\], which is none of its inputs/,
    );
    expect(() => model({ inputs: [x, y], outputs: out })).toThrow(/no output depends on its input input_layer "y"/);
    expect(() => model({ inputs: x, outputs: 3 as never })).toThrow(/outputs must be symbols, found 3/);
    expect(() => model({ input: x, outputs: out } as never)).toThrow(/did you mean "inputs"/);
    const twin = layers.dense({ units: 2, name: 'd' })(out);
    expect(() => model({ inputs: x, outputs: twin })).toThrow(/two layers are named "d"/);
    expect(() => dense(y)).not.toThrow();
    const both = layers.concatenate()([dense(x), dense(y)]);
    expect(() => model({ inputs: [x, y], outputs: both })).toThrow(/dense "d" is shared, but its weight "kernel"/);
  });

  test('of losses and data, naming outputs and inputs', async () => {
    setBackend(cpu);
    using net = build();
    const two = { optimizer: 'sgd', loss: 'mse' } as const;
    expect(() => net.compile(two)).toThrow(/2 outputs; loss is "mse"; give an array or a record .* value, kind/);
    expect(() => net.compile({ ...two, loss: ['mse'] })).toThrow(
      /one entry for each output \(value, kind\), found 1 for 2/,
    );
    expect(() => net.compile({ ...two, loss: { value: 'mse', knd: 'mse' } })).toThrow(/did you mean "kind"/);
    expect(() => net.compile({ ...two, loss: { value: 'mse' } })).toThrow(/output "kind" has no loss/);
    expect(() => net.compile({ ...two, loss: ['mse', 'mse'], lossWeights: [1, -1] })).toThrow(/lossWeights/);
    const { x: data, y: targets } = golden;
    await expect(net.fit({ a: data.a } as never, targets)).rejects.toThrow(/x: there is no entry "b"/);
    await expect(net.fit([data.a], targets)).rejects.toThrow(/x: expected 2 entries \[a, b\], found 1/);
    await expect(net.fit({ ...data, c: data.a } as never, targets)).rejects.toThrow(/"c"/);
    await expect(net.fit([data.a, data.b.slice(1)], targets)).rejects.toThrow(/x "a" has 12 .*x "b" has 11/);
    await expect(net.predict(data)).rejects.toThrow(/2 outputs \(value, kind\); predictAll/);
  });
});

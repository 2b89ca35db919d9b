/**
 * The variational autoencoder and the capsule network: outputs, loss and gradients against a Keras program of the same
 * equations (golden/make/make-latent.py) on the CPU and on the GPU; the divergence against its closed form, draws against
 * their moments; and both learn from the embedded digits.
 */

import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import { makeModel } from '../../src/cli/make-model.ts';
import { optionsFor } from '../../src/cli/match-model.ts';
import { Tensor } from '../../src/core/tensor.ts';
import { digits } from '../../src/data/sets/digits.ts';
import type { CallContext } from '../../src/nn/layer.ts';
import { inputSymbol as input } from '../../src/nn/layers/core/input.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { optimizers } from '../../src/nn/optimizers/index.ts';
import { evaluate, setBackend } from '../../src/runtime/index.ts';
import { loadModelFiles } from '../../src/train/model/load-model.ts';
import { Prng } from '../../src/util/prng.ts';
import {
  capsuleNetwork,
  smallCapsuleNetwork,
  variationalAutoencoder,
  variationalDecoder,
} from '../../src/zoo/index.ts';
import { flat, golden, type Nested, shaped, shapeOf, tensorOf } from '../nn/golden-values.ts';
import { shortDescribe as describe, longDescribe, longTest, shortTest as test } from '../support/part.ts';

interface ModelCase {
  readonly name: 'vae' | 'capsnet';
  readonly options: object;
  readonly x: Nested[];
  readonly y: Nested[];
  readonly weights: Readonly<Record<string, Nested>>;
  /** Outside of training. */
  readonly outputs: Nested[];
  /** In training, as the gradients. */
  readonly loss: number;
  readonly gradients: Readonly<Record<string, Nested>>;
}

const backends: readonly [string, () => Promise<Backend>][] = [
  ['cpu', async () => createCpuBackend({ precision: 'f64' })],
  ['webgpu', () => createNodeWebGPUBackend()],
];

/** The model of a case, compiled for the loss of its golden figures. */
function compiled({ name, options, x }: ModelCase) {
  if (name === 'vae') {
    return variationalAutoencoder(options).compile({ optimizer: 'adam', loss: 'binaryCrossentropy' });
  }
  return capsuleNetwork(options).compile({
    optimizer: 'adam',
    loss: { lengths: 'sparseCategoricalMargin', reconstruction: 'meanSquaredError' },
    // The sum of squares, times the paper's 0.0005.
    lossWeights: [1, 0.0005 * flat(x[0]).length * (1 / shapeOf(x[0])[0])],
  });
}

describe.each(backends)('on %s', (_kind, create) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  beforeEach(() => setBackend(backend));
  afterAll(async () => {
    setBackend(undefined);
    await backend.dispose();
  });

  const cases = golden<ModelCase[]>('latent-models.json');
  test.each(cases.map((c) => [c.name, c] as const))('%s: outputs, loss and gradients', async (_name, expected) => {
    using model = compiled(expected);
    const names = (await model.getWeights()).map(({ name }) => name);
    expect([...names].sort()).toEqual(Object.keys(expected.weights).sort());
    model.setWeights(Object.entries(expected.weights).map(([name, values]) => ({ name, ...shaped(values) })));
    const x = expected.x.map(shaped);
    const outputs = await model.predictAll(x);
    for (const [k, output] of outputs.entries()) {
      expect(output.shape).toEqual(shapeOf(expected.outputs[k]));
      expect(relativeError(await output.data(), flat(expected.outputs[k]))).toBeLessThan(1e-5);
    }
    const { logs, gradients } = await model.gradientsOnBatch(x, onlyOne(expected.y.map(shaped)));
    expect(relativeError([logs.loss], [expected.loss])).toBeLessThan(1e-5);
    for (const { name, data } of gradients) {
      expect(relativeError(data, flat(expected.gradients[name])), name).toBeLessThan(1e-4);
    }
    expect(gradients.map(({ name }) => name).sort()).toEqual([...names].sort());
  });

  test('the divergence is ½ Σ (μ² + σ² − log σ² − 1), and draws have the mean and the variance that are asked for', async () => {
    const [rows, width] = [4000, 2];
    const [mu, logs] = [
      [0.5, -2],
      [0, Math.log(0.25)],
    ];
    const spread = (values: number[]) => tensorOf(Array.from({ length: rows }, () => values));
    const penalties: Tensor[] = [];
    const context: CallContext = {
      training: true,
      key: Tensor.host({ shape: [2], dtype: 'u32' }, Uint32Array.from([5, 1])),
      stream: 0,
      assign: () => {},
      addLoss: (value) => penalties.push(value),
    };
    const [z] = layers.sampling({ klWeight: 3 }).apply([spread(mu), spread(logs)], [], context);
    const [standard] = layers.sampling().apply([spread([0, 0]), spread([0, 0])], [], context);
    await evaluate([z, standard, ...penalties]);
    const terms = mu.map((m, k) => (m * m + Math.exp(logs[k]) - logs[k] - 1) / 2);
    const [weighted, none] = await Promise.all(penalties.map((penalty) => penalty.item()));
    expect(weighted).toBeCloseTo(3 * (terms[0] + terms[1]), 4);
    expect(none).toBeCloseTo(0, 6);
    const values = await z.data();
    for (let k = 0; k < width; k++) {
      const column = Array.from({ length: rows }, (_, row) => values[row * width + k]);
      const mean = column.reduce((sum, value) => sum + value, 0) / rows;
      const variance = column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rows;
      // Four standard errors.
      expect(Math.abs(mean - mu[k])).toBeLessThan(4 * Math.sqrt(Math.exp(logs[k]) / rows));
      expect(Math.abs(variance / Math.exp(logs[k]) - 1)).toBeLessThan(4 * Math.sqrt(2 / rows));
    }
  });
});

longDescribe('learning from the digits', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await createNodeWebGPUBackend();
    setBackend(backend);
  });
  afterAll(async () => {
    setBackend(undefined);
    await backend.dispose();
  });

  longTest('a trained autoencoder raises the bound, gives images back and draws new ones', async () => {
    const size = 400;
    const { train, test: heldOut } = digits({ train: size, test: 60, seed: 3 });
    const [x, held] = [train.x, heldOut.x].map((bytes) => Float32Array.from(bytes, (value) => value / 255));
    const images = (data: Float32Array) => ({ data, shape: [data.length / 784, 28, 28, 1] });
    const options = { latent: 8, units: 96, seed: 2 };
    using model = variationalAutoencoder(options).compile({
      optimizer: optimizers.adam({ learningRate: 0.005 }),
      loss: 'binaryCrossentropy',
      metrics: ['meanSquaredError'],
    });
    const history = await model.fit(images(x), images(x), { batchSize: 16, epochs: 12, verbose: 0 });
    expect(history.facts.submitsPerStep).toBe(1);
    // −ELBO in nats an image.
    const bounds = history.history.loss.map((loss) => 784 * loss);
    expect(bounds.at(-1)!).toBeLessThan(0.75 * bounds[0]);
    // Means and a decoder that is told nothing would give the mean image.
    const average = Float32Array.from({ length: 784 }, (_, p) => {
      let sum = 0;
      for (let k = 0; k < size; k++) sum += x[k * 784 + p];
      return sum / size;
    });
    const variance = held.reduce((sum, value, i) => sum + (value - average[i % 784]) ** 2, 0) / held.length;
    const scores = await model.evaluate(images(held), images(held));
    expect(scores.meanSquaredError).toBeLessThan(0.8 * variance);

    using decoder = variationalDecoder(options);
    expect(await decoder.copyWeightsFrom(model)).toHaveLength(4);
    using given = variationalAutoencoder({ ...options, noiseInput: true });
    await given.copyWeightsFrom(model);
    // Without noise the code is the mean, which is what the model itself uses outside of training.
    const still = { data: new Float32Array(60 * 8), shape: [60, 8] };
    const [again] = await given.predictAll([images(held), still]);
    const plain = await model.predict(images(held));
    expect(relativeError(await again.data(), [...(await plain.data())])).toBeLessThan(1e-5);
    const random = new Prng(4);
    const codes = { data: Float32Array.from({ length: 50 * 8 }, () => random.bell()), shape: [50, 8] };
    const drawn = [...(await (await decoder.predict(codes)).data())];
    const drawnAverage = Float32Array.from({ length: 784 }, (_, p) => {
      let sum = 0;
      for (let k = 0; k < 50; k++) sum += drawn[k * 784 + p];
      return sum / 50;
    });
    expect(correlation(drawnAverage, average)).toBeGreaterThan(0.8);
    const differences = drawn.reduce((sum, value, i) => sum + (value - drawnAverage[i % 784]) ** 2, 0) / drawn.length;
    expect(differences).toBeGreaterThan(0.1 * variance);
  });

  longTest('a small capsule network learns the digits, with its reconstruction', async () => {
    const { train, test: heldOut } = digits({ train: 400, test: 200, seed: 3 });
    const bytes = (set: typeof train) => Float32Array.from(set.x, (value) => value / 255);
    const data = (set: typeof train) => {
      const labels = new Float32Array(set.size * 10);
      for (let row = 0; row < set.size; row++) labels[row * 10 + set.y[row]] = 1;
      const image = { data: bytes(set), shape: [set.size, 28, 28, 1] };
      const ids = { data: Float32Array.from(set.y), shape: [set.size] };
      return [
        [image, { data: labels, shape: [set.size, 10] }],
        [ids, image],
      ] as const;
    };
    using model = smallCapsuleNetwork({ filters: 8, channels: 2, reconstruction: true, decoderUnits: [32], seed: 1 });
    model.compile({
      optimizer: optimizers.adam({ learningRate: 0.005 }),
      loss: { lengths: 'sparseCategoricalMargin', reconstruction: 'meanSquaredError' },
      lossWeights: { lengths: 1, reconstruction: 0.0005 * 784 },
      metrics: { lengths: ['accuracy'] },
    });
    const history = await model.fit(...data(train), { batchSize: 25, epochs: 5, verbose: 0 });
    expect(history.facts.submitsPerStep).toBe(1);
    const scores = await model.evaluate(...data(heldOut), { batchSize: 50 });
    expect(scores.lengths_accuracy).toBeGreaterThan(0.75);
    expect(history.history.reconstruction_loss.at(-1)).toBeLessThan(0.8 * history.history.reconstruction_loss[0]);
    using loaded = loadModelFiles(await model.save());
    expect(await loaded.evaluate(...data(heldOut), { batchSize: 50 })).toEqual(scores);
  });
});

test('what does not fit is refused, naming the layer', () => {
  const [a, b, c] = [input({ shape: [3] }), input({ shape: [4] }), input({ shape: [2, 3] })];
  expect(() => layers.sampling()(a)).toThrow(/Sampling: takes \[mean, logVariance\] or .*, found 1 inputs/);
  expect(() => layers.sampling({ name: 'z' })([a, b])).toThrow(
    /sampling "z": mean, logVariance and noise must have one shape, found \[3\], \[4\]/,
  );
  expect(() => layers.sampling({ klWeight: -1 })).toThrow(/sampling: klWeight must be a finite number of at least 0/);
  expect(() => layers.capsule({ capsules: 2, dimension: 2 })(a)).toThrow(/Capsule: takes capsules .* found \[3\]; put/);
  expect(() => layers.capsule({ capsules: 0, dimension: 2 })).toThrow(/capsule: capsules must be a whole number/);
  expect(() => layers.capsuleMask()([c, a])).toThrow(
    /CapsuleMask: labels of \[2,3\] capsules are one-hot rows \[2\], f/,
  );
  expect(() => layers.primaryCapsules({ channels: 2, kernelSize: 3 } as never)).toThrow(/dimension must be a whole/);
  expect(() => capsuleNetwork({ inputShape: [16, 16, 1] })).toThrow(/kernelSize/);
  expect(() => capsuleNetwork({ decoderUnits: [0], reconstruction: true })).toThrow(/decoderUnits must be a list/);
  expect(() => variationalAutoencoder({ laten: 3 } as never)).toThrow(/unknown option "laten"; did you mean "latent"/);
});

test('the command line gives each its targets and its loss', () => {
  setBackend(undefined);
  const { train } = digits({ train: 20, test: 10 });
  const made = (name: 'vae' | 'capsnet-small') =>
    makeModel({ model: name, learningRate: undefined, optimizer: 'muon', seed: 1 }, train);
  const [vae, capsnet] = [made('vae'), made('capsnet-small')];
  const lossOf = ({ model }: typeof vae) => JSON.parse(JSON.stringify(model.toJSON().compiled)).loss;
  expect(JSON.stringify(lossOf(capsnet))).toContain('"sparseCategoricalMargin"');
  expect(JSON.stringify(lossOf(vae))).toContain('"binaryCrossentropy"');
  expect(capsnet.prepare(train).y).toEqual(train.y);
  expect(vae.prepare(train).yShape).toEqual([28, 28, 1]);
  const { classNames: _, ...numbers } = train;
  expect(() => optionsFor('capsnet', numbers)).toThrow(
    /"capsnet" takes classes to tell apart; .* Models that fit: .*lenet/,
  );
});

/** Largest |found − expected|, relative to the largest expected value; NaN counts as infinite. */
function relativeError(found: ArrayLike<number>, expected: readonly number[]): number {
  expect(found.length).toBe(expected.length);
  const scale = Math.max(1e-3, ...expected.map(Math.abs));
  const errors = expected.map((value, k) => Math.abs(found[k] - value));
  return errors.some(Number.isNaN) ? Number.POSITIVE_INFINITY : Math.max(0, ...errors) / scale;
}

/** A model of one output takes its targets, not a list of them. */
function onlyOne<T>(list: readonly T[]): T | readonly T[] {
  return list.length === 1 ? list[0] : list;
}

/** Pearson's. */
function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const mean = (of: ArrayLike<number>) => Array.from(of).reduce((sum, value) => sum + value, 0) / of.length;
  const [ma, mb] = [mean(a), mean(b)];
  const products = (x: ArrayLike<number>, mx: number, y: ArrayLike<number>, my: number) =>
    Array.from(x).reduce((sum, value, k) => sum + (value - mx) * (y[k] - my), 0);
  return products(a, ma, b, mb) / Math.sqrt(products(a, ma, a, ma) * products(b, mb, b, mb));
}

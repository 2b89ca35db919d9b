/**
 * Models over the same layers, against Keras' figures step by step (golden/make/make-shared.py): the GAN, the encoder
 * of an autoencoder, the model that is cut, and a layer inside a nested model and beside it.
 */

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import { inputSymbol as input } from '../../src/nn/layers/core/input.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { optimizers } from '../../src/nn/optimizers/index.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { model } from '../../src/train/model/functional.ts';
import type { Model } from '../../src/train/model/model.ts';
import { sequential } from '../../src/train/model/sequential.ts';

type Nested = number | readonly Nested[];
type Matrix = number[][];
type Values = Record<string, Nested>;

interface Case<Step> {
  readonly start: Values;
  readonly steps: readonly (Step & { readonly losses: readonly number[]; readonly weights: Values })[];
}

interface Golden {
  readonly gan: Case<Record<'real' | 'noise' | 'fake' | 'noise2', Matrix>>;
  readonly autoencoder: Case<Record<'x' | 'target' | 'codes', Matrix>> & { readonly probe: Matrix };
  readonly cut: Case<Record<'x' | 'y' | 'y2' | 'features', Matrix>>;
  readonly inside: Case<Record<'x' | 'y' | 'inner', Matrix>> & { readonly parameters: number };
}

const golden: Golden = JSON.parse(readFileSync(new URL('../golden/nn/shared.json', import.meta.url), 'utf8'));
const TOLERANCE = 1e-4;

const flat = (nested: Nested): number[] => (typeof nested === 'number' ? [nested] : nested.flatMap(flat));

function expectClose(found: ArrayLike<number>, expected: readonly number[], what: string): void {
  expect(found.length, what).toBe(expected.length);
  const scale = Math.max(1, ...expected.map(Math.abs));
  const error = Math.max(...expected.map((value, k) => Math.abs(found[k] - value)));
  expect(error / scale, what).toBeLessThan(TOLERANCE);
}

/** `discriminator/dn/movingMean` as Keras' script calls it: `dn/moving_mean`. */
function kerasName(name: string): string {
  const short = name.split('/').slice(-2).join('/');
  return short.replace('movingMean', 'moving_mean').replace('movingVariance', 'moving_variance');
}

async function setAll(net: Model, values: Values): Promise<void> {
  const known = await net.getWeights();
  net.setWeights(known.map((w) => ({ ...w, data: Float32Array.from(flat(values[kerasName(w.name)])) })));
}

async function expectWeights(net: Model, values: Values, step: number): Promise<void> {
  for (const { name, data } of await net.getWeights()) {
    expectClose(data, flat(values[kerasName(name)]), `${name} after step ${step}`);
  }
}

async function expectOutputs(net: Model, x: Matrix, expected: Matrix, what: string): Promise<void> {
  expectClose(await (await net.predict(x)).data(), flat(expected), what);
}

const backends: readonly [string, () => Promise<Backend>][] = [
  ['CPU', async () => createCpuBackend()],
  ['WebGPU', () => createNodeWebGPUBackend()],
];

describe.each(backends)('shared layers go the way of Keras on %s', (_name, open) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await open();
  });
  beforeEach(() => setBackend(backend));
  afterAll(async () => {
    setBackend(undefined);
    await backend.dispose();
  });

  test('a GAN: the discriminator alone, then frozen behind the generator', async () => {
    const { start, steps } = golden.gan;
    using generator = sequential(
      [
        layers.dense({ units: 6, useBias: false, name: 'g1' }),
        layers.batchNormalization({ momentum: 0.8, name: 'gn' }),
        layers.activation({ activation: 'tanh', name: 'ga' }),
        layers.dense({ units: 2, name: 'g2' }),
      ],
      { inputShape: [3], name: 'generator' },
    );
    using discriminator = sequential(
      [
        layers.dense({ units: 7, activation: 'tanh', name: 'd1' }),
        layers.batchNormalization({ momentum: 0.7, name: 'dn' }),
        layers.dense({ units: 1, activation: 'sigmoid', name: 'd2' }),
      ],
      { inputShape: [2], name: 'discriminator' },
    );
    const loss = 'binaryCrossentropy';
    discriminator.compile({ optimizer: optimizers.adam({ learningRate: 0.02, beta1: 0.5 }), loss });
    discriminator.trainable = false;
    const noise = input({ shape: [3], name: 'noise' });
    using gan = model({ inputs: noise, outputs: discriminator(generator(noise)) });
    gan.compile({ optimizer: optimizers.adam({ learningRate: 0.03, beta1: 0.5 }), loss });
    await setAll(gan, start);
    for (const [k, step] of steps.entries()) {
      await expectOutputs(generator, step.noise, step.fake, `fakes of step ${k}`);
      const labels = [...step.real.map(() => [1]), ...step.fake.map(() => [0])];
      const own = await discriminator.trainOnBatch([...step.real, ...step.fake], labels);
      const through = await gan.trainOnBatch(
        step.noise2,
        step.noise2.map(() => [1]),
      );
      expectClose([own.loss, through.loss], step.losses, `losses of step ${k}`);
      await expectWeights(gan, step.weights, k);
      await expectWeights(generator, step.weights, k);
      await expectWeights(discriminator, step.weights, k);
    }
  });

  test('an encoder beside its autoencoder, each trained in turn, a layer frozen for one of them', async () => {
    const { start, steps, probe } = golden.autoencoder;
    const image = input({ shape: [6], name: 'image' });
    const first = layers.dense({ units: 5, activation: 'relu', name: 'e1' });
    const code = layers.dense({ units: 2, name: 'code' })(
      layers.batchNormalization({ momentum: 0.6, name: 'en' })(first(image)),
    );
    const hidden = layers.dense({ units: 5, activation: 'relu', name: 'h1' })(code);
    using encoder = model({ inputs: image, outputs: code });
    using whole = model({ inputs: image, outputs: layers.dense({ units: 6, name: 'h2' })(hidden) });
    whole.compile({ optimizer: optimizers.rmsprop({ learningRate: 0.01, momentum: 0.5 }), loss: 'mse' });
    first.trainable = false;
    encoder.compile({ optimizer: optimizers.sgd({ learningRate: 0.05, momentum: 0.9 }), loss: 'mse' });
    await setAll(whole, start);
    for (const [k, step] of steps.entries()) {
      const { loss } = await whole.trainOnBatch(step.x, step.x);
      await expectOutputs(encoder, probe, step.codes, `codes of step ${k}`);
      const own = await encoder.trainOnBatch(step.x, step.target);
      expectClose([loss, own.loss], step.losses, `losses of step ${k}`);
      await expectWeights(whole, step.weights, k);
      await expectWeights(encoder, step.weights, k);
    }
  });

  test('a model that is cut, and a new head on what is left', async () => {
    const { start, steps } = golden.cut;
    using net = sequential(
      [
        layers.dense({ units: 6, activation: 'tanh', name: 'c1' }),
        layers.dense({ units: 5, activation: 'tanh', name: 'c2' }),
        layers.dense({ units: 3, name: 'c3' }),
      ],
      { inputShape: [4] },
    );
    net.compile({ optimizer: optimizers.adam({ learningRate: 0.02 }), loss: 'mse' });
    await setAll(net, start);
    using features = sequential(net.layers.slice(0, -1));
    using headed = sequential([...net.layers.slice(0, -1), layers.dense({ units: 1, name: 'head' })]).build([4]);
    headed.compile({
      optimizer: optimizers.sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true }),
      loss: 'mse',
    });
    await setAll(headed, start);
    for (const [k, step] of steps.entries()) {
      const { loss } = await net.trainOnBatch(step.x, step.y);
      await expectOutputs(features, step.x, step.features, `features of step ${k}`);
      const own = await headed.trainOnBatch(step.x, step.y2);
      expectClose([loss, own.loss], step.losses, `losses of step ${k}`);
      for (const one of [net, headed, features]) await expectWeights(one, step.weights, k);
    }
  });

  test('a layer inside a nested model and beside it has its weights once', async () => {
    const { start, steps, parameters } = golden.inside;
    const dense = layers.dense({ units: 4, activation: 'tanh', name: 'dense_in' });
    const norm = layers.batchNormalization({ momentum: 0.5, name: 'norm_in' });
    using inner = sequential([dense, norm], { inputShape: [4], name: 'inner' });
    const x = input({ shape: [4], name: 'x' });
    using net = model({ inputs: x, outputs: layers.dense({ units: 1, name: 'last' })(norm(dense(inner(x)))) });
    expect(net.countParams()).toBe(parameters);
    net.compile({ optimizer: optimizers.adam({ learningRate: 0.02 }), loss: 'mse' });
    await setAll(net, start);
    for (const [k, step] of steps.entries()) {
      const { loss } = await net.trainOnBatch(step.x, step.y);
      expectClose([loss], step.losses, `loss of step ${k}`);
      await expectWeights(net, step.weights, k);
      await expectOutputs(inner, step.x, step.inner, `inner model after step ${k}`);
    }
  });
});

/**
 * A layer that a user writes has the rights of the built-in ones: weights of both kinds, values it assigns in training,
 * random numbers of its own, a place in JSON.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { constant, zeros } from '../../src/nn/initializers.ts';
import { type CallContext, Layer, type LayerConfig, registerLayer, type WeightSpec } from '../../src/nn/layer.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { add, mul, sub } from '../../src/ops/elementwise/binary.ts';
import { mean } from '../../src/ops/reduction/reduce.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { Sequential, sequential } from '../../src/train/model/sequential.ts';
import type { Shape } from '../../src/util/shape.ts';
import { expectRefusal } from '../data/refusal.ts';

/** Takes a moving mean off its input and multiplies by a gain: half of a batch normalisation. */
class Centering extends Layer {
  override readonly className = 'Centering';
  private readonly momentum: number;

  constructor(options: { readonly momentum: number; readonly name?: string }) {
    super(options);
    this.momentum = options.momentum;
  }

  override get config(): LayerConfig {
    return { momentum: this.momentum };
  }

  override build(inputShape: Shape): readonly WeightSpec[] {
    return [
      { name: 'mean', shape: inputShape, initializer: zeros(), trainable: false },
      { name: 'gain', shape: inputShape, initializer: constant({ value: 1 }), trainable: true },
      { name: 'count', shape: [], initializer: zeros(), trainable: false },
    ];
  }

  override call(x: Tensor, [moving, gain, count]: readonly Tensor[], context: CallContext): Tensor {
    if (!context.training) return mul(sub(x, moving), gain);
    const batch = mean(x, { axes: 0 });
    context.assign('mean', add(moving, mul(sub(batch, moving), 1 - this.momentum)));
    context.assign('count', add(count, 1));
    return mul(sub(x, batch), gain);
  }
}

const x = [
  [1, 10],
  [3, 30],
];

function model(): Sequential {
  return sequential([new Centering({ momentum: 0.5 }), layers.dense({ units: 1 })], { inputShape: [2] }).compile({
    optimizer: 'sgd',
    loss: 'mse',
  });
}

async function weight(of: Sequential, name: string): Promise<number[]> {
  return [...(await of.getWeights()).find((value) => value.name === name)!.data];
}

beforeAll(() => setBackend(createCpuBackend()));
afterAll(() => setBackend(undefined));

describe('a layer with moving averages', () => {
  test('assigns in training, and only there', async () => {
    using trained = model();
    expect((await trained.getWeights()).map(({ name }) => name)).toEqual([
      'centering/mean',
      'centering/gain',
      'centering/count',
      'dense/kernel',
      'dense/bias',
    ]);
    await trained.predict(x);
    await trained.evaluate(x, [1, 2]);
    await trained.gradientsOnBatch(x, [1, 2]);
    expect(await weight(trained, 'centering/mean')).toEqual([0, 0]);
    await trained.trainOnBatch(x, [1, 2]);
    expect(await weight(trained, 'centering/mean')).toEqual([1, 10]);
    await trained.fit(x, [1, 2], { epochs: 2, verbose: 0 });
    expect(await weight(trained, 'centering/mean')).toEqual([1.75, 17.5]);
    expect(await weight(trained, 'centering/count')).toEqual([3]);
  });

  test('has its non-trainable weights counted apart', () => {
    const text = model().summary();
    expect(text).toContain('│ centering (Centering)           │ (None, 2)              │             5 │');
    expect(text).toContain(' Trainable params: 5 (20.00 B)\n Non-trainable params: 3 (12.00 B)');
  });

  test('goes through JSON once it is registered', async () => {
    using trained = model();
    await trained.trainOnBatch(x, [1, 2]);
    const saved = await trained.save();
    await expectRefusal(() => Sequential.load(saved), 'argument', /unknown layer "Centering"\. Known: InputLayer/);
    registerLayer(Centering);
    using loaded = Sequential.load(saved);
    expect(await loaded.getWeights()).toEqual(await trained.getWeights());
    expect(await (await loaded.predict(x)).data()).toEqual(await (await trained.predict(x)).data());
  });

  test('cannot assign to what is not there or is trained', async () => {
    class Wrong extends Centering {
      override call(tensor: Tensor, weights: readonly Tensor[], context: CallContext): Tensor {
        context.assign('gain', weights[1]);
        return tensor;
      }
    }
    using wrong = sequential([new Wrong({ momentum: 0 })], { inputShape: [2] }).compile({
      optimizer: 'sgd',
      loss: 'mse',
    });
    await expectRefusal(
      () => wrong.trainOnBatch(x, x),
      'argument',
      /cannot assign to "gain"; its non-trainable weights: mean, count/,
    );
  });
});

test('the last layer may be anything: a loss on images', async () => {
  using images = sequential([layers.conv2d({ filters: 2, kernelSize: 3, padding: 'same' })], { inputShape: [4, 4, 1] });
  images.compile({ optimizer: 'adam', loss: 'mae', metrics: ['mse'] });
  const data = { data: Float32Array.from({ length: 48 }, (_, k) => Math.sin(k)), shape: [3, 4, 4] };
  const target = { data: new Float32Array(96).fill(0.5), shape: [3, 4, 4, 2] };
  const before = await images.evaluate(data, target);
  for (let k = 0; k < 10; k++) await images.trainOnBatch(data, target);
  expect((await images.evaluate(data, target)).loss).toBeLessThan(before.loss);
});

/**
 * What golden figures cannot show. Layers that draw random numbers: the moments of a large draw, the same numbers for the
 * same key, nothing at inference, on the CPU backend and on WebGPU. BatchNormalization frozen and far from zero. A user's
 * function as a layer. Refusals of these families.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import { Tensor } from '../../src/core/tensor.ts';
import type { CallContext, Layer } from '../../src/nn/layer.ts';
import { registerFunction } from '../../src/nn/layers/core/lambda.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { mul } from '../../src/ops/elementwise/binary.ts';
import { evaluate, setBackend } from '../../src/runtime/index.ts';
import { Sequential } from '../../src/train/model/sequential.ts';
import { Prng } from '../../src/util/prng.ts';

const backends = new Map<string, Backend>();

beforeAll(async () => {
  backends.set('cpu', createCpuBackend());
  backends.set('webgpu', await createNodeWebGPUBackend());
});
afterAll(async () => {
  setBackend(undefined);
  for (const backend of backends.values()) await backend.dispose();
});

interface Call {
  readonly training?: boolean;
  readonly key?: readonly [number, number];
  readonly stream?: number;
}

/** A context, and what the layer assigns in it. */
function contextOf({ training = true, key = [7, 3], stream = 0 }: Call = {}) {
  const assigned = new Map<string, Tensor>();
  const context: CallContext = {
    training,
    key: training ? Tensor.host({ shape: [2], dtype: 'u32' }, Uint32Array.from(key)) : undefined,
    stream,
    assign: (name, value) => assigned.set(name, value),
    addLoss: () => {},
  };
  return { context, assigned };
}

const SHAPE = [50, 20, 10];

async function run(layer: Layer, values: Float32Array, call?: Call, shape = SHAPE): Promise<Float32Array> {
  const [output] = layer.apply([Tensor.host({ shape, dtype: 'f32' }, values)], [], contextOf(call).context);
  return Float32Array.from(await output.data());
}

const bell = new Prng(5);
const normal = Float32Array.from({ length: 10_000 }, () => bell.bell());
const ones = new Float32Array(10_000).fill(1);

function moments(values: Float32Array): { mean: number; variance: number } {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return { mean, variance: values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length };
}

describe.each(['cpu', 'webgpu'])('on %s', (name) => {
  beforeAll(() => setBackend(backends.get(name)));

  // Bounds: five standard errors of 10,000 draws (of 500 where a channel is drawn as a whole).
  test.each([
    ['gaussianNoise', () => layers.gaussianNoise({ stddev: 0.5 }), ones, 1, 0.25, 0.025, 0.018],
    ['gaussianDropout', () => layers.gaussianDropout({ rate: 0.2 }), ones, 1, 0.25, 0.025, 0.018],
    ['dropout', () => layers.dropout({ rate: 0.2 }), ones, 1, 0.25, 0.025, 0.02],
    ['spatialDropout1d', () => layers.spatialDropout1d({ rate: 0.2 }), ones, 1, 0.25, 0.112, 0.09],
    ['alphaDropout', () => layers.alphaDropout({ rate: 0.2 }), normal, 0, 1, 0.06, 0.09],
  ] as const)('%s has the moments of its formula', async (_name, make, x, mean, variance, meanBound, varianceBound) => {
    const found = moments(await run(make(), x));
    expect(Math.abs(found.mean - mean)).toBeLessThan(meanBound);
    expect(Math.abs(found.variance - variance)).toBeLessThan(varianceBound);
  });

  test.each([
    ['gaussianNoise', () => layers.gaussianNoise({ stddev: 0.5 })],
    ['gaussianDropout', () => layers.gaussianDropout({ rate: 0.2 })],
    ['spatialDropout1d', () => layers.spatialDropout1d({ rate: 0.2 })],
    ['alphaDropout', () => layers.alphaDropout({ rate: 0.2 })],
  ] as const)('%s is a function of key and stream, and nothing at inference', async (_name, make) => {
    const first = await run(make(), normal);
    expect(await run(make(), normal)).toEqual(first);
    expect(await run(make(), normal, { key: [7, 4] })).not.toEqual(first);
    expect(await run(make(), normal, { key: [8, 3] })).not.toEqual(first);
    expect(await run(make(), normal, { stream: 16 })).not.toEqual(first);
    expect(await run(make(), normal, { training: false })).toEqual(normal);
  });

  test('spatial dropout drops whole channels of an example', async () => {
    const check = (values: Float32Array, examples: number, pixels: number, channels: number) => {
      const kinds = new Set<number>();
      for (let b = 0; b < examples; b++) {
        for (let c = 0; c < channels; c++) {
          const channel = Array.from({ length: pixels }, (_, p) => values[(b * pixels + p) * channels + c]);
          expect(new Set(channel).size).toBe(1);
          kinds.add(channel[0]);
        }
      }
      expect([...kinds].sort()).toEqual([0, 2]);
    };
    check(await run(layers.spatialDropout1d({ rate: 0.5 }), ones), 50, 20, 10);
    check(await run(layers.spatialDropout2d({ rate: 0.5 }), ones, {}, [50, 4, 5, 10]), 50, 20, 10);
  });

  test('batch normalization keeps its accuracy far from zero', async () => {
    const x = normal.map((value) => value + 1000);
    const weights = [1, 0, 0, 1].map((value) =>
      Tensor.host({ shape: [10], dtype: 'f32' }, new Float32Array(10).fill(value)),
    );
    const { context, assigned } = contextOf();
    const layer = layers.batchNormalization({ momentum: 0 });
    const [output] = layer.apply([Tensor.host({ shape: SHAPE, dtype: 'f32' }, x)], weights, context);
    const variance = assigned.get('movingVariance')!;
    await evaluate([output, variance]);
    for (let c = 0; c < 10; c++) {
      const channel = moments(x.filter((_, k) => k % 10 === c));
      expect(Math.abs((await variance.data())[c] / channel.variance - 1)).toBeLessThan(1e-3);
    }
    expect(Math.abs(moments(Float32Array.from(await output.data())).variance - 1)).toBeLessThan(2e-3);
  });

  test('frozen batch normalization runs on moving statistics in training and moves nothing', async () => {
    const layer = layers.batchNormalization({ trainable: false });
    const weights = [2, 1, 0.5, 4].map((value) =>
      Tensor.host({ shape: [10], dtype: 'f32' }, new Float32Array(10).fill(value)),
    );
    const outputs: Float32Array[] = [];
    for (const training of [true, false]) {
      const { context, assigned } = contextOf({ training });
      const [output] = layer.apply([Tensor.host({ shape: SHAPE, dtype: 'f32' }, normal)], weights, context);
      outputs.push(Float32Array.from(await output.data()));
      expect(assigned.size).toBe(0);
    }
    expect(outputs[0]).toEqual(outputs[1]);
    outputs[0].forEach((value, k) => {
      expect(value).toBeCloseTo(((normal[k] - 0.5) / Math.sqrt(4 + 1e-3)) * 2 + 1, 4);
    });
  });
});

describe('lambda', () => {
  test('without a registered name stands in JSON by its own, under which it must be handed in', () => {
    const layer = layers.lambda({ function: (x) => mul(x, 3), name: 'triple' });
    const json = new Sequential([layer], { inputShape: [2] }).toJSON();
    expect(json.layers[0].config.function).toEqual({ custom: 'triple' });
    expect(() => Sequential.fromJSON(json)).toThrow(/lambda "triple": its function "triple" is not part of the file/);
    const again = Sequential.fromJSON(json, 'm', { customObjects: { triple: (x: Tensor) => mul(x, 3) } });
    expect(again.toJSON()).toEqual(json);
  });

  test('is known by its name once registered, before and after', () => {
    const triple = (x: Tensor) => mul(x, 3);
    registerFunction('triple-for-test', triple);
    expect(layers.lambda({ function: triple }).config).toEqual({ function: 'triple-for-test' });
    expect(() => layers.lambda({ function: 'triple-for-tset' })).toThrow(/did you mean "triple-for-test"/);
  });
});

test.each([
  ['momentum', () => layers.batchNormalization({ momentum: 1.5 }), /batchNormalization: momentum .* 1\.5/],
  ['NaN epsilon', () => layers.batchNormalization({ epsilon: Number.NaN }), /batchNormalization: epsilon .* NaN/],
  ['the batch axis', () => layers.batchNormalization({ axis: 0 }), /batchNormalization: axis .* batch axis/],
  [
    'a misspelt option',
    () => layers.batchNormalization({ momentun: 0.9 } as object),
    /unknown option "momentun"; did you mean "momentum"/,
  ],
  [
    'an axis that is not there',
    () => layers.batchNormalization({ axis: 3 }).outputShape([4]),
    /axis 3 is not one of examples of shape \[4\]/,
  ],
  [
    'groups that do not divide',
    () => layers.groupNormalization({ groups: 3 }).outputShape([4]),
    /4 channels do not divide into 3 groups/,
  ],
  ['an axis twice', () => layers.layerNormalization({ axis: [1, -1] }).outputShape([4]), /names an axis twice/],
  ['negative slope', () => layers.leakyRelu({ negativeSlope: -1 }), /leakyRelu: negativeSlope .* -1/],
  ['a ceiling below 0', () => layers.relu({ maxValue: -1 }), /relu: maxValue .* -1/],
  ['a rate of 1', () => layers.alphaDropout({ rate: 1 }), /alphaDropout: rate .* 1/],
  ['negative noise', () => layers.gaussianNoise({ stddev: -0.1 }), /gaussianNoise: stddev .* -0\.1/],
  [
    'a shape that does not fit',
    () => layers.reshape({ targetShape: [5, -1] }).outputShape([2, 3]),
    /\[2,3\] have 6 values/,
  ],
  ['two open sizes', () => layers.reshape({ targetShape: [-1, -1] }), /at most one of them -1/],
  ['dims from 0', () => layers.permute({ dims: [0, 1] }), /permute: dims .* counted from 1/],
  [
    'a matrix to repeat',
    () => layers.repeatVector({ n: 2 }).outputShape([2, 3]),
    /examples must be vectors, found shape \[2,3\]/,
  ],
  [
    'an image as a sequence',
    () => layers.spatialDropout1d({ rate: 0.1 }).outputShape([2, 2, 3]),
    /examples must be sequences/,
  ],
] as const)('refused: %s', (_title, make, message) => {
  expect(make).toThrow(message);
});

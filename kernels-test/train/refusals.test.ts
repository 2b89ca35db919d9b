/** Every bad input of the Model API: which error, naming what, offering which way out. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { Layer, type LayerConfig } from '../../src/nn/layer.ts';
import { layers, makeLayer } from '../../src/nn/layers/index.ts';
import { type LossLike, resolveLoss } from '../../src/nn/losses/index.ts';
import type { MetricLike } from '../../src/nn/metrics/index.ts';
import { optimizers, resolveOptimizer } from '../../src/nn/optimizers/index.ts';
import { setBackend } from '../../src/runtime/index.ts';
import type { FitOptions } from '../../src/train/loop/training-options.ts';
import { Sequential, sequential } from '../../src/train/model/sequential.ts';
import { zooModel } from '../../src/zoo/index.ts';
import { expectRefusal } from '../data/refusal.ts';
import { toyData, toyModel } from './toy.ts';

beforeAll(() => setBackend(createCpuBackend()));
afterAll(() => setBackend(undefined));

describe('layers', () => {
  test.each([
    [() => layers.dense({} as never), /dense: units must be a whole number of at least 1, found undefined/],
    [() => layers.dense({ units: 0 }), /units must be .* found 0/],
    [() => layers.dense({ units: 2.5 }), /units must be .* found 2.5/],
    [
      () => layers.dense({ units: 3, activaton: 'relu' } as never),
      /unknown option "activaton"; did you mean "activation"/,
    ],
    [
      () => layers.dense({ units: 3, activation: 'rleu' as never }),
      /unknown activation of dense: "rleu"; did you mean "relu"/,
    ],
    [() => layers.dense({ units: 3, useBias: 1 as never }), /useBias must be true or false, found 1/],
    [() => layers.dense(3 as never), /dense: expected an object of options such as \{ name: … \}, found 3/],
    [() => layers.dense({ units: 3, name: 'a b' }), /name must be a word .* found "a b"/],
    [() => layers.conv2d({ filters: 3, kernelSize: [3] as never }), /kernelSize must be a number or \[height, width\]/],
    [
      () => layers.conv2d({ filters: 3, kernelSize: 3, padding: 'sam' as never }),
      /unknown padding of conv2d: "sam"; did you mean "same"/,
    ],
    [() => layers.maxPooling2d({ poolSize: 0 }), /poolSize must be a whole number of at least 1, found 0/],
    [() => layers.dropout({ rate: 1 }), /dropout: rate must be a finite number from 0 to below 1, found 1/],
    [() => layers.dropout({ rate: Number.NaN }), /found NaN/],
    [
      () => layers.activation({ activation: 'swich' as never }),
      /unknown activation of activation: "swich"; did you mean "swish"/,
    ],
    [() => layers.input({ shape: 28 as never }), /shape must list the sizes of one example/],
    [() => makeLayer('Dens', {}), /unknown layer "Dens"; did you mean "Dense"/],
    [() => makeLayer(undefined, {}), /unknown layer/],
  ])('%s', async (call, message) => {
    await expectRefusal(call, 'argument', message);
  });

  test('an input shape has no empty axis', async () => {
    await expectRefusal(() => layers.input({ shape: [0] }), 'shape', /has an empty axis/);
  });
});

describe('models', () => {
  test.each([
    [() => sequential([3 as never]), /add takes a layer, found 3/],
    [() => sequential('dense' as never), /expected an array of layers, found "dense"/],
    [() => sequential([], { nam: 'x' } as never), /unknown option "nam"; did you mean "name"/],
    [() => sequential([], { seed: -1 }), /seed must be a whole number of at least 0, found -1/],
    [() => sequential([], { seed: 2 ** 32 }), /seed must be a finite number from 0 to 4294967295/],
    [() => sequential([layers.flatten({ name: 'a' }), layers.flatten({ name: 'a' })]), /two layers are named "a"/],
    [() => zooModel('lenett'), /unknown model "lenett"; did you mean "lenet"/],
    [() => zooModel('mlp', { classes: 1 }), /classes must be a whole number of at least 2, found 1/],
  ])('%s', async (call, message) => {
    await expectRefusal(call, 'argument', message);
  });

  test('one layer cannot be added twice', async () => {
    const layer = layers.flatten();
    await expectRefusal(() => sequential([layer, layer]), 'argument', /flatten "flatten" is already in it/);
  });

  test('shapes that a layer does not accept name the layer', async () => {
    const conv = layers.conv2d({ filters: 2, kernelSize: 5, name: 'c1' });
    await expectRefusal(() => sequential([conv]).build([784]), 'shape', /conv2d "c1": examples must be images/);
    await expectRefusal(
      () => sequential([layers.maxPooling2d()]).build([28, 28]),
      'shape',
      /max_pooling2d.*give them the shape \[28,28,1\]/,
    );
    const tooSmall = sequential([layers.conv2d({ filters: 2, kernelSize: 5 })], { inputShape: [3, 3, 1] });
    await expectRefusal(() => tooSmall.build(), 'shape', /conv2d/);
    await expectRefusal(() => sequential([]).build([3]), 'state', /has no layers/);
    await expectRefusal(() => sequential([layers.dense({ units: 1 })]).build([]), 'shape', /examples are scalars/);
    await expectRefusal(() => sequential([layers.flatten()]).build(), 'state', /does not know its input shape/);
    const built = sequential([layers.flatten()]).build([3]);
    await expectRefusal(() => built.build([4]), 'state', /is built for examples \[3\]; found \[4\]/);
    const contradicting = sequential([layers.input({ shape: [3] }), layers.flatten()], { inputShape: [4] });
    await expectRefusal(() => contradicting.build(), 'shape', /says \[3\], but its input has shape \[4\]/);
  });

  test('a layer of the user that breaks its promise is named', async () => {
    class Broken extends Layer {
      override readonly className = 'Broken';
      constructor(private readonly give: (x: Tensor) => unknown) {
        super();
      }
      override get config(): LayerConfig {
        return {};
      }
      override call(x: Tensor): Tensor {
        return this.give(x) as Tensor;
      }
    }
    const model = (give: (x: Tensor) => unknown) => sequential([new Broken(give)], { inputShape: [2] });
    const { reshape } = await import('../../src/ops/layout/shape.ts');
    const { greater } = await import('../../src/ops/elementwise/compare.ts');
    await expectRefusal(() => model(() => undefined).build(), 'argument', /broken "broken": call must return a tensor/);
    await expectRefusal(() => model((x) => greater(x, 0)).build(), 'dtype', /call must return f32, it returned bool/);
    await expectRefusal(() => model((x) => reshape(x, [x.size])).build(), 'shape', /must keep the batch axis first/);
  });

  test('layers come before weights', async () => {
    using model = toyModel();
    await model.getWeights();
    await expectRefusal(() => model.add(layers.flatten()), 'state', /has its weights already/);
  });

  test('a disposed model says so', async () => {
    const model = toyModel();
    model.dispose();
    await expectRefusal(() => model.predict([[1, 2]]), 'state', /was used after dispose/);
    await expectRefusal(() => model.fit(toyData(), { verbose: 0 }), 'state', /was used after dispose/);
  });
});

describe('compile', () => {
  const compile = (optimizer: unknown, loss: unknown, metrics?: unknown) => () =>
    toyModel().compile({ optimizer: optimizer as 'adam', loss: loss as LossLike, metrics: metrics as MetricLike[] });

  test.each([
    [compile('adm', 'mse'), /unknown optimizer "adm"; did you mean "adam"/],
    [compile(undefined, 'mse'), /unknown optimizer/],
    [compile('adam', 'meanSquareError'), /unknown loss "meanSquareError"; did you mean "meanSquaredError"/],
    [compile('adam', 'mse', ['acuracy']), /unknown metric "acuracy"; did you mean "accuracy"/],
    [compile('adam', 'mse', 'accuracy'), /metrics must be an array such as \['accuracy'\], found "accuracy"/],
    [
      compile('adam', 'sparseCategoricalCrossentropy', ['mse']),
      /metric "mse" needs targets of the output's shape \[3\]/,
    ],
    [compile('adam', 'mse', ['mae', 'mae']), /two values would be logged as "mae"; names so far: loss, mae/],
    [
      () => optimizers.adam({ learningRate: Number.NaN }),
      /learningRate must be a finite number of at least 0, found NaN/,
    ],
    [() => optimizers.sgd({ learningRate: -0.1 }), /learningRate must be .* found -0.1/],
    [() => optimizers.sgd({ learningRate: '0.1' as never }), /found "0.1"/],
    [() => optimizers.sgd({ momentum: 1 }), /sgd: momentum must be a finite number from 0 to below 1, found 1/],
    [() => optimizers.adam({ beta1: 2 }), /adam: beta1/],
    [() => optimizers.adam({ lr: 1 } as never), /adam: unknown option "lr"/],
    [
      () => resolveLoss('binaryCrossentropy', { fromLogit: true }),
      /unknown option "fromLogit"; did you mean "fromLogits"/,
    ],
    [() => resolveOptimizer('rmsProp'), /unknown optimizer "rmsProp"; did you mean "rmsprop"/],
  ])('%s', async (call, message) => {
    await expectRefusal(call, 'argument', message);
  });

  test('a learning rate set later is checked too', async () => {
    const model = toyModel();
    const set = () => {
      model.learningRate = Number.NaN;
    };
    await expectRefusal(set, 'argument', /learningRate/);
  });
});

describe('fit, evaluate, predict', () => {
  const x = [
    [1, 2],
    [3, 4],
  ];
  const fitting =
    (y: unknown, options: FitOptions = {}, examples: unknown = x) =>
    () =>
      toyModel().fit(examples as number[][], y as number[], { verbose: 0, ...options });

  test.each([
    [fitting([0, 1], { batchSize: 0 }), 'argument', /fit: batchSize must be a whole number of at least 1, found 0/],
    [fitting([0, 1], { batchSize: 1.5 }), 'argument', /batchSize .* found 1.5/],
    [fitting([0, 1], { epochs: 0 }), 'argument', /epochs must be a whole number of at least 1, found 0/],
    [fitting([0, 1], { epochs: 2, initialEpoch: 2 }), 'argument', /initialEpoch must be below epochs/],
    [fitting([0, 1], { epoch: 2 } as never), 'argument', /fit: unknown option "epoch"; did you mean "epochs"/],
    [fitting([0, 1], { seed: 0.5 }), 'argument', /seed must be a whole number/],
    [fitting([0, 1], { validationSplit: 1 }), 'argument', /validationSplit must be a finite number from 0 to below 1/],
    [fitting([0, 1], { validationSplit: 0.1, validationData: [x, [0, 1]] }), 'argument', /exclude each other/],
    [
      fitting([0], { validationSplit: 0.5 }, [[1, 2]]),
      'argument',
      /must leave examples on both sides: of 1 examples, 0/,
    ],
    [fitting([0, 1], { callbacks: [3 as never] }), 'argument', /callbacks must be an array of callbacks/],
    [fitting([0, 1], { verbose: 2 as never }), 'argument', /verbose must be 0 or 1, found 2/],
    [fitting([0, 3]), 'data', /y: label 3 of example 1 is out of range; expected 0 to 2 \(the model has 3 outputs\)/],
    [fitting([0, -1]), 'data', /label -1 of example 1 is out of range/],
    [fitting([0, 0.5]), 'data', /label 0.5 of example 1 is not a whole number/],
    [fitting([0, Number.NaN]), 'data', /label NaN of example 1/],
    [fitting([0]), 'data', /x has 2 examples but y has 1 targets; expected as many/],
    [fitting([], {}, []), 'data', /x is empty/],
    [
      fitting([
        [1, 0, 0],
        [0, 1, 0],
      ]),
      'shape',
      /targets have shape \[3\]; sparseCategoricalCrossentropy takes one class id an example; for one-hot rows, use the loss categoricalCrossentropy/,
    ],
    [
      fitting([0, 1], {}, [
        [1, 2, 3],
        [4, 5, 6],
      ]),
      'shape',
      /x: examples have shape \[3\]; model "sequential" takes \[2\]/,
    ],
    [fitting(undefined), 'argument', /y: expected a tensor, nested arrays/],
    [fitting([0, 1], { validationData: [[[1]], [0]] }), 'shape', /validation x: examples have shape \[1\]/],
    [fitting([0, 1], { validationData: [x, [0, 5]] }), 'data', /validation y: label 5 of example 1/],
  ] as const)('%s %s', async (call, code, message) => {
    await expectRefusal(call, code, message);
  });

  test('losses over values want the output shape', async () => {
    const regression = sequential([layers.dense({ units: 2 })], { inputShape: [2] });
    regression.compile({ optimizer: 'sgd', loss: 'mse' });
    await expectRefusal(
      () => regression.fit(x, [1, 2], { verbose: 0 }),
      'shape',
      /targets have shape \[\]; meanSquaredError takes the model's output shape \[2\]/,
    );
    const categorical = toyModel().compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' });
    await expectRefusal(
      () => categorical.fit(x, [0, 1], { verbose: 0 }),
      'shape',
      /for class ids, use the loss sparseCategoricalCrossentropy/,
    );
  });

  test('a model is compiled before it is trained', async () => {
    const model = sequential([layers.dense({ units: 2 })]);
    await expectRefusal(
      () => model.fit(x, x, { verbose: 0 }),
      'state',
      /fit: model "sequential" is not compiled; call model.compile/,
    );
    await expectRefusal(() => model.evaluate(x, x), 'state', /evaluate: .* is not compiled/);
    await expectRefusal(() => model.trainOnBatch(x, x), 'state', /trainOnBatch/);
    await expectRefusal(() => model.learningRate, 'state', /not compiled/);
  });

  test('prediction checks its input', async () => {
    using model = toyModel();
    await expectRefusal(
      () => model.predict([[1]]),
      'shape',
      /x: examples have shape \[1\]; model "sequential" takes \[2\]/,
    );
    await expectRefusal(() => model.predict([[1, 2]], { batchSize: -1 }), 'argument', /predict: batchSize/);
    await expectRefusal(() => model.predict([[1, 2]], { batch: 1 } as never), 'argument', /unknown option "batch"/);
  });

  test('without a backend the error says what to call', async () => {
    setBackend(undefined);
    await expectRefusal(() => toyModel().predict([[1, 2]]), 'state', /no backend is set/);
    setBackend(createCpuBackend());
  });

  test('nothing was uploaded when data was refused', async () => {
    const backend = createCpuBackend();
    setBackend(backend);
    await expectRefusal(fitting([0, 3]), 'data');
    expect(backend.counters.buffersCreated).toBe(0);
  });

  test('a weight larger than the adapter can bind is refused before step 0', async () => {
    const backend = createCpuBackend();
    setBackend(
      new Proxy(backend, {
        get: (target, key) =>
          key === 'target' ? { ...backend.target, maxStorageBufferBindingSize: 64 } : Reflect.get(target, key),
      }),
    );
    await expectRefusal(
      fitting([0, 1]),
      'device',
      /weight "dense_1\/kernel" \[8,3\] takes 96 B; .* binds at most 64 B/,
    );
    setBackend(backend);
  });
});

describe('weights and JSON', () => {
  test('weights that do not fit are refused, and nothing is changed', async () => {
    using model = toyModel();
    const weights = await model.getWeights();
    const [first, ...rest] = weights;
    await expectRefusal(() => model.setWeights(rest), 'argument', /"dense\/kernel" missing; the model has 4 weights/);
    await expectRefusal(() => model.setWeights([...weights, first]), 'argument', /"dense\/kernel" comes twice/);
    const renamed = [{ ...first, name: 'dense/kernal' }, ...rest];
    await expectRefusal(
      () => model.setWeights(renamed),
      'argument',
      /"dense\/kernal" is not a weight of the model; the model's nearest is "dense\/kernel"/,
    );
    const reshaped = [{ ...first, shape: [8, 2] }, ...rest];
    await expectRefusal(
      () => model.setWeights(reshaped),
      'argument',
      /"dense\/kernel" is \[8,2\] with 16 values; the model has \[2,8\]/,
    );
    expect(await model.getWeights()).toEqual(weights);
  });

  test('corrupt or mismatched files are refused, and nothing is changed', async () => {
    using model = toyModel();
    const { json, weights } = await model.save();
    await expectRefusal(() => Sequential.load({ json, weights: weights.subarray(0, 40) }), 'file', /truncated/);
    await expectRefusal(() => Sequential.load({ json: '{', weights }), 'file', /model JSON: not JSON/);
    await expectRefusal(
      () => Sequential.load({ json: '{"format":"x"}', weights }),
      'file',
      /expected a model with "format": "downhill-model"/,
    );
    const edit = (change: object) => JSON.stringify({ ...JSON.parse(json), ...change });
    await expectRefusal(
      () => Sequential.load({ json: edit({ version: 9 }), weights }),
      'file',
      /model version 9; this downhill reads 1/,
    );
    await expectRefusal(() => Sequential.fromJSON(edit({ layers: 3 })), 'file', /expected a Sequential/);
    await expectRefusal(
      () => Sequential.fromJSON(edit({ layers: [3] })),
      'file',
      /layer 0 is 3; expected className and config/,
    );
    await expectRefusal(
      () => Sequential.fromJSON(edit({ layers: [{ className: 'Dense', config: {} }] })),
      'argument',
      /units/,
    );
    using other = sequential([layers.dense({ units: 9 })], { inputShape: [2] });
    const before = await other.getWeights();
    await expectRefusal(() => other.loadWeights(weights, 'w.safetensors'), 'file', /w.safetensors: "dense/);
    expect(await other.getWeights()).toEqual(before);
  });

  test('functions of the user must be handed in again', async () => {
    const model = sequential([layers.dense({ units: 2, activation: (y) => y })], { inputShape: [2] });
    await expectRefusal(
      () => Sequential.fromJSON(model.toJSON()),
      'argument',
      /model JSON: dense: its activation "activation" is not part of the file; load the model with customObjects/,
    );
  });
});

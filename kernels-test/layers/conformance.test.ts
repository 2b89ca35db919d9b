/**
 * What every layer gets for free, from the cases at the end of its file: shape, parameter count, configuration and
 * weights through JSON and safetensors, CPU = GPU forward and backward, a loss that falls in ten steps.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import { Tensor } from '../../src/core/tensor.ts';
import { type CallContext, Layer, type LayerOptions, registerLayer } from '../../src/nn/layer.ts';
import type { LayerCase } from '../../src/nn/layer-case.ts';
import { dense } from '../../src/nn/layers/core/dense.ts';
import { LAYER_CLASSES, layerCases, layers, makeLayer } from '../../src/nn/layers/index.ts';
import { flatten } from '../../src/nn/layers/reshaping/flatten.ts';
import { reshape } from '../../src/ops/layout/shape.ts';
import { slice } from '../../src/ops/layout/slice.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { layerJson } from '../../src/train/model/model-json.ts';
import { Sequential } from '../../src/train/model/sequential.ts';
import { Prng } from '../../src/util/prng.ts';
import { type Shape, sizeOf } from '../../src/util/shape.ts';

const ROWS = 6;
const reference = createCpuBackend({ precision: 'f64' });
let gpu: Backend;

beforeAll(async () => {
  gpu = await createNodeWebGPUBackend();
});
afterAll(async () => {
  setBackend(undefined);
  await gpu.dispose();
});

/** A layer of several inputs as one of a single input, which it cuts into the parts that `layer` takes. */
class Parts extends Layer {
  override readonly className = 'Parts';
  override readonly config: { readonly layer: ReturnType<typeof layerJson>; readonly shapes: readonly Shape[] };
  private readonly layer: Layer;

  constructor({ layer, shapes, ...options }: Parts['config'] & LayerOptions) {
    super(options);
    this.config = { layer, shapes };
    this.layer = makeLayer(layer.className, layer.config);
  }

  override call(x: Tensor, weights: readonly Tensor[], context: CallContext): Tensor {
    let start = 0;
    const parts = this.config.shapes.map((shape) => {
      const part = slice(x, [0, start], [x.shape[0], sizeOf(shape)]);
      start += sizeOf(shape);
      return reshape(part, [x.shape[0], ...shape]);
    });
    return this.layer.apply(parts, weights, context)[0];
  }
}
registerLayer(Parts);

/** The layer of a case, for a model of one input. */
function single({ make, inputShapes }: LayerCase): Layer {
  if (inputShapes === undefined) return make();
  const layer = make();
  layer.name = 'parts';
  return new Parts({ layer: layerJson(layer), shapes: inputShapes });
}

function inputShapeOf({ inputShape, inputShapes }: LayerCase): Shape {
  return inputShape ?? [(inputShapes ?? []).reduce((total, shape) => total + sizeOf(shape), 0)];
}

function shapesOf({ inputShape, inputShapes }: LayerCase): readonly Shape[] {
  return inputShapes ?? [inputShape];
}

/** A regression around the layer: two numbers from whatever it gives. */
function modelOf(layerCase: LayerCase): Sequential {
  const layers = [single(layerCase), flatten(), dense({ units: 2 })];
  const model = new Sequential(layers, { inputShape: inputShapeOf(layerCase), seed: 3 });
  return model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
}

function dataOf(layerCase: LayerCase) {
  const inputShape = inputShapeOf(layerCase);
  const random = new Prng(11);
  const values = (count: number) => Float32Array.from({ length: count }, () => random.bell());
  const x = { data: values(ROWS * sizeOf(inputShape)), shape: [ROWS, ...inputShape] };
  return { x, y: { data: values(ROWS * 2), shape: [ROWS, 2] } };
}

/** What a model of the case computes on `backend`. */
async function results(layerCase: LayerCase, backend: Backend) {
  setBackend(backend);
  using model = modelOf(layerCase);
  const { x, y } = dataOf(layerCase);
  const predictions = await (await model.predict(x, { batchSize: ROWS })).data();
  const { gradients } = await model.gradientsOnBatch(x, y);
  return new Map([['predictions', [...predictions]], ...gradients.map(({ name, data }) => [name, [...data]] as const)]);
}

describe.each(layerCases.map((layerCase) => [layerCase.title, layerCase] as const))('%s', (_title, layerCase) => {
  test('gives its shape and counts its parameters', () => {
    const model = new Sequential([single(layerCase)], { inputShape: inputShapeOf(layerCase) });
    if (!(layerCase.make() instanceof LAYER_CLASSES.InputLayer)) {
      expect(model.outputShape).toEqual(layerCase.outputShape);
      expect(model.countParams()).toBe(layerCase.parameters);
    }
    expect(layerCase.make().outputShapes(shapesOf(layerCase))).toEqual([layerCase.outputShape]);
  });

  test('no tracing and no getter changes it', () => {
    const layer = layerCase.make();
    // What is written to a frozen object throws.
    Object.freeze(layer);
    expect(layer.outputShapes(shapesOf(layerCase))).toEqual([layerCase.outputShape]);
    const { config, streams, innerLayers, rectifies, label } = layer;
    expect([layer.config, layer.streams, layer.innerLayers, layer.rectifies, layer.label]).toEqual([
      ...[config, streams, innerLayers, rectifies, label],
    ]);
    const inputs = shapesOf(layerCase).map((shape) =>
      Tensor.placeholder('x', { shape: [ROWS, ...shape], dtype: 'f32' }),
    );
    const weights = layer
      .buildAll(shapesOf(layerCase))
      .map(({ name, shape }) => Tensor.placeholder(name, { shape, dtype: 'f32' }));
    const key = Tensor.placeholder('key', { shape: [2], dtype: 'u32' });
    layer.apply(inputs, weights, { training: true, key, stream: 0, assign: () => {}, addLoss: () => {} });
    expect(layer.config).toEqual(config);
  });

  test('is its configuration', () => {
    const layer = layerCase.make();
    layer.name = 'x';
    const { className, config } = JSON.parse(JSON.stringify(layerJson(layer)));
    const again = makeLayer(className, config);
    expect(layerJson(again)).toEqual(layerJson(layer));
    expect(again.outputShapes(shapesOf(layerCase))).toEqual([layerCase.outputShape]);
  });

  test('saves and loads', async () => {
    setBackend(reference);
    using model = modelOf(layerCase);
    const { x, y } = dataOf(layerCase);
    await model.trainOnBatch(x, y);
    using loaded = Sequential.load(await model.save());
    expect(await loaded.getWeights()).toEqual(
      (await model.getWeights()).map((weight) => ({ ...weight, data: Float32Array.from(weight.data) })),
    );
    const output = async (of: Sequential) => [...(await (await of.predict(x)).data())];
    const [before, after] = [await output(model), await output(loaded)];
    after.forEach((value, k) => {
      expect(value).toBeCloseTo(before[k], 5);
    });
  });

  test('CPU = GPU, forward and backward', async () => {
    const expected = await results(layerCase, reference);
    const found = await results(layerCase, gpu);
    expect([...found.keys()]).toEqual([...expected.keys()]);
    for (const [name, values] of expected) {
      const scale = Math.max(1e-3, ...values.map(Math.abs));
      const error = Math.max(0, ...found.get(name)!.map((value, k) => Math.abs(value - values[k])));
      expect(error / scale, name).toBeLessThan(1e-5);
    }
  });

  test('the loss falls in ten steps', async () => {
    setBackend(gpu);
    using model = modelOf(layerCase);
    model.learningRate = 0.02;
    const { x, y } = dataOf(layerCase);
    const { loss: before } = await model.evaluate(x, y);
    for (let step = 0; step < 10; step++) await model.trainOnBatch(x, y);
    const { loss: after } = await model.evaluate(x, y);
    expect(after).toBeLessThan(0.98 * before);
  });
});

test('every class of the table has cases and a factory', () => {
  const tried = new Set(layerCases.map(({ make }) => make().className));
  expect([...tried].sort()).toEqual(Object.keys(LAYER_CLASSES).sort());
  const made = new Set(Object.values(layers).map((factory) => factory.name));
  expect(made.size).toBe(Object.keys(LAYER_CLASSES).length);
});

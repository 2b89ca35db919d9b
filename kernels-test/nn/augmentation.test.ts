/**
 * Augmentation: pixels moved by given amounts are those that Keras gives, on the CPU backend and on WebGPU; the amounts
 * drawn are the same numbers on both, within their range, different for each example, and none at inference.
 * Goldens: golden/make/make-augmentation.py.
 */

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { drawUniform } from '../../src/nn/augmentation.ts';
import type { CallContext, Layer, LayerConfig } from '../../src/nn/layer.ts';
import { inputSymbol } from '../../src/nn/layers/core/input.ts';
import { layers, makeLayer } from '../../src/nn/layers/index.ts';
import { type AffineTransformOptions, affineTransform } from '../../src/ops/image/affine-transform.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { type TensorValues, tensor } from '../../src/runtime/tensor.ts';
import { sequential } from '../../src/train/model/sequential.ts';
import { Prng } from '../../src/util/prng.ts';

interface Case {
  readonly name: string;
  readonly config: LayerConfig & AffineTransformOptions;
  /** Of the layer; an op takes the amounts itself. */
  readonly method?: string;
  readonly x: TensorValues;
  readonly amounts: readonly TensorValues[];
  readonly output: TensorValues;
}

const cases: readonly Case[] = JSON.parse(
  readFileSync(new URL('../golden/nn/augmentations.json', import.meta.url), 'utf8'),
);
const backends = new Map<string, Backend>();
beforeAll(async () => {
  backends.set('cpu', createCpuBackend());
  backends.set('webgpu', await createNodeWebGPUBackend());
});
afterAll(async () => {
  setBackend(undefined);
  for (const backend of backends.values()) await backend.dispose();
});

/** What `make` gives on every backend, by name. */
async function onAll(make: () => Tensor): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>();
  for (const [name, backend] of backends) {
    setBackend(backend);
    found.set(name, [...(await make().data())]);
  }
  return found;
}

test.each(cases.map((golden) => [golden.name, golden.config, golden] as const))('%s %j as in Keras', async (...row) => {
  const { name, config, method, x, amounts, output } = row[2];
  const found = await onAll(() => {
    const [images, ...given] = [x, ...amounts].map((values) => tensor(values));
    if (method === undefined) return affineTransform(images, given[0], config);
    const layer = makeLayer(name, config) as unknown as Record<string, (...args: readonly Tensor[]) => Tensor>;
    return layer[method](images, ...given);
  });
  const expected = [output].flat(9) as number[];
  for (const [backend, values] of found) {
    expect(values.length).toBe(expected.length);
    const errors = values.map((value, k) => Math.abs(value - expected[k]));
    expect(Math.max(...errors), backend).toBeLessThan(1e-5 * Math.max(...expected.map(Math.abs)));
  }
});

const LAYERS: readonly (readonly [string, () => Layer])[] = [
  ['randomFlip', () => layers.randomFlip()],
  ['randomTranslation', () => layers.randomTranslation({ heightFactor: 0.3, widthFactor: 0.3 })],
  ['randomRotation', () => layers.randomRotation({ factor: 0.2 })],
  ['randomZoom', () => layers.randomZoom({ heightFactor: 0.3 })],
  ['randomCrop', () => layers.randomCrop({ height: 4, width: 4 })],
  ['randomContrast', () => layers.randomContrast({ factor: 0.5, valueRange: [-9, 9] })],
  ['randomBrightness', () => layers.randomBrightness({ factor: 0.5, valueRange: [-9, 9] })],
];

const BATCH = 32;

function contextOf(training: boolean, step = 0): CallContext {
  const key = training ? tensor(Uint32Array.from([5, step])) : undefined;
  return { training, key, stream: 16, assign: () => {}, addLoss: () => {} };
}

/** A batch in which every example is the same noise, so that what differs in the result was drawn. */
function sameImages(): Tensor {
  const random = new Prng(4);
  const image = Array.from({ length: 7 * 6 }, () => random.bell());
  const rows = Array.from({ length: BATCH }, () => image).flat();
  return tensor(Float32Array.from(rows), { shape: [BATCH, 7, 6, 1] });
}

const apply = (layer: Layer, x: Tensor, context: CallContext): Tensor => layer.apply([x], [], context)[0];

describe.each(LAYERS)('%s', (name, make) => {
  test('gives the same on CPU and WebGPU, another result at each step, and differs between examples', async () => {
    const [first, second] = [await onAll(() => step(0)), await onAll(() => step(1))];
    const [cpu, webgpu] = [first.get('cpu')!, first.get('webgpu')!];
    expect(Math.max(...cpu.map((value, k) => Math.abs(value - webgpu[k])))).toBeLessThan(1e-4);
    expect(second.get('cpu')).not.toEqual(cpu);
    const width = cpu.length / BATCH;
    const examples = Array.from({ length: BATCH }, (_, k) => String(cpu.slice(k * width, (k + 1) * width)));
    // Four outcomes of two coins, twelve places of the window; amounts that are drawn from a range never meet.
    const least = { randomFlip: 4, randomCrop: 8 }[name] ?? BATCH;
    expect(new Set(examples).size).toBeGreaterThanOrEqual(least);
  });

  test('changes nothing at inference', async () => {
    if (name === 'randomCrop') return;
    const images = [...(await sameImages().data())];
    const found = await onAll(() => apply(make(), sameImages(), contextOf(false)));
    for (const values of found.values()) expect(values).toEqual(images);
  });

  function step(number: number): Tensor {
    return apply(make(), sameImages(), contextOf(true, number));
  }
});

test('amounts are the same bits on CPU and WebGPU, uniform in their range', async () => {
  const [low, high] = [-0.25, 0.5];
  const draw = () => ({ key: tensor(Uint32Array.from([9, 3])), stream: 32, batch: 4000 });
  const found = await onAll(() => drawUniform(draw(), 1, [low, high]));
  const amounts = found.get('cpu')!;
  expect(found.get('webgpu')).toEqual(amounts);
  expect(Math.min(...amounts)).toBeGreaterThanOrEqual(low);
  expect(Math.max(...amounts)).toBeLessThanOrEqual(high);
  const mean = amounts.reduce((sum, amount) => sum + amount) / amounts.length;
  const variance = amounts.reduce((sum, amount) => sum + (amount - mean) ** 2, 0) / amounts.length;
  // Five standard errors: 0.0034 of the mean; the variance of a uniform number is its squared range over 12.
  expect(Math.abs(mean - (low + high) / 2)).toBeLessThan(0.0175);
  expect(variance / ((high - low) ** 2 / 12)).toBeCloseTo(1, 1);
});

test('a flip mirrors about half of the images, and leaves the others', async () => {
  const images = tensor(
    Float32Array.from({ length: 2000 }, (_, k) => k % 2),
    { shape: [1000, 1, 2, 1] },
  );
  const flipped = apply(layers.randomFlip({ mode: 'horizontal' }), images, contextOf(true));
  const values = await flipped.data();
  let mirrored = 0;
  for (let k = 0; k < 1000; k++) {
    expect([...values.slice(2 * k, 2 * k + 2)].sort()).toEqual([0, 1]);
    mirrored += values[2 * k];
  }
  // Five standard deviations of 1000 coins.
  expect(Math.abs(mirrored - 500)).toBeLessThan(80);
});

test('a crop is a window of the image', async () => {
  const images = tensor(
    Float32Array.from({ length: 64 * 30 }, (_, k) => k % 30),
    { shape: [64, 5, 6, 1] },
  );
  const found = await onAll(() => apply(layers.randomCrop({ height: 3, width: 4 }), images, contextOf(true)));
  expect(found.get('webgpu')).toEqual(found.get('cpu'));
  const values = found.get('cpu')!;
  const corners = new Set<number>();
  for (let k = 0; k < 64; k++) {
    const corner = values[12 * k];
    corners.add(corner);
    const window = [0, 1, 2].flatMap((y) => [0, 1, 2, 3].map((x) => corner + 6 * y + x));
    expect(values.slice(12 * k, 12 * k + 12)).toEqual(window);
  }
  expect([...corners].sort((a, b) => a - b)).toEqual([0, 1, 2, 6, 7, 8, 12, 13, 14]);
});

describe('refusals', () => {
  const zoom = (heightFactor: unknown) => layers.randomZoom({ heightFactor: heightFactor as number });
  test.each([
    [
      () => layers.randomRotation({ factor: 1.5 }),
      /^randomRotation: factor must be a number or \[low, high\] within \[-1, 1\], found 1.5/,
    ],
    [() => zoom(-1), /^randomZoom: heightFactor must be/],
    [() => zoom(Number.NaN), /^randomZoom: heightFactor must be .*found NaN/],
    [
      () => layers.randomContrast({ factor: -0.1 }),
      /^randomContrast: factor must be a finite number from 0 to 1, found -0.1/,
    ],
    [() => layers.randomFlip({ mode: 'horizntal' as 'horizontal' }), /did you mean "horizontal"/],
    [
      () => layers.randomBrightness({ factor: 0.1, valueRange: [1, 0] }),
      /^randomBrightness: valueRange must be \[low, high\], found \[1,0\]/,
    ],
    [() => layers.randomRotation({ factor: 0.1, fillMode: 'mirror' as 'wrap' }), /fillMode of randomRotation/],
    [() => layers.normalization({ mean: 1 }), /^normalization: mean is given without variance; give both or neither/],
    [() => layers.normalization().outputShape([3]), /^Normalization: has no statistics; call adapt\(data\) first/],
    [
      () => layers.cropping2d({ cropping: 2 }).outputShape([4, 9, 1]),
      /^Cropping2D: cropping \[2,2\] leaves nothing of axis 0/,
    ],
    [
      () => layers.zeroPadding2d({ padding: -1 }),
      /^zeroPadding2d: padding must be a whole number of at least 0, found -1/,
    ],
  ])('%s', (call, message) => {
    expect(call).toThrow(message);
  });

  test('adapt after a model was built with the layer; tracing alone changes nothing', () => {
    const layer = layers.normalization().adapt([
      [1, 2],
      [3, 6],
    ]);
    expect(layer.config).toEqual({ axis: [-1], invert: false, mean: [2, 4], variance: [1, 4] });
    Object.freeze(layer);
    expect(layer.outputShape([2])).toEqual([2]);
    expect(layer(inputSymbol({ shape: [2] })).shape).toEqual([2]);
    const again = layers.normalization({ axis: -1, mean: [2, 4], variance: [1, 4] });
    again.outputShape([2]);
    again.adapt([
      [1, 2],
      [5, 2],
    ]);
    expect(again.config).toMatchObject({ mean: [3, 2], variance: [4, 0] });
    using model = sequential([again], { inputShape: [2] });
    model.build();
    expect(() => again.adapt([[1, 2]])).toThrow(/adapt comes before the layer is used; a model has it already/);
  });
});

describe('merges', () => {
  const symbols = () => [
    layers.dense({ units: 4, name: 'wide' })(inputSymbol({ shape: [3] })),
    layers.dense({ units: 2, name: 'narrow' })(inputSymbol({ shape: [3] })),
  ];
  test.each([
    [
      () => layers.add()(symbols()),
      /Add: input 1 \[4\] and input 2 \[2\] do not fit.*dense "wide" \[4\] and dense "narrow" \[2\]/,
    ],
    [
      () => layers.dot({ axes: 1 })(symbols()),
      /Dot: .*axes 1 and 1 have 4 and 2.*dense "wide" \[4\] and dense "narrow" \[2\]/,
    ],
    [() => layers.subtract()([...symbols(), ...symbols()]), /Subtract: takes two inputs, found 4/],
    [() => layers.concatenate({ axis: 0 }), /^concatenate: axis must be a whole number other than 0, the batch axis/],
  ])('%s', (call, message) => {
    expect(call).toThrow(message);
  });

  test('concatenate names what does not fit', () => {
    const images = [4, 3].map((width) => inputSymbol({ shape: [2, width, 1] }));
    expect(() => layers.concatenate()(images)).toThrow(
      /input 1 \[2,4,1\] and input 2 \[2,3,1\] do not fit: all sizes but that of axis -1/,
    );
  });
});

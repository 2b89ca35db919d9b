/** Models as files: what is written, that it comes back, and that nothing is half-written. */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { Sequential } from '../../src/train/model/sequential.ts';
import { loadModel, saveModel } from '../../src/train/weights/files.node.ts';
import { readSafetensors } from '../../src/train/weights/safetensors.ts';
import { zoo } from '../../src/zoo/index.ts';
import { expectRefusal } from '../data/refusal.ts';
import { toyData, toyModel } from './toy.ts';

let folder: string;
beforeAll(() => setBackend(createCpuBackend()));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'downhill-model-'));
  return () => rmSync(folder, { recursive: true, force: true });
});
afterAll(() => setBackend(undefined));

test('a folder holds the JSON and the weights, and gives the model back', async () => {
  using model = toyModel({ name: 'toy', seed: 5, rate: 0.1 });
  await model.fit(toyData(), { verbose: 0 });
  const directory = join(folder, 'new', 'model');
  await saveModel(model, directory);
  expect(readdirSync(directory).sort()).toEqual(['model.json', 'weights.safetensors']);
  const json = JSON.parse(readFileSync(join(directory, 'model.json'), 'utf8'));
  expect(json).toMatchObject({
    format: 'downhill-model',
    version: 1,
    className: 'Sequential',
    name: 'toy',
    seed: 5,
    inputShape: [2],
    compiled: {
      optimizer: { name: 'adam', config: { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 } },
      loss: { name: 'sparseCategoricalCrossentropy', config: {} },
      metrics: ['accuracy'],
    },
  });
  expect(json.layers[1]).toEqual({ className: 'Dropout', config: { name: 'dropout', rate: 0.1 } });
  const { tensors } = readSafetensors(readFileSync(join(directory, 'weights.safetensors')));
  expect([...tensors.keys()].sort()).toEqual(['dense/bias', 'dense/kernel', 'dense_1/bias', 'dense_1/kernel']);

  using loaded = await loadModel(directory);
  expect(loaded.toJSON()).toEqual(model.toJSON());
  expect(await loaded.getWeights()).toEqual(await model.getWeights());
  expect(await loaded.evaluate(toyData())).toEqual(await model.evaluate(toyData()));
});

test('the optimizer is saved when asked for', async () => {
  using model = toyModel();
  await model.fit(toyData(), { verbose: 0 });
  await saveModel(model, folder, { optimizer: true });
  const { tensors, metadata } = readSafetensors(readFileSync(join(folder, 'weights.safetensors')));
  expect([...tensors.keys()]).toContain('optimizer/v:dense_1/kernel');
  expect(tensors.size).toBe(12);
  expect(metadata.get('iterations')).toBe('2');
  using loaded = await loadModel(folder);
  expect(loaded.summary()).toContain('Optimizer params: 104');
  // A model that is compiled with another optimizer cannot take the slots over.
  writeFileSync(
    join(folder, 'model.json'),
    readFileSync(join(folder, 'model.json'), 'utf8')
      .replace('"adam"', '"sgd"')
      .replace(/"config": \{\s*"learningRate"[^}]*\}/, '"config": { "momentum": 0.9 }'),
  );
  await expectRefusal(() => loadModel(folder), 'file', /"m:dense\/bias" is not a weight of the model|velocity/);
});

describe('two files of a folder', () => {
  const named = (name: string) => toyModel({ name, seed: name === 'first' ? 1 : 2 });
  const read = (directory: string, file: string) => readFileSync(join(directory, file));
  const check = async (directory: string): Promise<string> => {
    using loaded = await loadModel(directory);
    using wanted = named(loaded.name);
    expect(await loaded.getWeights()).toEqual(await wanted.getWeights());
    return loaded.name;
  };

  test('of two saves are never mixed: the weights hold their own model', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const [one, two] = ['one', 'two'].map((name) => join(folder, name));
    using first = named('first');
    using second = named('second');
    await saveModel(first, one);
    await saveModel(second, two);
    // A writer that was cut off between its two files.
    writeFileSync(join(one, 'weights.safetensors'), read(two, 'weights.safetensors'));
    expect(await check(one)).toBe('second');
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/one.model\.json is of another save than .*weights/)]]);
    await saveModel(second, one);
    expect(read(one, 'model.json')).toEqual(read(two, 'model.json'));
    warn.mockRestore();
  });

  test('model.json may be edited by hand, and files of before have no such names', async () => {
    using model = named('first');
    await saveModel(model, folder);
    const path = join(folder, 'model.json');
    const json = readFileSync(path, 'utf8');
    writeFileSync(path, json.replace('"name": "first"', '"name": "edited"'));
    using edited = await loadModel(folder);
    expect(edited.name).toBe('edited');
    const { json: plain, weights } = await model.save();
    writeFileSync(path, plain);
    writeFileSync(join(folder, 'weights.safetensors'), weights);
    expect(await check(folder)).toBe('first');
    expect(json).toMatch(/^\{\n {2}"format": "downhill-model",\n {2}"version": 1,\n {2}"saveId": "[0-9a-f]{16}",/);
    const { metadata, tensors } = readSafetensors(Buffer.from(read(folder, 'weights.safetensors')));
    expect([metadata.get('format'), tensors.size]).toEqual(['downhill', 4]);
  });

  test('two writers and a reader: every load is one of the two', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    using first = named('first');
    using second = named('second');
    await saveModel(first, folder);
    let done = false;
    const writer = async (model: Sequential) => {
      for (let k = 0; k < 60; k++) await saveModel(model, folder);
    };
    const writers = Promise.all([writer(first), writer(second)]).finally(() => {
      done = true;
    });
    const found: Record<string, number> = {};
    while (!done) {
      const name = await check(folder);
      found[name] = (found[name] ?? 0) + 1;
    }
    await writers;
    expect(Object.keys(found).sort()).toEqual(['first', 'second']);
    expect(readdirSync(folder).sort()).toEqual(['model.json', 'weights.safetensors']);
    warn.mockRestore();
  });

  test('the weights are written first: where they cannot be, model.json stays', async () => {
    using first = named('first');
    using second = named('second');
    await saveModel(first, folder);
    const json = read(folder, 'model.json');
    rmSync(join(folder, 'weights.safetensors'));
    mkdirSync(join(folder, 'weights.safetensors'));
    await expectRefusal(() => saveModel(second, folder), 'file', /cannot write .*weights\.safetensors/);
    expect(read(folder, 'model.json')).toEqual(json);
    expect(readdirSync(folder).sort()).toEqual(['model.json', 'weights.safetensors']);
  });

  test('what a process that died has left is taken away', async () => {
    using model = named('first');
    const stale = ['.model.json.999999999-0123456789ab.tmp', '.weights.safetensors.0123456789ab.tmp'];
    for (const name of [...stale, '.other.txt.0123456789ab.tmp']) writeFileSync(join(folder, name), '');
    await saveModel(model, folder);
    expect(readdirSync(folder).sort()).toEqual(['.other.txt.0123456789ab.tmp', 'model.json', 'weights.safetensors']);
  });
});

test('what is missing or broken is named', async () => {
  using model = toyModel();
  await expectRefusal(
    () => loadModel(join(folder, 'nowhere')),
    'file',
    /cannot read model .*nowhere.model\.json: no such file/,
  );
  await saveModel(model, folder);
  const weights = join(folder, 'weights.safetensors');
  const bytes = readFileSync(weights);
  writeFileSync(weights, bytes.subarray(0, bytes.length - 4));
  await expectRefusal(() => loadModel(folder), 'file', /weights\.safetensors: .*truncated/);
  rmSync(weights);
  await expectRefusal(() => loadModel(folder), 'file', /cannot read weights .*weights\.safetensors: no such file/);
  writeFileSync(join(folder, 'model.json'), '{"format":"downhill-model"');
  writeFileSync(weights, bytes);
  await expectRefusal(() => loadModel(folder), 'file', /model\.json: not JSON/);
  await expectRefusal(() => saveModel(model, join(weights, 'x')), 'file', /cannot write .*weights/);
});

test.each([
  ['lenet', 61_706],
  ['mlp', 468_874],
  ['softmax', 7_850],
] as const)('%s of the zoo has %i parameters and is its JSON', async (name, parameters) => {
  const model = zoo[name]();
  expect(model.countParams()).toBe(parameters);
  expect(model.outputShape).toEqual([10]);
  const again = Sequential.fromJSON(JSON.stringify(model.toJSON()));
  expect(again.summary()).toBe(model.summary());
  expect(await again.getWeights()).toEqual(await model.getWeights());
  expect(zoo[name]({ inputShape: [16, 16, 3], classes: 4 }).outputShape).toEqual([4]);
});

test('seeds decide the weights', async () => {
  const first = async (seed: number) => (await zoo.lenet({ seed }).getWeights())[0].data;
  expect(await first(1)).toEqual(await first(1));
  expect(await first(1)).not.toEqual(await first(2));
});

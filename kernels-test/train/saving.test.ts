/** Models as files: what is written, that it comes back, and that nothing is half-written. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { loadModel, saveModel } from '../../src/train/files.node.ts';
import { readSafetensors } from '../../src/train/safetensors.ts';
import { Sequential } from '../../src/train/sequential.ts';
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
  await expectRefusal(() => loadModel(folder), 'file', /"m:dense\/bias" is no weight of the model|velocity/);
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

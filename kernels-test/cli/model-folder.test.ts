/**
 * Whose model stays in the folder of `train --out`: that of a training that has ended, whoever is interrupted there.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { ModelFolder } from '../../src/cli/model-folder.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { Sequential } from '../../src/train/model/sequential.ts';

const place = mkdtempSync(join(tmpdir(), 'downhill-model-folder-'));
beforeAll(() => setBackend(createCpuBackend()));
afterAll(() => {
  setBackend(undefined);
  rmSync(place, { recursive: true, force: true });
});

/** A model whose one weight is `value`. */
const modelOf = (value: number) => {
  const model = new Sequential([layers.dense({ units: 1, useBias: false, name: 'd' })], { inputShape: [1] });
  model.setWeights([{ name: 'd/kernel', shape: [1, 1], data: Float32Array.of(value) }]);
  return model;
};
const run = (seed: number) => ({ words: { seed } });
const bytes = (path: string) => readFileSync(join(path, 'weights.safetensors')).toString('base64');
const begun = async (path: string, seed: number, resumed: boolean) => {
  const folder = await ModelFolder.prepare(path, run(seed), resumed);
  await folder.begin(run(seed), () => undefined);
  return folder;
};

test('an interrupted training never replaces the model of a complete one, however often it continues', async () => {
  const path = join(place, 'ended');
  await (await begun(path, 1, false)).finish(modelOf(1), { run: run(1) });
  const good = bytes(path);
  expect(await (await begun(path, 2, false)).keepInterrupted(modelOf(2), { run: run(2) })).toBe(false);
  for (const value of [3, 4]) {
    expect(await (await begun(path, 2, true)).keepInterrupted(modelOf(value), { run: run(2) })).toBe(false);
    expect(bytes(path)).toBe(good);
  }
  await (await begun(path, 2, true)).finish(modelOf(5), { run: run(2) });
  expect(bytes(path)).not.toBe(good);
});

test('where there was none it leaves its own, and replaces that when it goes on', async () => {
  const path = join(place, 'own');
  expect(await (await begun(path, 1, false)).keepInterrupted(modelOf(1), { run: run(1) })).toBe(true);
  const first = bytes(path);
  expect(await (await begun(path, 1, true)).keepInterrupted(modelOf(2), { run: run(1) })).toBe(true);
  expect(bytes(path)).not.toBe(first);
  expect(await ModelFolder.readFinished(path)).toMatchObject({ interrupted: true, run: run(1) });
});

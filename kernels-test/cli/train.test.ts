/**
 * Training from the command line, on both backends: the record it ends with, the same digest twice, the files it
 * leaves, the score of the saved model, Ctrl-C, and what happens where there is no adapter.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { longTest, shortDescribe, shortTest as test } from '../support/part.ts';
import { readEvents } from '../train/read-events.ts';
import { jsonOf, runCli, tinyDataFolder } from './run-cli.ts';

/** The record of `train --json`, in order. */
const FIELDS = (
  'model dataset backend adapter epochs steps trainLoss testLoss testAccuracy seconds firstStepMs stepMsMedian ' +
  'samplesPerSecond dispatchesPerStep submitsPerStep pipelines peakBytes digest'
).split(' ');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'downhill-train-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

shortDescribe.each([
  // The reference functions are slow: tiny images.
  { backend: 'cpu', model: 'softmax', dataset: 'mnist', steps: 2, examples: 2 },
  { backend: 'webgpu', model: 'lenet', dataset: 'digits', steps: 4, examples: 2000 },
])('train --backend $backend', ({ backend, model, dataset, steps, examples }) => {
  test('ends in its record, saves the model, and is reproduced to the bit', async () => {
    const data = ['--dataset', dataset, ...(dataset === 'mnist' ? ['--data', await tinyDataFolder(folder)] : [])];
    const batch = String(dataset === 'mnist' ? 2 : 64);
    const common = ['train', '--backend', backend, '--model', model, ...data, '--epochs', '1'];
    const words = [...common, '--limit', '200', '--batch-size', batch];
    const out = join(folder, backend, 'deep', 'model');
    const { stderr, ...result } = await jsonOf([...words, '--seed', '3', '--out', out]);
    expect(Object.keys(result)).toEqual(FIELDS);
    expect(result).toMatchObject({ model, dataset, backend, epochs: 1, steps, submitsPerStep: 1 });
    expect(result.digest).toMatch(/^[0-9a-f]{16}$/);
    for (const field of FIELDS.slice(6, -1)) expect(result[field], field).toBeGreaterThanOrEqual(0);
    expect(result.testAccuracy).toBeLessThanOrEqual(1);
    expect(stderr, 'a line of progress with the score').toMatch(/epoch 1\/1 \d\/\d .*valAccuracy \d\.\d+/);

    expect((await readdir(out)).sort()).toEqual(['history.json', 'model.json', 'weights.safetensors']);
    const history = JSON.parse(await readFile(join(out, 'history.json'), 'utf8'));
    expect(history).toMatchObject(result);
    expect(history.losses).toHaveLength(steps);
    expect(history.history.valAccuracy).toEqual([result.testAccuracy]);

    const evaluated = await jsonOf(['evaluate', '--backend', backend, '--model-dir', out, ...data]);
    expect(evaluated).toMatchObject({ dataset, examples, backend });
    // Means of other batches: not the same bits.
    expect(evaluated.testAccuracy).toBeCloseTo(result.testAccuracy as number, 6);
    expect(evaluated.testLoss).toBeCloseTo(result.testLoss as number, 5);

    expect((await jsonOf([...words, '--seed', '3'])).digest).toBe(result.digest);
    expect((await jsonOf([...words, '--seed', '4'])).digest).not.toBe(result.digest);
  });
});

describe('train', () => {
  const words = ['train', '--model', 'softmax', '--limit', '128', '--batch-size', '32'];

  test('prints a summary for people, with adapter, memory and speed', async () => {
    const { status, stdout, stderr } = await runCli([...words, '--backend', 'cpu', '--epochs', '2']);
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/^training softmax \(7850 parameters\) on 128 examples of digits, CPU \(f32\)$/m);
    expect(stdout).toMatch(/^epoch 2\/2 4\/4 .*valLoss/m);
    for (const row of ['test accuracy', 'speed', 'memory', 'adapter', 'digest']) expect(stdout).toContain(`\n${row}  `);
    expect(stdout).toMatch(/samples\/s/);
    expect(stderr).toBe('');
  });

  test('leaves event files for TensorBoard', async () => {
    const board = join(folder, 'deep', 'board');
    const { status, stderr } = await runCli([...words, '--backend', 'cpu', '--epochs', '2', '--tensorboard', board]);
    expect(status, stderr).toBe(0);
    for (const [part, tag] of [
      ['train', 'epoch_learning_rate'],
      ['validation', 'epoch_accuracy'],
    ]) {
      const [file] = await readdir(join(board, part));
      const events = readEvents(await readFile(join(board, part, file)));
      expect(events.filter((event) => event.tag === tag).map(({ step }) => step)).toEqual([0, 1]);
    }
  });

  test('says so aloud and goes on when there is no adapter', async () => {
    const result = await jsonOf([...words, '--epochs', '1'], { env: { VK_DRIVER_FILES: '/dev/null' } });
    expect(result).toMatchObject({ backend: 'cpu', adapter: 'CPU (f32)', steps: 4 });
    expect(result.stderr).toMatch(/WARNING: no WebGPU adapter, so this runs on the CPU backend/);
    expect(result.stderr).toContain('mesa-vulkan-drivers');
  });

  test('compares every dispatch with the reference when VALIDATE=1', async () => {
    const data = ['--dataset', 'mnist', '--data', await tinyDataFolder(join(folder, 'validated'))];
    const all = ['train', '--backend', 'webgpu', '--model', 'softmax', ...data, '--epochs', '1', '--batch-size', '2'];
    const plain = await jsonOf(all);
    const validated = await jsonOf(all, { env: { VALIDATE: '1' } });
    expect(validated.adapter).toBe(`${plain.adapter}, every dispatch validated`);
    expect(validated.digest).toBe(plain.digest);
  });

  test('says that there is no rate after a single step', async () => {
    const data = ['--dataset', 'mnist', '--data', await tinyDataFolder(join(folder, 'single'))];
    const all = ['train', '--backend', 'cpu', '--model', 'softmax', ...data, '--epochs', '1'];
    expect((await runCli(all)).stdout).toMatch(/^speed +unknown: the first step is not counted$/m);
    expect(await jsonOf(all)).toMatchObject({ steps: 1, stepMsMedian: null, samplesPerSecond: null });
  });

  longTest('hears one Ctrl-C that is passed on twice, while steps block the process, as one', async () => {
    const lenet = ['train', '--backend', 'cpu', '--limit', '640', '--epochs', '9', '--out', join(folder, 'relayed')];
    let heard = 0;
    const result = await jsonOf(lenet, {
      status: 130,
      onStderr: (text, kill) => {
        const sign = heard === 0 ? 'training lenet' : 'interrupted';
        if (heard === 2 || !text.includes(sign)) return;
        heard++;
        // What follows within half a second is the same press: on a busy machine this process may not lose more time.
        if (heard === 1) setTimeout(() => kill('SIGINT'), 1500);
        else kill('SIGINT');
      },
    });
    expect(heard).toBe(2);
    expect(result.steps).toBeLessThan(90);
    expect(await readdir(join(folder, 'relayed'))).toContain('model.json');
  });

  test('is started by node itself: the command tsx kills a process that answers a signal late', async () => {
    const { scripts } = JSON.parse(await readFile('package.json', 'utf8'));
    for (const name of ['start', 'downhill']) expect(scripts[name]).toMatch(/^node --import tsx src\/cli\/main\.ts\b/);
  });

  test('ends after the step at Ctrl-C, saves what there is, and exits with 130', async () => {
    const out = join(folder, 'interrupted');
    let sent = false;
    const result = await jsonOf([...words, '--backend', 'cpu', '--epochs', '100000', '--out', out], {
      status: 130,
      onStderr: (text, kill) => {
        if (sent || !text.includes('epoch 2/')) return;
        sent = true;
        kill('SIGINT');
      },
    });
    expect(result.stderr).toMatch(/interrupted: ending after this step/);
    expect(result.epochs).toBeGreaterThan(1);
    expect(result.epochs).toBeLessThan(100000);
    expect((await readdir(out)).sort()).toEqual(['backup', 'history.json', 'model.json', 'weights.safetensors']);
    const history = JSON.parse(await readFile(join(out, 'history.json'), 'utf8'));
    expect(history.losses).toHaveLength(result.steps as number);
  });
});

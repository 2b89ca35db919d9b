/** Backups of a training: what is in them, that a training goes on from any moment to the bit, and what is refused. */

import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { metrics } from '../../src/nn/metrics/index.ts';
import { optimizers } from '../../src/nn/optimizers/index.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { BackupAndRestore } from '../../src/train/callbacks/backup-and-restore.node.ts';
import type { Callback, TrainingPoint } from '../../src/train/callbacks/callback.ts';
import { callbacks } from '../../src/train/callbacks/index.node.ts';
import type { FitOptions } from '../../src/train/loop/training-options.ts';
import type { Sequential } from '../../src/train/model/sequential.ts';
import { Prng } from '../../src/util/prng.ts';
import { expectRefusal } from '../data/refusal.ts';
import { describeOnBackends } from '../support/on-backends.ts';
import { readEvents } from './read-events.ts';
import { toyData, toyModel } from './toy.ts';

const data = toyData(50);
const held = toyData(21, 4);
/** Four steps an epoch, the last one smaller. */
const options = { epochs: 6, batchSize: 16, verbose: 0, seed: 3 } as const;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'downhill-backup-'));
  return () => rmSync(folder, { recursive: true, force: true });
});

const make = (): Sequential =>
  toyModel({ rate: 0.3 }).compile({
    optimizer: optimizers.adam({ learningRate: 0.02 }),
    loss: 'sparseCategoricalCrossentropy',
    // A value whose mean over batches is not its mean over the epoch.
    metrics: ['accuracy', metrics.confusionMatrix()],
  });

/** A power cut before step `at` of the training is sent. */
function cutAt(at: number): Callback {
  let epoch = 0;
  return {
    onEpochBegin: (number) => {
      epoch = number;
    },
    onBatchBegin: (batch) => {
      if (4 * epoch + batch === at) throw new Error('cut');
    },
  };
}

/** Callbacks that count, and what they leave in `place`. */
function counting(place: string): Callback[] {
  return [
    callbacks.reduceLROnPlateau({ monitor: 'valLoss', patience: 1, minDelta: 0.05, factor: 0.5 }),
    callbacks.earlyStopping({ monitor: 'loss', mode: 'max', patience: 3, restoreBestWeights: true }),
    callbacks.modelCheckpoint({ path: join(place, 'every-{epoch}-{batch}'), saveFreq: 3 }),
    callbacks.modelCheckpoint({ path: join(place, 'best-{epoch}'), saveBestOnly: true, monitor: 'valLoss' }),
    callbacks.csvLogger(join(place, 'log.csv')),
    callbacks.jsonlLogger(join(place, 'log.jsonl'), { batches: true }),
    callbacks.tensorBoard(join(place, 'board'), { updateFreq: 3 }),
  ];
}

/** Every file below `place` but the event files, and the events. */
function contents(place: string): unknown {
  const files: Record<string, string> = {};
  const events: string[] = [];
  for (const entry of readdirSync(place, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = readFileSync(path);
    if (entry.name.startsWith('events')) {
      const part = entry.parentPath.slice(-5);
      for (const { step, tag, values } of readEvents(bytes)) if (tag) events.push(`${part} ${step} ${tag} ${values}`);
    } else files[path.slice(place.length)] = createHash('sha256').update(bytes).digest('hex');
  }
  return { files, events: events.sort() };
}

describeOnBackends('a training that was cut off', () => {
  test('goes on from any step to the bit, with what its callbacks had counted', async () => {
    const trained = (model: Sequential, more: readonly Callback[]) =>
      model.fit(data, { ...options, validationData: held, callbacks: more });
    using straight = make();
    const whole = await trained(straight, counting(join(folder, 'whole')));
    // Early stopping ended it.
    expect(whole.epoch).toEqual([0, 1, 2, 3]);
    const weights = await straight.getWeights();
    const random = new Prng(7);
    for (const at of new Set([1, 4, 5, 11, 15, Math.floor(random.between(1, 16))])) {
      const place = join(folder, `cut-${at}`);
      const backups = join(folder, `backup-${at}`);
      const backup = () => callbacks.backupAndRestore(backups, { seconds: 0 });
      using first = make();
      const cut = trained(first, [...counting(place), backup(), cutAt(at)]);
      await expect(cut).rejects.toThrow('cut');
      using second = make();
      const resumed = backup();
      const rest = await trained(second, [...counting(place), resumed]);
      const earlier = resumed.earlier!;
      expect([earlier.point.epoch, earlier.point.step]).toEqual([at >> 2, at % 4]);
      expect(rest.lossHistory).toEqual(whole.lossHistory.slice(at));
      rest.prepend(earlier.epochs, earlier.losses);
      expect(rest.digest).toBe(whole.digest);
      expect([rest.epoch, rest.history]).toEqual([whole.epoch, whole.history]);
      expect(await second.getWeights()).toEqual(weights);
      expect(second.learningRate).toBe(straight.learningRate);
      expect(contents(place)).toEqual(contents(join(folder, 'whole')));
      expect(readdirSync(backups)).toEqual([]);
    }
  });
});

describe('backups', () => {
  beforeAll(() => setBackend(createCpuBackend()));
  afterAll(() => setBackend(undefined));

  test('a rate that depends on the one before is not computed twice in the epoch that goes on', async () => {
    const halved = () => callbacks.learningRateScheduler((epoch, rate) => (epoch === 1 ? rate / 2 : rate));
    using straight = make();
    await straight.fit(data, { ...options, epochs: 3, callbacks: [halved()] });
    using first = make();
    const backup = () => callbacks.backupAndRestore(folder, { seconds: 0 });
    const cut = first.fit(data, { ...options, epochs: 3, callbacks: [halved(), backup(), cutAt(6)] });
    await expect(cut).rejects.toThrow('cut');
    using second = make();
    const scheduler = halved();
    await second.fit(data, { ...options, epochs: 3, callbacks: [scheduler, backup()] });
    expect(second.learningRate).toBe(0.01);
    expect(scheduler.rates).toEqual([0.02, 0.01, 0.01]);
    expect(await second.getWeights()).toEqual(await straight.getWeights());
  });

  test('a training that a callback had ended is not trained on', async () => {
    const stop = () => callbacks.earlyStopping({ monitor: 'loss', mode: 'max', restoreBestWeights: true, patience: 2 });
    using straight = make();
    const whole = await straight.fit(data, { ...options, callbacks: [stop()] });
    expect(whole.epoch).toEqual([0, 1, 2]);
    using first = make();
    const points: TrainingPoint[] = [];
    const died: Callback = {
      onCheckpoint: (point) => {
        points.push(point);
        if (point.ended) throw new Error('cut');
      },
    };
    const backup = callbacks.backupAndRestore(folder);
    await expect(first.fit(data, { ...options, callbacks: [stop(), backup, died] })).rejects.toThrow('cut');
    expect(points.map(({ epoch, step, ended }) => [epoch, step, ended])).toEqual([
      [1, 0, false],
      [2, 0, false],
      [3, 0, true],
    ]);
    using second = make();
    const rest = await second.fit(data, { ...options, callbacks: [stop(), callbacks.backupAndRestore(folder)] });
    expect(rest.epoch).toEqual([]);
    expect(await second.getWeights()).toEqual(await straight.getWeights());
  });

  test('are made after every so many epochs, counted from the first', async () => {
    for (const [every, kept] of [
      [1, [1, 2, 3, 4, 5]],
      [2, [0, 2, 2, 4, 4]],
      [3, [0, 0, 3, 3, 3]],
    ] as const) {
      using model = make();
      const found: number[] = [];
      const backup = callbacks.backupAndRestore(join(folder, `${every}`), { every });
      const look: Callback = {
        onCheckpoint: () => {
          const state = join(folder, `${every}`, 'state.json');
          found.push(existsSync(state) ? JSON.parse(readFileSync(state, 'utf8')).epoch : 0);
        },
      };
      await model.fit(data, { ...options, epochs: 5, callbacks: [backup, look] });
      expect(found).toEqual(kept);
    }
  });

  test('in the middle of an epoch come by the clock, and take no larger share of the time than was said', async () => {
    using model = make();
    // Each look at the clock is a second: a state takes one, and each step asks once.
    let now = 0;
    const clock = () => 1000 * now++;
    const points: string[] = [];
    const spy: Callback = {
      onCheckpoint: ({ epoch, step }) => void points.push(`${epoch}:${step}`),
    };
    const pointsOf = async (limits: object) => {
      points.length = 0;
      const place = mkdtempSync(join(folder, 'clock-'));
      const backup = new BackupAndRestore(place, limits, clock);
      await model.fit(toyData(160), { ...options, epochs: 1, callbacks: [backup, spy] });
      return points;
    };
    expect(await pointsOf({})).toEqual(['1:0']);
    expect(await pointsOf({ seconds: 3 })).toEqual(['0:3', '0:6', '0:9', '1:0']);
    expect(await pointsOf({ seconds: 3, share: 0.2 })).toEqual(['0:3', '0:8', '1:0']);
  });

  test('a loss that is not a number takes no good state away', async () => {
    using model = make();
    let epoch = 0;
    const spoil: Callback = {
      onEpochBegin: (number) => {
        epoch = number;
      },
      onBatchBegin: async (batch) => {
        if (epoch !== 2 || batch !== 1) return;
        const values = await model.getWeights();
        model.restoreWeights(values.map((value) => ({ ...value, data: value.data.map(() => Number.NaN) })));
      },
    };
    const backup = callbacks.backupAndRestore(folder, { seconds: 0, deleteCheckpoint: false });
    await model.fit(data, { ...options, callbacks: [spoil, callbacks.terminateOnNaN(), backup] });
    const { epoch: kept, step } = JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8'));
    expect([kept, step]).toEqual([2, 1]);
  });

  /** Name and contents of every file of the folder. */
  const listing = () => readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'base64')]);

  test('of another seed, batch size, order, data, identity or more epochs are refused, and stay', async () => {
    using model = make();
    const identity = { data: 'a', nested: { rate: [1, 2] } };
    const keep = callbacks.backupAndRestore(folder, { deleteCheckpoint: false, identity });
    await model.fit(data, { ...options, epochs: 2, callbacks: [keep] });
    const before = listing();
    const weights = await model.getWeights();
    const refuse = async (message: RegExp, change: Partial<FitOptions>, own: object = identity, set = data) => {
      const backup = callbacks.backupAndRestore(folder, { identity: { ...own } });
      const more = { ...options, epochs: 3, ...change, callbacks: [backup] };
      await expectRefusal(() => model.fit(set, more), 'argument', message);
      expect(listing()).toEqual(before);
      expect(await model.getWeights()).toEqual(weights);
    };
    await refuse(/with seed 3, this one has 4, .*; nothing was changed/, { seed: 4 });
    await refuse(/with batchSize 16, this one has 8/, { batchSize: 8 });
    await refuse(/with shuffle true, this one has false/, { shuffle: false });
    await refuse(/with samples 50, this one has 60/, {}, identity, toyData(60));
    await refuse(/over 2 epochs, this one ends after 1; give at least as many/, { epochs: 1 });
    await refuse(/with data "a", this one has "b"/, {}, { ...identity, data: 'b' });
    await refuse(/with nested\.rate\[1\] 2, this one has 3/, {}, { ...identity, nested: { rate: [1, 3] } });
  });

  test('whose weights are those of another write are refused', async () => {
    using model = make();
    await model.fit(data, { ...options, epochs: 1, callbacks: [keepIn(folder)] });
    const path = join(folder, 'weights-1.safetensors');
    const bytes = readFileSync(path);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(path, bytes);
    const resume = () => model.fit(data, { ...options, epochs: 2, callbacks: [keepIn(folder)] });
    await expectRefusal(resume, 'file', /weights-1\.safetensors is not the file that state\.json names/);
  });

  const keepIn = (place: string) => callbacks.backupAndRestore(place, { deleteCheckpoint: false });

  test('that cannot be written end the training, or are told of and leave the state before', async () => {
    const full: Callback = {
      onEpochBegin: (epoch) => {
        if (epoch !== 1) return;
        rmSync(folder, { recursive: true });
        writeFileSync(folder, '');
      },
      onEpochEnd: (epoch) => {
        if (epoch === 3) rmSync(folder);
      },
    };
    using model = make();
    const run = (more: object) =>
      model.fit(data, {
        ...{ ...options, epochs: 4 },
        callbacks: [full, callbacks.backupAndRestore(folder, { deleteCheckpoint: false, ...more })],
      });
    await expectRefusal(() => run({}), 'file', /cannot (read|write) .*a part of the path is a file/);
    rmSync(folder);
    const told: string[] = [];
    await run({ onError: ({ message }: Error) => told.push(message) });
    expect(told).toHaveLength(2);
    expect(readdirSync(folder).sort()).toEqual(['state.json', 'weights-4.safetensors']);
  });

  test('take away what a process that died has left, and nothing of one that lives', async () => {
    const dead = ['.state.json.999999999-0123456789ab.tmp', '.weights-7.safetensors.0123456789ab.tmp'];
    const others = [`.state.json.${process.ppid}-0123456789ab.tmp`, '.notes.txt.0123456789ab.tmp', 'weights.tmp'];
    for (const name of [...dead, ...others]) writeFileSync(join(folder, name), '');
    using model = make();
    await model.fit(data, { ...options, epochs: 1, callbacks: [callbacks.backupAndRestore(folder)] });
    expect(readdirSync(folder).sort()).toEqual(others.sort());
  });

  test('of two, that which leads on to the later point counts', async () => {
    const [early, late] = ['early', 'late'].map((name) => join(folder, name));
    using first = make();
    await first.fit(data, { ...options, epochs: 1, callbacks: [keepIn(early)] });
    using second = make();
    const cut = second.fit(data, { ...options, epochs: 3, callbacks: [keepIn(late), cutAt(8)] });
    await expect(cut).rejects.toThrow('cut');
    using straight = make();
    await straight.fit(data, { ...options, epochs: 3 });
    for (const order of [
      [early, late],
      [late, early],
    ]) {
      using third = make();
      const both = order.map(keepIn);
      const rest = await third.fit(data, { ...options, epochs: 3, callbacks: both });
      expect(rest.epoch).toEqual([2]);
      expect(await third.getWeights()).toEqual(await straight.getWeights());
      rmSync(late, { recursive: true });
      using again = make();
      const cutAgain = again.fit(data, { ...options, epochs: 3, callbacks: [keepIn(late), cutAt(8)] });
      await expect(cutAgain).rejects.toThrow('cut');
      rmSync(early, { recursive: true });
      using one = make();
      await one.fit(data, { ...options, epochs: 1, callbacks: [keepIn(early)] });
    }
  });
});

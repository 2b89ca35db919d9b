/**
 * `train --config`: the guide's example runs, what the command line says overrides it, and every key, name and option
 * that is not known is refused with the file, its path and the nearest one.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { trainableModel } from '../../src/cli/make-model.ts';
import { optionsFor } from '../../src/cli/match-model.ts';
import { NO_CONFIG, readTrainConfig } from '../../src/cli/train-config.ts';
import { trainSetting } from '../../src/cli/train-setting.ts';
import { arrayDataset } from '../../src/data/dataset.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { sgd } from '../../src/nn/optimizers/sgd.ts';
import { BackupAndRestore } from '../../src/train/callbacks/backup-and-restore.node.ts';
import { TensorBoard } from '../../src/train/callbacks/tensorboard.node.ts';
import { TerminateOnNaN } from '../../src/train/callbacks/terminate-on-nan.ts';
import { modelFromJSON } from '../../src/train/model/load-model.ts';
import { expectCliRefusal, jsonOf } from './run-cli.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'downhill-config-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let files = 0;
async function configFile(config: unknown): Promise<string> {
  const path = join(folder, `run-${files++}.json`);
  await writeFile(path, typeof config === 'string' ? config : JSON.stringify(config));
  return path;
}

/** The JSON of the guide. */
async function example(): Promise<string> {
  const page = await readFile('docs/guides/command-line.md', 'utf8');
  return /```json\n(.*?)```/s.exec(page)![1];
}

/** What the command line says when it says nothing. */
const SILENT = {
  ...{ model: undefined, optimizer: undefined, learningRate: undefined, schedule: undefined },
  ...{ loss: undefined, epochs: undefined, batchSize: undefined, seed: undefined, tensorboard: undefined },
};

const images = arrayDataset({
  name: 'images',
  x: new Uint8Array(4 * 32 * 32 * 3),
  xShape: [32, 32, 3],
  y: Uint8Array.of(0, 1, 2, 1),
  classNames: ['a', 'b', 'c'],
});

describe('a config', () => {
  test('of the guide runs as it stands, and the command line overrides it', async () => {
    const path = await configFile(await example());
    const words = ['train', '--config', path, '--backend', 'cpu'];
    const result = await jsonOf(words);
    expect(result).toMatchObject({ model: 'small', dataset: 'digits', epochs: 2, steps: 6 });
    expect(result.testAccuracy).toBeGreaterThan(0);
    const other = await jsonOf([...words, '--epochs', '1', '--model', 'softmax', '--limit', '64']);
    expect(other).toMatchObject({ model: 'softmax', epochs: 1, steps: 2 });
  });

  test('passes class weights and callbacks on to fit', async () => {
    const path = await configFile({
      classWeight: { 0: 1, 1: 5, 2: 1 },
      callbacks: [
        'reduceLROnPlateau',
        { name: 'csvLogger', config: { path: join(folder, 'log.csv') } },
        { name: 'tensorBoard', config: { path: join(folder, 'board'), updateFreq: 'batch', histogramFreq: 1 } },
        'terminateOnNaN',
        { name: 'backupAndRestore', config: { path: join(folder, 'kept'), every: 2, seconds: 60 } },
      ],
      model: 'softmax',
      shuffle: false,
    });
    const { fit } = trainSetting(SILENT, await readTrainConfig(path), 'digits', images);
    expect(fit).toMatchObject({ classWeight: { 0: 1, 1: 5, 2: 1 }, shuffle: false });
    expect(fit.callbacks).toHaveLength(5);
    expect(fit.callbacks[2]).toBeInstanceOf(TensorBoard);
    expect(fit.callbacks[3]).toBeInstanceOf(TerminateOnNaN);
    expect(fit.callbacks[4]).toBeInstanceOf(BackupAndRestore);
    const words = { ...SILENT, tensorboard: join(folder, 'other') };
    expect(trainSetting(words, await readTrainConfig(path), 'digits', images).fit.callbacks).toHaveLength(6);
  });

  test('keeps the rate that its optimizer has, and follows its schedule', async () => {
    const rate = async (config: object) => {
      const setting = trainSetting(SILENT, await readTrainConfig(await configFile(config)), 'digits', images);
      const { model } = setting.make();
      const { learningRate } = model;
      model.dispose();
      return [learningRate, setting.scheduled];
    };
    const optimizer = { name: 'sgd', config: { learningRate: 0.25 } };
    const schedule = { name: 'cosineDecay', config: { initialLearningRate: 0.5, decaySteps: 9 } };
    expect(await rate({ model: 'softmax', optimizer })).toEqual([0.25, false]);
    expect(await rate({ model: 'softmax', optimizer, schedule })).toEqual([0.5, true]);
    expect(await rate({ model: 'softmax', optimizer, schedule: 'cosine' })).toEqual([0.25, true]);
    expect(await rate({ model: 'softmax' })).toEqual([0.002, true]);
  });

  test('puts augmentation in front of a model with branches, which stays whole', () => {
    const setting = {
      model: { kind: 'zoo', name: 'resnet20', config: {} } as const,
      augmentation: [layers.randomFlip({ mode: 'horizontal' })],
      ...{ optimizer: sgd(), loss: undefined, metrics: undefined, seed: 0 },
    };
    const { model } = trainableModel(setting, images);
    const { model: plain } = trainableModel({ ...setting, augmentation: [] }, images);
    expect(model.countParams()).toBe(plain.countParams());
    expect(model.outputShape).toEqual([3]);
    expect(modelFromJSON(JSON.parse(JSON.stringify(model.toJSON()))).countParams()).toBe(model.countParams());
    model.dispose();
    plain.dispose();
  });

  test('of a classifier by name is not offered for numbers to predict', () => {
    const numbers = arrayDataset({
      ...{ name: 'numbers', x: new Float32Array(8), xShape: [2] },
      ...{ y: new Float32Array(4), yShape: [1] },
    });
    expect(() => optionsFor('softmax', numbers)).toThrow(
      /"softmax" takes classes to tell apart; .* Models that fit: linear, mlp-sigmoid, mlp,/,
    );
    expect(optionsFor('mlp', numbers)).toMatchObject({ classes: 1, head: 'linear' });
  });

  test('that is none changes nothing', () => {
    const { fit, name } = trainSetting(SILENT, NO_CONFIG, 'digits', images);
    expect(name).toBe('lenet');
    expect(fit).toEqual({ epochs: 2, batchSize: 64, seed: 0, shuffle: true, callbacks: [] });
  });
});

describe('refuses', () => {
  test.each<[string, unknown, RegExp]>([
    ['text that is not JSON', '{', /run-\d+\.json: not JSON/],
    ['a list', [], /run-\d+\.json: it must be an object with model, .* found/],
    ['an unknown key', { epoch: 3 }, /run-\d+\.json: unknown key "epoch"; did you mean "epochs"\? Known: model, /],
    [
      'an unknown key inside',
      { optimizer: { name: 'adam', confg: {} } },
      /run-\d+\.json: unknown key "optimizer\.confg"; did you mean "optimizer\.config"\?/,
    ],
    [
      'an unknown option',
      { optimizer: { name: 'adam', config: { learnRate: 1 } } },
      /run-\d+\.json: optimizer: adam: unknown option "learnRate"; did you mean "learningRate"\?/,
    ],
    ['an unknown optimizer', { optimizer: 'adan' }, /run-\d+\.json: optimizer: unknown optimizer "adan"; did you mean/],
    ['a negative rate', { optimizer: { name: 'sgd', config: { learningRate: -1 } } }, /json: optimizer: .*-1/],
    [
      'an unknown schedule',
      { schedule: 'cosinDecay' },
      /json: schedule: unknown schedule "cosinDecay"; did you mean "cosineDecay"/,
    ],
    [
      'a schedule with an unknown option',
      { schedule: { name: 'exponentialDecay', config: { rate: 1 } } },
      /json: schedule: exponentialDecay: unknown option "rate"/,
    ],
    ['an unknown model', { model: 'lennet' }, /run-\d+\.json: model: unknown name "lennet"; did you mean "lenet"/],
    ['an unknown data set', { dataset: 'minst' }, /run-\d+\.json: dataset: unknown name "minst"; did you mean "mnist"/],
    ['an unknown loss', { loss: 'mxe' }, /run-\d+\.json: loss: unknown loss "mxe"; did you mean "m[sa]e"/],
    ['an unknown metric', { metrics: ['acuracy'] }, /json: metrics: unknown metric "acuracy"; did you mean "accuracy"/],
    [
      'an unknown layer',
      { model: { layers: [{ className: 'Densse', config: { units: 1 } }] } },
      /json: model\.layers\[0\]: unknown layer "Densse"; did you mean "Dense"/,
    ],
    [
      'a layer with an unknown option',
      { augmentation: [{ className: 'RandomFlip', config: { mod: 'horizontal' } }] },
      /json: augmentation\[0\]: randomFlip: unknown option "mod"; did you mean "mode"/,
    ],
    [
      'an unknown callback',
      { callbacks: ['earlyStoping'] },
      /json: callbacks\[0\]: unknown name "earlyStoping"; did you mean "earlyStopping"/,
    ],
    [
      'a callback with an unknown option',
      { callbacks: [{ name: 'earlyStopping', config: { patiance: 2 } }] },
      /json: callbacks\[0\]: .*unknown option "patiance"; did you mean "patience"/,
    ],
    ['a log without a path', { callbacks: ['csvLogger'] }, /callbacks\[0\]: csvLogger: path must be the file/],
    [
      'a board with an unknown option',
      { callbacks: [{ name: 'tensorBoard', config: { path: 'x', updateFrequency: 1 } }] },
      /callbacks\[0\]: tensorBoard: unknown option "updateFrequency"/,
    ],
    ['a backup without a path', { callbacks: ['backupAndRestore'] }, /callbacks\[0\]: backupAndRestore: path must be/],
    [
      'a NaN guard with an option',
      { callbacks: [{ name: 'terminateOnNaN', config: { patience: 1 } }] },
      /callbacks\[0\]: terminateOnNaN: unknown option "patience"/,
    ],
    ['no epochs', { epochs: 0 }, /json: epochs must be a whole number of at least 1, found 0/],
    ['a shuffle that is a word', { shuffle: 'yes' }, /json: shuffle must be true or false, found "yes"/],
    [
      'a weight below zero',
      { classWeight: { 1: -2 } },
      /json: classWeight\.1 must be a number of at least 0, found -2/,
    ],
    [
      'weights of words',
      { classWeight: { cat: 2 } },
      /json: classWeight: key "cat" is not a class index; keys are class indices/,
    ],
  ])('%s', async (_title, config, message) => {
    await expect(readTrainConfig(await configFile(config))).rejects.toThrow(message);
  });

  test('a config that is not there, and one that does not fit, before a step', async () => {
    await expectCliRefusal(['train', '--config', join(folder, 'none.json')], [/none\.json/]);
    const path = await configFile({ model: 'logistic', dataset: 'digits' });
    await expectCliRefusal(
      ['train', '--config', path],
      [/json: model: model "logistic" takes two classes; .* 10 classes/],
    );
  });

  test('class weights that leave classes out', async () => {
    const path = await configFile({ model: 'softmax', classWeight: { 0: 1 }, limit: 64 });
    await expectCliRefusal(
      ['train', '--config', path, '--backend', 'cpu', '--json'],
      [/classWeight has no weight for/],
    );
  });
});

/**
 * `downhill train`: trains a model of the zoo on a data set, scores it on the held-out examples after every epoch, and
 * saves it. During training, `--out` holds a backup that is never more than an epoch or half a minute old; `--resume`
 * continues from it, bit for bit. Ctrl-C and the signals that end a process end the training after the current step,
 * with a backup of exactly that step; the result so far is scored and reported as usual.
 */

import { createHash } from 'node:crypto';
import type { Backend } from '../../backend/backend.ts';
import type { ArrayDataset, TrainTest } from '../../data/dataset.ts';
import { BackupAndRestore, backupAndRestore } from '../../train/callbacks/backup-and-restore.node.ts';
import type { Callback } from '../../train/callbacks/callback.ts';
import { progressBar } from '../../train/callbacks/progress-bar.ts';
import { TerminateOnNaN } from '../../train/callbacks/terminate-on-nan.ts';
import type { History } from '../../train/loop/history.ts';
import { DownhillError } from '../../util/errors.ts';
import type { ZooModel } from '../../zoo/index.ts';
import { COMMON_OPTIONS, defineCommand } from '../command.ts';
import { Interrupt } from '../interrupt.ts';
import type { TrainableModel } from '../make-model.ts';
import { type FinishedRun, ModelFolder, type RunRecord } from '../model-folder.ts';
import { withBackend } from '../open-backend.ts';
import { choice, positive, text, whole } from '../options.ts';
import type { Output } from '../output.ts';
import { planRun } from '../resume.ts';
import { describeResult, trainResult } from '../train-report.ts';
import { loadSetting, SEED_OPTION, SETTING_OPTIONS, type TrainSetting } from '../train-setting.ts';

/** Seconds of an epoch after which a backup is made in its middle, unless others are given. */
const BACKUP_SECONDS = 30;
/** Share of the time that backups may take. */
const BACKUP_SHARE = 0.1;

const OPTIONS = {
  ...SETTING_OPTIONS,
  schedule: choice({
    names: ['cosine', 'constant'],
    fallback: undefined,
    doc: 'learning rate: falling to zero over the run, or constant; cosine unless given',
  }),
  epochs: whole({ least: 1, fallback: undefined, doc: 'passes over the training examples; 2 unless given' }),
  limit: whole({ least: 1, fallback: undefined, doc: 'only the first N training examples' }),
  out: text({
    placeholder: 'DIR',
    doc: 'where to save model.json, weights.safetensors and history.json, and a backup during training',
  }),
  resume: text({
    placeholder: 'DIR',
    doc: 'continues the training whose backup is there, bit for bit, with the options it was started with',
  }),
  backupSeconds: positive({
    fallback: BACKUP_SECONDS,
    doc: 'with --out: seconds between backups within a long epoch; there is one after every epoch anyway',
  }),
  tensorboard: text({ placeholder: 'DIR', doc: 'where to write event files for TensorBoard' }),
  ...COMMON_OPTIONS,
  seed: SEED_OPTION,
};

const FALLBACKS = Object.fromEntries(Object.entries(OPTIONS).map(([key, { fallback }]) => [key, fallback]));

/** What a training needs besides its model. */
interface Job {
  readonly setting: TrainSetting;
  readonly data: TrainTest;
  readonly backend: Backend;
  readonly folder: ModelFolder | undefined;
  readonly record: RunRecord;
  readonly backupSeconds: number;
  readonly output: Output;
}

export const train = defineCommand({
  name: 'train',
  doc: 'train a model and score it on held-out examples',
  example: 'train --model lenet --dataset digits --epochs 4 --out runs/lenet',
  options: OPTIONS,
  async run(given, output) {
    const warn = (line: string) => output.warn(line);
    const { values, record, out, resumed, finished } = await planRun(given, FALLBACKS, warn);
    if (finished !== undefined) return reportFinished(finished, out!, output);
    const folder = out === undefined ? undefined : await ModelFolder.prepare(out, record, resumed);
    const { backupSeconds } = values;
    try {
      const { setting, data } = await loadSetting({ ...values, config: record.config }, output);
      const made = setting.make();
      using _model = made.model;
      return await withBackend(values.backend, output, (backend) =>
        run(made, { setting, data, backend, folder, record, backupSeconds, output }),
      );
    } catch (error) {
      await folder?.abandon();
      const point = await folder?.standsAt();
      if (point !== undefined) output.warn(`the backup is of ${describePoint(point)}${resumeHint(folder!)}`);
      throw error;
    }
  },
});

async function run({ model, prepare }: TrainableModel, job: Job): Promise<number> {
  const { setting, data, backend, folder, output } = job;
  // Before the first line: a reader of it may press Ctrl-C.
  using interrupt = new Interrupt(() => output.warn('\ninterrupted: ending after this step (again to quit at once)'));
  output.say(
    `training ${setting.name} (${model.countParams()} parameters) on ${data.train.size} examples of ` +
      `${setting.dataset}, ${backend.description}`,
  );
  await begin(job);
  const { description: adapter } = backend;
  const start = performance.now();
  const prepared = { train: prepare(data.train), test: prepare(data.test) };
  const { history, interrupted } = await trainModel(model, prepared, interrupt, {
    ...job,
    record: { ...job.record, adapter },
  });
  const seconds = (performance.now() - start) / 1000;
  const result = trainResult(setting.name, setting.dataset, backend, history, seconds);
  if (folder !== undefined) {
    const { params, epoch, history: logs, lossHistory } = history;
    const run = { run: job.record, params, epoch, history: logs, losses: [...lossHistory] };
    await keep(model, { ...result, ...run }, { folder, interrupted, output, steps: result.steps });
  }
  output.result(result, describeResult(result, history.facts.planBytes));
  return interrupted ? interrupt.status : 0;
}

/** Saves the model, or says how to continue an interrupted training. */
async function keep(
  model: ZooModel,
  history: object,
  { folder, interrupted, output, steps }: { folder: ModelFolder; interrupted: boolean; output: Output; steps: number },
): Promise<void> {
  if (!interrupted) {
    await folder.finish(model, history);
    output.say(`saved in ${folder.path}`);
    return;
  }
  if (steps === 0) output.say('interrupted before the first step: nothing to save');
  else if (await folder.keepInterrupted(model, history)) output.say(`saved in ${folder.path} as it is`);
  else output.say(`${folder.path} keeps its earlier model`);
  output.say(`the training is not complete${resumeHint(folder)}`);
}

/**
 * The training, together with its earlier parts; `interrupted` when it did not reach its end.
 * @throws DownhillError `argument` when the loss stops being a number.
 */
async function trainModel(
  model: ZooModel,
  { train, test }: TrainTest,
  interrupt: Interrupt,
  { setting: { fit, scheduled, dataset }, folder, record, backupSeconds, output }: Job,
): Promise<{ history: History; interrupted: boolean }> {
  const divergence = new TerminateOnNaN();
  const stop = () => {
    if (interrupt.requested) model.stopTraining = true;
  };
  let interrupted = false;
  const watch: Callback = {
    onBatchBegin: stop,
    onCheckpoint: stop,
    onTrainEnd: (_logs, cutShort = false) => {
      interrupted = cutShort;
    },
  };
  const backup =
    folder === undefined
      ? undefined
      : backupAndRestore(folder.backupPath, {
          ...{ seconds: backupSeconds, share: BACKUP_SHARE, deleteCheckpoint: false },
          identity: { dataset, data: digestOf(train, test), classWeight: fit.classWeight, model: model.toJSON() },
          onError: ({ message }) => output.warn(`WARNING: no backup could be made: ${message}; the training continues`),
        });
  const tell: Callback = {
    onTrainBegin: async () => {
      const point = backup?.earlier?.point;
      if (point !== undefined) output.say(`continuing at ${describePoint(point)}`);
      if (folder?.resumed) await folder.record(record);
    },
  };
  // A schedule has fallen from there by the time that the message is made.
  const initialRate = model.learningRate;
  const history = await model.fit(train, {
    ...fit,
    validationData: test,
    callbacks: [tell, progressBar(output.progress), divergence, watch, ...fit.callbacks, ...(backup ? [backup] : [])],
    verbose: 0,
  });
  for (const callback of [...fit.callbacks, backup]) {
    if (!(callback instanceof BackupAndRestore) || callback.earlier === undefined) continue;
    history.prepend(callback.earlier.epochs, callback.earlier.losses);
    break;
  }
  if (divergence.stoppedBatch === undefined) return { history, interrupted };
  throw new DownhillError(
    'argument',
    `training diverged: the loss is ${history.lossHistory.at(-1)} after ${history.lossHistory.length} steps at ` +
      `${scheduled ? 'initial ' : ''}learning rate ${initialRate}; try a smaller --learning-rate`,
  );
}

/** Begins the training in its folder. Other adapters round otherwise: the bits of a training hold on one. */
async function begin({ record, folder, backend, output }: Job): Promise<void> {
  const { adapter } = record;
  if (adapter !== undefined && adapter !== backend.description) {
    output.warn(`WARNING: so far this training ran on ${adapter}; on ${backend.description} rounding differs`);
  }
  await folder?.begin({ ...record, adapter: backend.description }, (line) => output.warn(line));
}

/** Of the examples and targets, so that a training does not go on with other data. */
function digestOf(...sets: readonly ArrayDataset[]): string {
  const hash = createHash('sha256');
  for (const { x, y } of sets) {
    for (const { buffer, byteOffset, byteLength } of [x, y])
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex').slice(0, 16);
}

/** Epochs and steps from 1, as the progress bar counts them. */
function describePoint({ epoch, step }: { readonly epoch: number; readonly step: number }): string {
  return `epoch ${epoch + 1}, step ${step + 1}`;
}

function resumeHint({ path }: ModelFolder): string {
  return `; to continue: downhill train --resume ${path}`;
}

function reportFinished({ history }: FinishedRun, path: string, output: Output): number {
  const { run: _, params: __, epoch: ___, history: ____, losses: _____, ...result } = history;
  output.result(result, [`the training in ${path} is complete: ${result.steps} steps, digest ${result.digest}`]);
  return 0;
}

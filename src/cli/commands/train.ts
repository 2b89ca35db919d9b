/**
 * `downhill train`: trains a model of the zoo on a data set, scores it on the held-out examples after every epoch, and
 * saves it. Ctrl-C ends it after the current step; what there is by then is scored, saved and reported as usual.
 */

import type { Backend } from '../../backend/backend.ts';
import type { TrainTest } from '../../data/dataset.ts';
import { progressBar } from '../../train/callbacks/progress-bar.ts';
import { TerminateOnNaN } from '../../train/callbacks/terminate-on-nan.ts';
import type { History } from '../../train/history.ts';
import { DownhillError } from '../../util/errors.ts';
import type { ZooModel } from '../../zoo/index.ts';
import { COMMON_OPTIONS, defineCommand } from '../command.ts';
import { INTERRUPTED } from '../failure.ts';
import { Interrupt } from '../interrupt.ts';
import type { TrainableModel } from '../make-model.ts';
import { ModelFolder } from '../model-folder.ts';
import { withBackend } from '../open-backend.ts';
import { choice, text, whole } from '../options.ts';
import type { Output } from '../output.ts';
import { describeResult, trainResult } from '../train-report.ts';
import { loadSetting, SEED_OPTION, SETTING_OPTIONS, type TrainSetting } from '../train-setting.ts';

const OPTIONS = {
  ...SETTING_OPTIONS,
  schedule: choice({
    names: ['cosine', 'constant'],
    fallback: undefined,
    doc: 'of the learning rate: falling to zero over the run, or as it is; cosine unless given',
  }),
  epochs: whole({ least: 1, fallback: undefined, doc: 'passes over the training examples; 2 unless given' }),
  limit: whole({ least: 1, fallback: undefined, doc: 'only the first N training examples' }),
  out: text({ placeholder: 'DIR', doc: 'saves model.json, weights.safetensors and history.json there' }),
  tensorboard: text({ placeholder: 'DIR', doc: 'writes event files for TensorBoard there' }),
  ...COMMON_OPTIONS,
  seed: SEED_OPTION,
};

export const train = defineCommand({
  name: 'train',
  doc: 'train a model and score it on held-out examples',
  example: 'train --model lenet --dataset digits --epochs 4 --out runs/lenet',
  options: OPTIONS,
  async run(values, output) {
    const { setting, data } = await loadSetting(values, output);
    const made = setting.make();
    using _model = made.model;
    const folder = values.out === undefined ? undefined : await ModelFolder.prepare(values.out);
    try {
      return await withBackend(values.backend, output, (backend) => run(setting, made, data, backend, folder, output));
    } catch (error) {
      await folder?.abandon();
      throw error;
    }
  },
});

async function run(
  setting: TrainSetting,
  { model, prepare }: TrainableModel,
  data: TrainTest,
  backend: Backend,
  folder: ModelFolder | undefined,
  output: Output,
): Promise<number> {
  output.say(
    `training ${setting.name} (${model.countParams()} parameters) on ${data.train.size} examples of ${setting.dataset}, ` +
      `${backend.description}`,
  );
  using interrupt = new Interrupt(() => {
    output.warn('\ninterrupted: ending after this step (again to quit at once)');
    model.stopTraining = true;
  });
  const start = performance.now();
  const prepared = { train: prepare(data.train), test: prepare(data.test) };
  const history = await trainModel(model, prepared, setting, output);
  const result = trainResult(setting.name, setting.dataset, backend, history, (performance.now() - start) / 1000);
  if (folder !== undefined) {
    const { params, epoch, history: logs, lossHistory } = history;
    await folder.save(model, { ...result, params, epoch, history: logs, losses: [...lossHistory] });
    output.say(`saved in ${folder.path}`);
  }
  output.result(result, describeResult(result, history.facts.planBytes));
  return interrupt.requested ? INTERRUPTED : 0;
}

/** @throws DownhillError `argument` when the loss stops being a number. */
async function trainModel(
  model: ZooModel,
  { train, test }: TrainTest,
  { fit, scheduled }: TrainSetting,
  output: Output,
): Promise<History> {
  const divergence = new TerminateOnNaN();
  // A schedule has fallen from there by the time that the message is made.
  const initialRate = model.learningRate;
  const history = await model.fit(train, {
    ...fit,
    validationData: test,
    callbacks: [progressBar(output.progress), divergence, ...fit.callbacks],
    verbose: 0,
  });
  if (divergence.stoppedBatch === undefined) return history;
  throw new DownhillError(
    'argument',
    `training diverged: the loss is ${history.lossHistory.at(-1)} after ${history.lossHistory.length} steps at ` +
      `${scheduled ? 'initial ' : ''}learning rate ${initialRate}; try a smaller --learning-rate`,
  );
}

/**
 * `downhill train`: trains a model of the zoo on a data set, scores it on the held-out examples after every epoch, and
 * saves it. Ctrl-C ends it after the current step; what there is by then is scored, saved and reported as usual.
 */

import type { Backend } from '../../backend/backend.ts';
import type { TrainTest } from '../../data/dataset.ts';
import { progressBar } from '../../train/callbacks/progress-bar.ts';
import { TerminateOnNaN } from '../../train/callbacks/terminate-on-nan.ts';
import type { History } from '../../train/history.ts';
import type { Sequential } from '../../train/sequential.ts';
import { DownhillError } from '../../util/errors.ts';
import { COMMON_OPTIONS, defineCommand } from '../command.ts';
import { INTERRUPTED } from '../failure.ts';
import { Interrupt } from '../interrupt.ts';
import { DATASET_OPTIONS, limited, loadDataset } from '../load-data.ts';
import { MODEL_OPTIONS, makeModel } from '../make-model.ts';
import { ModelFolder } from '../model-folder.ts';
import { withBackend } from '../open-backend.ts';
import { choice, type OptionValues, text, whole } from '../options.ts';
import type { Output } from '../output.ts';
import { describeResult, trainResult } from '../train-report.ts';

const OPTIONS = {
  ...MODEL_OPTIONS,
  ...DATASET_OPTIONS,
  schedule: choice({
    names: ['cosine', 'constant'],
    fallback: 'cosine' as const,
    doc: 'of the learning rate: falling to zero over the run, or as it is',
  }),
  epochs: whole({ least: 1, fallback: 2, doc: 'passes over the training examples' }),
  batchSize: whole({ least: 1, fallback: 64, doc: 'examples of a step' }),
  limit: whole({ least: 1, fallback: undefined, doc: 'only the first N training examples' }),
  out: text({ placeholder: 'DIR', doc: 'saves model.json, weights.safetensors and history.json there' }),
  ...COMMON_OPTIONS,
};

type Values = OptionValues<typeof OPTIONS>;

export const train = defineCommand({
  name: 'train',
  doc: 'train a model and score it on held-out examples',
  example: 'train --model lenet --dataset digits --epochs 4 --out runs/lenet',
  options: OPTIONS,
  async run(values, output) {
    const { train: all, test } = await loadDataset(values.dataset, values.data, output);
    const data = { train: limited(all, values.limit), test };
    const folder = values.out === undefined ? undefined : await ModelFolder.prepare(values.out);
    try {
      return await withBackend(values.backend, output, (backend) => run(values, data, backend, folder, output));
    } catch (error) {
      await folder?.abandon();
      throw error;
    }
  },
});

async function run(
  values: Values,
  data: TrainTest,
  backend: Backend,
  folder: ModelFolder | undefined,
  output: Output,
): Promise<number> {
  const steps = values.epochs * Math.ceil(data.train.size / values.batchSize);
  using model = makeModel(values, data.train, values.schedule === 'cosine' ? steps : undefined);
  output.say(
    `training ${values.model} (${model.countParams()} parameters) on ${data.train.size} examples of ${values.dataset}, ` +
      `${backend.description}`,
  );
  using interrupt = new Interrupt(() => {
    output.warn('\ninterrupted: ending after this step (again to quit at once)');
    model.stopTraining = true;
  });
  const start = performance.now();
  const history = await trainModel(model, data, values, output);
  const result = trainResult(values.model, values.dataset, backend, history, (performance.now() - start) / 1000);
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
  model: Sequential,
  { train, test }: TrainTest,
  values: Values,
  output: Output,
): Promise<History> {
  const divergence = new TerminateOnNaN();
  // A schedule has fallen from there by the time that the message is made.
  const initialRate = model.learningRate;
  const history = await model.fit(train, {
    epochs: values.epochs,
    batchSize: values.batchSize,
    validationData: test,
    seed: values.seed,
    callbacks: [progressBar(output.progress), divergence],
    verbose: 0,
  });
  if (divergence.stoppedBatch === undefined) return history;
  throw new DownhillError(
    'argument',
    `training diverged: the loss is ${history.lossHistory.at(-1)} after ${history.lossHistory.length} steps at ` +
      `${values.schedule === 'cosine' ? 'initial ' : ''}learning rate ${initialRate}; try a smaller --learning-rate`,
  );
}

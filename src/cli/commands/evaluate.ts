/**
 * `downhill evaluate`: scores a saved model on the held-out examples of a data set.
 */

import { type Loss, resolveLoss } from '../../nn/losses/index.ts';
import type { Model } from '../../train/model/model.ts';
import type { NamedJson } from '../../train/model/model-json.ts';
import { loadModel } from '../../train/weights/files.node.ts';
import { DownhillError } from '../../util/errors.ts';
import { COMMON_OPTIONS, defineCommand } from '../command.ts';
import { DATASET_OPTIONS, loadDataset } from '../load-data.ts';
import { answerFor, withTargets } from '../match-model.ts';
import { withBackend } from '../open-backend.ts';
import { text, whole } from '../options.ts';
import { columns } from '../output.ts';
import { metricRows, scoreRow } from '../train-report.ts';

/** Larger than in training: nothing is kept for a backward pass. */
const BATCH_SIZE = 256;

export const evaluate = defineCommand({
  name: 'evaluate',
  doc: 'score a saved model on held-out examples',
  example: 'evaluate --model-dir runs/lenet --dataset digits',
  options: {
    modelDir: text({ placeholder: 'DIR', doc: 'folder written by train --out' }),
    ...DATASET_OPTIONS,
    batchSize: whole({ least: 1, fallback: BATCH_SIZE, doc: 'examples per step' }),
    ...COMMON_OPTIONS,
  },
  async run({ modelDir, dataset, data, target, task, batchSize, backend: wanted }, output) {
    if (modelDir === undefined) {
      throw new DownhillError('argument', 'evaluate: --model-dir DIR is needed: the folder written by train --out');
    }
    const { test } = await loadDataset({ dataset, data, target, task }, output);
    return withBackend(wanted, output, async (backend) => {
      using model = await loadModel(modelDir);
      const start = performance.now();
      const answer = answerFor(model.outputShape, test);
      const prepared = withTargets(test, answer, compiledLoss(model), model.outputShape);
      const { loss, accuracy, ...metrics } = await model.evaluate(prepared, { batchSize });
      const seconds = (performance.now() - start) / 1000;
      const result = {
        model: model.name,
        dataset,
        backend: backend.kind,
        adapter: backend.description,
        examples: test.size,
        testLoss: loss,
        testAccuracy: accuracy ?? Number.NaN,
        ...(Object.keys(metrics).length > 0 && { testMetrics: metrics }),
        seconds,
      };
      output.result(
        result,
        columns([
          scoreRow(accuracy, loss),
          ...metricRows(metrics),
          ['examples', `${test.size} of ${dataset} in ${seconds.toFixed(1)} s`],
          ['adapter', `${backend.description} (${backend.kind})`],
        ]),
      );
      return 0;
    });
  },
});

/** @throws DownhillError `state` for a model that was saved before it was compiled. */
function compiledLoss(model: Model): Loss {
  const { compiled } = model.toJSON();
  const losses = compiled === null ? [] : ([compiled.loss].flat() as readonly NamedJson[]);
  if (losses.length === 1) return resolveLoss(losses[0].name, losses[0].config);
  if (losses.length > 1) {
    const found = `${losses.length} outputs; a data set has targets for one`;
    throw new DownhillError('argument', `evaluate: model "${model.name}" has ${found}`);
  }
  throw new DownhillError(
    'state',
    `evaluate: model "${model.name}" was saved without a loss; compile it before you save it`,
  );
}

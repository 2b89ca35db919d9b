/**
 * `downhill evaluate`: scores a saved model on the held-out examples of a data set.
 */

import { loadModel } from '../../train/files.node.ts';
import { DownhillError } from '../../util/errors.ts';
import { COMMON_OPTIONS, defineCommand } from '../command.ts';
import { DATASET_OPTIONS, loadDataset } from '../load-data.ts';
import { withBackend } from '../open-backend.ts';
import { text, whole } from '../options.ts';
import { columns } from '../output.ts';

/** Larger than in training: nothing is kept for a backward pass. */
const BATCH_SIZE = 256;

export const evaluate = defineCommand({
  name: 'evaluate',
  doc: 'score a saved model on held-out examples',
  example: 'evaluate --model-dir runs/lenet --dataset digits',
  options: {
    modelDir: text({ placeholder: 'DIR', doc: 'folder that train --out left' }),
    ...DATASET_OPTIONS,
    batchSize: whole({ least: 1, fallback: BATCH_SIZE, doc: 'examples of a step' }),
    ...COMMON_OPTIONS,
  },
  async run({ modelDir, dataset, data, batchSize, backend: wanted }, output) {
    if (modelDir === undefined) {
      throw new DownhillError('argument', 'evaluate: --model-dir DIR is needed: the folder that train --out left');
    }
    const { test } = await loadDataset(dataset, data, output);
    return withBackend(wanted, output, async (backend) => {
      using model = await loadModel(modelDir);
      const start = performance.now();
      const { loss, accuracy } = await model.evaluate(test, { batchSize });
      const seconds = (performance.now() - start) / 1000;
      const result = {
        model: model.name,
        dataset,
        backend: backend.kind,
        adapter: backend.description,
        examples: test.size,
        testLoss: loss,
        testAccuracy: accuracy,
        seconds,
      };
      output.result(
        result,
        columns([
          ['test accuracy', `${(100 * accuracy).toFixed(2)} %, loss ${loss.toFixed(4)}`],
          ['examples', `${test.size} of ${dataset} in ${seconds.toFixed(1)} s`],
          ['adapter', `${backend.description} (${backend.kind})`],
        ]),
      );
      return 0;
    });
  },
});

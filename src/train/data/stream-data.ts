/**
 * A stream as training, evaluation and prediction take it: each batch checked against the model when it comes, and
 * named with its number in errors.
 */

import type { ArrayDataset } from '../../data/dataset.ts';
import type { DatasetStream } from '../../data/stream.ts';
import { DownhillError } from '../../util/errors.ts';
import type { StreamData } from './batch-data.ts';
import type { ClassWeight } from './example-weights.ts';
import type { Tables } from './feed.ts';
import { checkTables, type DataRules, datasetTables, requireOneSide, type Weights } from './labelled-data.ts';

interface StreamSetting {
  readonly batchSize: number;
  readonly steps: number | undefined;
  /** The option that says `steps`. */
  readonly stepsOption: string;
  readonly flows?: boolean;
  readonly classWeight?: ClassWeight;
}

/** `stream` for `rules`. @throws DownhillError `argument` when the model has several inputs or outputs. */
export function checkedStream(
  rules: DataRules,
  stream: DatasetStream,
  { batchSize, steps, stepsOption, flows = false, classWeight }: StreamSetting,
): StreamData {
  requireOneSide(stream.name, rules);
  // A model without a shape takes that of the stream.
  rules.shapes(stream.xShape);
  const weighting = classWeight === undefined ? {} : { classWeight, partial: true };
  return {
    kind: 'stream',
    name: stream.name,
    size: stream.size,
    ...{ batchSize, steps, stepsOption, flows },
    open: () =>
      // A batch is on its way before the next one is asked for, so its arrays need no copy.
      eachBatch(stream, batchSize, async (batch) =>
        checkTables(rules, await datasetTables(batch, rules, true), weighting),
      ),
  };
}

interface StreamOptions extends Weights {
  readonly batchSize: number;
  readonly validationSplit: number;
  readonly stepsPerEpoch?: number;
  /** True when `shuffle: true` was said. */
  readonly askedToShuffle?: boolean;
}

/** The same for `fit`. @throws DownhillError `argument` for options that need the data in memory. */
export function trainingStream(rules: DataRules, stream: DatasetStream, options: StreamOptions): StreamData {
  const { batchSize, stepsPerEpoch, sampleWeight, validationSplit, classWeight } = options;
  const refuse = (problem: string): never => {
    throw new DownhillError('argument', `fit: "${stream.name}" is a stream, so ${problem}`);
  };
  if (validationSplit > 0) refuse('nothing can be held out from its end; give validationData');
  if (options.askedToShuffle) refuse('it comes in the order of its generator; shuffle there');
  if (sampleWeight !== undefined)
    refuse('sampleWeight would not know its examples; give classWeight, or data in memory');
  return checkedStream(rules, stream, {
    ...{ batchSize, steps: stepsPerEpoch, stepsOption: 'stepsPerEpoch', flows: stepsPerEpoch !== undefined },
    ...(classWeight !== undefined && { classWeight }),
  });
}

/**
 * One pass of `stream`, or its first `steps` batches, through `check`; errors name the batch, and who stops early ends
 * the stream.
 */
export async function* eachBatch<T extends Tables>(
  stream: DatasetStream,
  batchSize: number,
  check: (batch: ArrayDataset) => Promise<T>,
  steps = Number.POSITIVE_INFINITY,
): AsyncGenerator<T, void> {
  const batches = stream.batches(batchSize);
  try {
    for (let k = 0; k < steps; k++) {
      const { done, value } = await batches.next().catch((cause: unknown) => {
        throw named(stream.name, k, cause);
      });
      if (done) return;
      yield await check({ ...(value as ArrayDataset), name: `${stream.name}, batch ${k}` });
    }
  } finally {
    await batches.return();
  }
}

/** What the generator threw, with the number of the batch that was due. */
function named(name: string, batch: number, cause: unknown): Error {
  if (cause instanceof DownhillError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = `data set "${name}": the generator failed when batch ${batch} was due: ${reason}`;
  return new DownhillError('data', message, { cause });
}

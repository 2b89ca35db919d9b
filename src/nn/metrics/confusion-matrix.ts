/**
 * Confusion matrices: rows are the true classes, columns the model's answers, as in Keras and scikit-learn. A metric
 * that counts on the device while a model trains or is evaluated, and a function over lists of class ids.
 */

import type { Tensor } from '../../core/tensor.ts';
import { cast } from '../../ops/elementwise/cast.ts';
import { greater } from '../../ops/elementwise/compare.ts';
import { oneHot } from '../../ops/layout/gather.ts';
import { reshape } from '../../ops/layout/shape.ts';
import { matmul } from '../../ops/matmul/matmul.ts';
import { argMax } from '../../ops/reduction/arg-reduce.ts';
import { refuseSurplus, type Surplus } from '../../util/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { sizeOf } from '../../util/shape.ts';
import { checkKnownOptions, show, wholeNumber } from '../check-options.ts';
import type { TargetKind } from '../losses/loss.ts';
import type { ModelOutput } from '../output.ts';
import { largest } from './accuracy.ts';
import {
  type MetricOptions,
  type MetricSpec,
  metricSpec,
  ratio,
  requireProbabilities,
  type TotalsMetric,
  weigh,
} from './metric.ts';

/** The metric, with the matrix of the pass that was reported last. */
export interface ConfusionMatrixSpec extends MetricSpec {
  /** matrix[true class][answer], weighted counts; undefined before the first report. */
  readonly matrix: number[][] | undefined;
}

/**
 * Counts answers by true class. Logs, being numbers, show the share on the diagonal, which is the accuracy; the counts
 * are `matrix` of the metric itself: of the epoch so far while `fit` runs, of the validation data after it, of the
 * whole set after `evaluate`. A step reports C² numbers, so this is for tens or hundreds of classes.
 */
export function confusionMatrix(options: MetricOptions = {}, ...surplus: Surplus): ConfusionMatrixSpec {
  refuseSurplus('confusionMatrix', surplus);
  let matrix: number[][] | undefined;
  const spec = metricSpec('confusionMatrix', options, [], {}, (name, loss, outputShape): TotalsMetric => {
    const outputs = outputShape.at(-1) ?? 1;
    if (outputs === 1) requireProbabilities(name, loss, false, 'end the model in a sigmoid, and leave fromLogits out');
    const classes = Math.max(2, outputs);
    return {
      name,
      targets: loss.targets,
      totals: (y, output, weights) => countPairs(y, output, loss.targets, classes, weights),
      result(totals) {
        matrix = Array.from({ length: classes }, (_, row) =>
          Array.from({ length: classes }, (_, column) => totals[row * classes + column]),
        );
        const all = matrix.flat().reduce((sum, count) => sum + count, 0);
        return ratio(
          matrix.reduce((sum, row, k) => sum + row[k], 0),
          all,
        );
      },
    };
  });
  return Object.defineProperty(spec, 'matrix', { get: () => matrix, enumerable: true }) as ConfusionMatrixSpec;
}

/**
 * matrix[true class][answer] of two lists of class ids.
 * @param options.classes their number; one more than the largest id when left out.
 * @param options.weights how much each pair counts; 1 when left out.
 * @throws DownhillError `data` for lists of different lengths, ids that are out of range or no whole numbers.
 */
export function confusionMatrixOf(
  yTrue: ArrayLike<number>,
  yPred: ArrayLike<number>,
  options: { readonly classes?: number; readonly weights?: ArrayLike<number> } = {},
): number[][] {
  checkKnownOptions('confusionMatrixOf', options, ['classes', 'weights']);
  const { weights } = options;
  const lists = { yTrue, yPred, ...(weights !== undefined && { weights }) };
  for (const [name, list] of Object.entries(lists)) {
    if (list.length === yTrue.length) continue;
    throw new DownhillError('data', `confusionMatrixOf: yTrue has ${yTrue.length} entries, ${name} has ${list.length}`);
  }
  let largestId = -1;
  for (const list of [yTrue, yPred]) {
    for (let k = 0; k < list.length; k++) largestId = Math.max(largestId, list[k]);
  }
  const classes = wholeNumber('confusionMatrixOf', 'classes', options.classes ?? Math.max(1, largestId + 1), 1);
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  const id = (name: string, list: ArrayLike<number>, k: number): number => {
    if (Number.isInteger(list[k]) && list[k] >= 0 && list[k] < classes) return list[k];
    throw new DownhillError(
      'data',
      `confusionMatrixOf: ${name}[${k}] is ${show(list[k])}; expected a class id from 0 to ${classes - 1}`,
    );
  };
  for (let k = 0; k < yTrue.length; k++) {
    matrix[id('yTrue', yTrue, k)][id('yPred', yPred, k)] += weights === undefined ? 1 : weights[k];
  }
  return matrix;
}

/**
 * `matrix` as a table for people, with the true classes at the left.
 * @param names of the classes; their ids when left out.
 */
export function formatConfusionMatrix(matrix: readonly (readonly number[])[], names?: readonly string[]): string {
  const label = (k: number): string => names?.[k] ?? String(k);
  const count = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(2));
  const lines = [
    ['true \\ answer', ...matrix.map((_, k) => label(k))],
    ...matrix.map((row, k) => [label(k), ...row.map(count)]),
  ];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines.map((line) => line.map((cell, k) => cell.padStart(widths[k])).join('  ')).join('\n');
}

/** f32 [classes²]. */
function countPairs(
  y: Tensor,
  output: ModelOutput,
  targets: TargetKind,
  classes: number,
  weights: Tensor | undefined,
): Tensor {
  const yesOrNo = output.values.shape[output.values.rank - 1] === 1;
  const ids = (kind: 'truth' | 'answer'): Tensor => {
    if (kind === 'truth' && targets === 'classes') return y;
    if (yesOrNo) {
      const bits = cast(greater(kind === 'truth' ? y : output.values, 0.5), 'i32');
      return reshape(bits, bits.shape.slice(0, -1));
    }
    return kind === 'truth' ? argMax(y, { axis: -1 }) : largest(output);
  };
  const rows = (kind: 'truth' | 'answer'): Tensor => {
    const hot = oneHot(ids(kind), classes);
    const weighed = kind === 'truth' ? weigh(hot, weights) : hot;
    return reshape(weighed, [sizeOf(hot.shape) / classes, classes]);
  };
  return reshape(matmul(rows('truth'), rows('answer'), { transposeA: true }), [classes * classes]);
}

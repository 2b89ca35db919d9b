/**
 * Checks of training data against the model: examples of the input's shape, targets of the kind and shape that the loss
 * takes, as many of one as of the other. Everything is refused before anything is uploaded, with the first row that
 * does not fit.
 */

import type { Loss } from '../../nn/losses/index.ts';
import type { Metric } from '../../nn/metrics/index.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatShape, type Shape, sameShape, sizeOf } from '../../util/shape.ts';
import { exampleTable, type Table, valueTable } from './table.ts';

/** `table` as examples for inputs of `inputShape`. @throws DownhillError `shape` when they have another shape. */
export function checkExamples(model: string, table: Table, inputShape: Shape): Table {
  if (sameShape(table.shape, inputShape)) return exampleTable(table);
  // A missing axis of one channel or one feature is the usual slip; the values are the same.
  if (sameShape([...table.shape, 1], inputShape)) return exampleTable({ ...table, shape: inputShape });
  throw new DownhillError(
    'shape',
    `${table.name}: examples have shape ${formatShape(table.shape)}; model "${model}" takes ${formatShape(inputShape)}`,
  );
}

/**
 * `table` as targets of `loss` for outputs of `outputShape`: class ids as i32, values as f32.
 * @throws DownhillError `data` for class ids that are out of range or no whole numbers and values that the loss does
 *   not take, `shape` for other shapes.
 */
export function checkTargets(table: Table, loss: Loss, outputShape: Shape): Table {
  return loss.targets === 'classes' ? classTargets(table, loss, outputShape) : valueTargets(table, loss, outputShape);
}

/** Losses of numbers to predict, which may be anything. */
const REGRESSION = /^(mean.*Error|huber|logCosh|cosineSimilarity)$/;

/**
 * Metrics that count right answers need answers, 1 or 0, where the loss would take any number.
 * @throws DownhillError `argument` naming the metric, the first target that is none, and what would fit.
 */
export function checkAnswers({ name, data, shape }: Table, loss: Loss, metrics: readonly Metric[]): void {
  const counting = metrics.find(({ answers }) => answers);
  if (counting === undefined || !REGRESSION.test(loss.name)) return;
  const at = data.findIndex((value) => value !== 0 && value !== 1);
  if (at < 0 || (counting.sides && data.every((value) => value === -1 || value === 1))) return;
  const found = `${name} has ${data[at]} in example ${Math.floor(at / sizeOf(shape))}`;
  throw new DownhillError(
    'argument',
    `metric "${counting.name}" counts right answers, targets of 0 and ` +
      `1${counting.sides ? ', or of −1 and 1' : ''}; ${found}. For numbers to predict take ` +
      'meanAbsoluteError, rootMeanSquaredError or r2Score',
  );
}

/** @throws DownhillError `data` unless there are as many targets as examples. */
export function checkCounts(x: Table, y: Table): void {
  if (x.rows === y.rows) return;
  throw new DownhillError(
    'data',
    `${x.name} has ${x.rows} examples but ${y.name} has ${y.rows} targets; expected as many`,
  );
}

/**
 * `table` when every value is finite and from `low` to `high`; one pass, and none over bytes and whole numbers without
 * a range.
 * @throws DownhillError `data` naming the first example that is not.
 */
export function checkValues(
  table: Table,
  expected: string,
  low = -Number.MAX_VALUE,
  high: number = Number.MAX_VALUE,
): Table {
  const { data, encoding, name } = table;
  if (encoding !== 'f32' && low === -Number.MAX_VALUE) return table;
  for (let k = 0; k < data.length; k++) {
    // NaN fails every comparison.
    if (data[k] >= low && data[k] <= high) continue;
    const example = Math.floor(k / sizeOf(table.shape));
    throw new DownhillError('data', `${name}: found ${data[k]} in example ${example}; ${expected}`);
  }
  return table;
}

function checkRange(table: Table, loss: Loss): Table {
  const { name, targetRange } = loss;
  if (targetRange === undefined) return checkValues(table, `${name} takes finite numbers`);
  return checkValues(table, `${name} takes targets ${targetRange.expected}`, targetRange.low, targetRange.high);
}

function classTargets(table: Table, loss: Loss, outputShape: Shape): Table {
  const classes = loss.anyClass ? 2 ** 31 : (outputShape.at(-1) ?? 0);
  const shape = outputShape.slice(0, -1);
  if (sizeOf(table.shape) !== sizeOf(shape)) {
    const hint =
      sizeOf(table.shape) === sizeOf(outputShape) ? '; for one-hot rows, use the loss categoricalCrossentropy' : '';
    const flatten = flattenHint(table.shape, outputShape);
    const expected = shape.length === 0 ? 'one class id an example' : `class ids of shape ${formatShape(shape)}`;
    throw new DownhillError(
      'shape',
      `${table.name}: targets have shape ${formatShape(table.shape)}; ${loss.name} takes ${expected}${hint}${flatten}`,
    );
  }
  const width = sizeOf(table.shape);
  table.data.forEach((id, k) => {
    if (id === loss.ignoreClass || (Number.isInteger(id) && id >= 0 && id < classes)) return;
    const problem = Number.isInteger(id) ? 'out of range' : 'not a whole number';
    const expected = loss.anyClass ? 'a whole number from 0' : `0 to ${classes - 1} (the model has ${classes} outputs)`;
    throw new DownhillError(
      'data',
      `${table.name}: label ${id} of example ${Math.floor(k / width)} is ${problem}; expected ${expected}`,
    );
  });
  return { ...table, shape, encoding: 'i32', data: Int32Array.from(table.data) };
}

/** Dense layers work on the last axis, so images stay images without a layer that flattens them. */
function flattenHint(targetShape: Shape, outputShape: Shape): string {
  if (targetShape.length > 1 || outputShape.length < 2) return '';
  return '; a Flatten layer before the Dense ones gives one row an example';
}

function valueTargets(table: Table, loss: Loss, outputShape: Shape): Table {
  const scalarTargets = table.shape.length === outputShape.length - 1 && outputShape.at(-1) === 1;
  if (sameShape(table.shape, outputShape) || (scalarTargets && sameShape(table.shape, outputShape.slice(0, -1)))) {
    return checkRange(valueTable({ ...table, shape: outputShape }), loss);
  }
  const classIds = sizeOf(table.shape) === 1 && sizeOf(outputShape) > 1 && /^categorical.*rossentropy$/.test(loss.name);
  const hint = classIds ? '; for class ids, use the loss sparseCategoricalCrossentropy' : '';
  throw new DownhillError(
    'shape',
    `${table.name}: targets have shape ${formatShape(table.shape)}; ` +
      `${loss.name} takes the model's output shape ${formatShape(outputShape)}${hint}${flattenHint(table.shape, outputShape)}`,
  );
}

/**
 * The text of `model.summary()`: Keras' table of layers, output shapes and parameter counts, with its totals.
 * Source: keras/src/utils/summary_utils.py.
 */

import type { Layer } from '../nn/layer.ts';
import { InputLayer } from '../nn/layers/input.ts';
import { type Shape, sizeOf } from '../util/shape.ts';
import type { BuiltLayers } from './build-layers.ts';
import type { Weight } from './weight-layout.ts';

export interface SummaryRow {
  /** `conv2d (Conv2D)`. */
  readonly layer: string;
  /** Shape of one output example; undefined while the model is not built. */
  readonly outputShape: Shape | undefined;
  readonly parameters: number;
}

export interface Summary {
  readonly name: string;
  readonly rows: readonly SummaryRow[];
  readonly trainable: number;
  readonly nonTrainable: number;
  /** Values that the optimizer keeps: its moments, its count of updates and its learning rate; 0 before the first step. */
  readonly optimizer: number;
}

/** `(None, 28, 28, 6)`: None stands for the batch. */
export function formatOutputShape(shape: Shape | undefined): string {
  if (shape === undefined) return '?';
  return shape.length === 0 ? '(None,)' : `(None, ${shape.join(', ')})`;
}

/**
 * What the table says of a model.
 * @param built undefined while the input's shape is not known. @param slots of the optimizer, once it has made a step.
 */
export function summaryOf(
  name: string,
  layers: readonly Layer[],
  built: BuiltLayers | undefined,
  slots: number | undefined,
): Summary {
  const count = (of: (weight: Weight) => boolean): number =>
    (built?.weights ?? []).filter(of).reduce((sum, { spec }) => sum + sizeOf(spec.shape), 0);
  const rows = layers.flatMap((layer, position) => {
    if (layer instanceof InputLayer) return [];
    const parameters = count((weight) => weight.layer === position);
    return [{ layer: `${layer.name} (${layer.className})`, outputShape: built?.layerShapes[position], parameters }];
  });
  const trainable = count(({ spec }) => spec.trainable);
  const nonTrainable = count(({ spec }) => !spec.trainable);
  return { name, rows, trainable, nonTrainable, optimizer: slots === undefined ? 0 : slots * trainable + 2 };
}

/** The table as text, lines separated by `\n`. */
export function formatSummary({ name, rows, trainable, nonTrainable, optimizer }: Summary): string {
  const table = [
    ['Layer (type)', 'Output Shape', 'Param #'],
    ...rows.map((row) => [
      row.layer,
      formatOutputShape(row.outputShape),
      row.outputShape === undefined ? '0 (unbuilt)' : count(row.parameters),
    ]),
  ];
  const least = [33, 24, 15];
  const widths = [0, 1, 2].map((k) => Math.max(least[k] - 2, ...table.map((line) => line[k].length)));
  const rule = (left: string, fill: string, cross: string, right: string): string =>
    left + widths.map((width) => fill.repeat(width + 2)).join(cross) + right;
  const line = ([a, b, c]: readonly string[], bar: string): string =>
    `${bar} ${a.padEnd(widths[0])} ${bar} ${b.padEnd(widths[1])} ${bar} ${c.padStart(widths[2])} ${bar}`;
  const [head, ...body] = table;
  const headLine = line([head[0], head[1], head[2].padStart(widths[2])], '┃');
  const bodyLines = body.flatMap((cells, k) =>
    k === 0 ? [line(cells, '│')] : [rule('├', '─', '┼', '┤'), line(cells, '│')],
  );
  const total = trainable + nonTrainable + optimizer;
  return [
    `Model: "${name}"`,
    rule('┏', '━', '┳', '┓'),
    headLine,
    rule('┡', '━', '╇', '┩'),
    ...bodyLines,
    rule('└', '─', '┴', '┘'),
    ` Total params: ${amount(total)}`,
    ` Trainable params: ${amount(trainable)}`,
    ` Non-trainable params: ${amount(nonTrainable)}`,
    ...(optimizer > 0 ? [` Optimizer params: ${amount(optimizer)}`] : []),
  ].join('\n');
}

function count(n: number): string {
  return n.toLocaleString('en-US');
}

/** With the memory of n f32 values, in Keras' units (1 KB is 1024 bytes). */
function amount(n: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let size = 4 * n;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${count(n)} (${size.toFixed(2)} ${units[unit]})`;
}

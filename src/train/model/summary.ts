/**
 * The text of `model.summary()`: Keras' table of layers, output shapes and parameter counts, with its totals.
 * Source: keras/src/utils/summary_utils.py.
 */

import type { Layer } from '../../nn/layer.ts';
import { InputLayer } from '../../nn/layers/core/input.ts';
import type { Optimizer } from '../../nn/optimizers/optimizer.ts';
import { type Shape, sizeOf } from '../../util/shape.ts';
import { isTrained, type Weight } from '../weights/weight-layout.ts';
import type { BuiltLayers } from './build-layers.ts';
import type { LayerGraph } from './layer-graph.ts';

export interface SummaryRow {
  /** `conv2d (Conv2D)`. */
  readonly layer: string;
  /** Shape of one output example; undefined while the model is not built. */
  readonly outputShape: Shape | undefined;
  readonly parameters: number;
  /** What it is connected to, in functional models. */
  readonly connectedTo?: string;
}

export interface Summary {
  readonly name: string;
  readonly rows: readonly SummaryRow[];
  readonly trainable: number;
  readonly nonTrainable: number;
  /**
   * Values that the optimizer keeps: its moments, its count of updates and its learning rate; 0 before the first step.
   */
  readonly optimizer: number;
}

/** `(None, 28, 28, 6)`: None is the batch. */
export function formatOutputShape(shape: Shape | undefined): string {
  if (shape === undefined) return '?';
  return shape.length === 0 ? '(None,)' : `(None, ${shape.join(', ')})`;
}

/**
 * What the table says of a model.
 * @param built undefined while the input's shape is not known. @param optimizer once it has made a step.
 */
export function summaryOf(
  name: string,
  layers: readonly Layer[],
  built: BuiltLayers | undefined,
  optimizer: Optimizer | undefined,
  links?: LayerGraph,
): Summary {
  const count = (of: (weight: Weight) => boolean | number): number =>
    (built?.weights ?? []).reduce((sum, weight) => sum + sizeOf(weight.spec.shape) * Number(of(weight)), 0);
  const rows = layers.flatMap((layer, position) => {
    if (layer instanceof InputLayer && links === undefined) return [];
    const parameters = count(({ uses }) => uses.some(({ layer }) => layer === position));
    const row = { layer: `${layer.name} (${layer.className})`, outputShape: built?.layerShapes[position], parameters };
    return [links === undefined ? row : { ...row, connectedTo: connections(links, position) }];
  });
  const trainable = count(({ spec, frozen }) => spec.trainable && !frozen);
  const nonTrainable = count(({ spec, frozen }) => !spec.trainable || frozen === true);
  const slots = (weight: Weight) => (isTrained(weight) ? optimizer!.slotsOf(weight.rule ?? '').length : 0);
  return { name, rows, trainable, nonTrainable, optimizer: optimizer === undefined ? 0 : count(slots) + 2 };
}

/** `add, dense` for a layer that reads their outputs; the names of all uses of a shared layer. */
function connections({ layers, calls }: LayerGraph, position: number): string {
  const giver = (value: number): string => {
    const call = calls.find(({ outputs }) => outputs.includes(value));
    return call === undefined ? layers[value].name! : layers[call.layer].name!;
  };
  const sources = calls.filter(({ layer }) => layer === position).flatMap(({ inputs }) => inputs.map(giver));
  return sources.length === 0 ? '-' : sources.join(', ');
}

/** The table as text, lines separated by `\n`. */
export function formatSummary({ name, rows, trainable, nonTrainable, optimizer }: Summary): string {
  const linked = rows.some(({ connectedTo }) => connectedTo !== undefined);
  const table = [
    ['Layer (type)', 'Output Shape', 'Param #', ...(linked ? ['Connected to'] : [])],
    ...rows.map((row) => [
      row.layer,
      formatOutputShape(row.outputShape),
      row.outputShape === undefined ? '0 (unbuilt)' : count(row.parameters),
      ...(linked ? [row.connectedTo ?? ''] : []),
    ]),
  ];
  const least = linked ? [23, 20, 13, 19] : [33, 24, 15];
  const widths = least.map((width, k) => Math.max(width - 2, ...table.map((line) => line[k].length)));
  const rule = (left: string, fill: string, cross: string, right: string): string =>
    left + widths.map((width) => fill.repeat(width + 2)).join(cross) + right;
  const line = (cells: readonly string[], bar: string): string => {
    const padded = cells.map((cell, k) => (k === 2 ? cell.padStart(widths[k]) : cell.padEnd(widths[k])));
    return `${bar} ${padded.join(` ${bar} `)} ${bar}`;
  };
  const [head, ...body] = table;
  const headLine = line(head, '┃');
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

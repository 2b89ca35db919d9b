/**
 * The graph of one step: gather a batch, forward, loss and metrics, and in training backward and update, all in one.
 *
 * Invariant: everything that varies from step to step is a scalar input (the learning rate, the batch's offset, the
 * keys of the random numbers), so that a program serves every step of every epoch. Of the bound inputs a step changes
 * only the weights and the optimizer's slots.
 */

import type { GraphOutput, GraphSpec, GraphUpdate } from '../core/graph.ts';
import { topologicalOrder } from '../core/graph.ts';
import { withScope } from '../core/scope.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Layer } from '../nn/layer.ts';
import { InputLayer } from '../nn/layers/input.ts';
import type { Optimizer } from '../nn/optimizers/optimizer.ts';
import { pack } from '../ops/shape.ts';
import { batchOf, sequentialRows, shuffledRows, type TableSpec, tableAval } from './batch.ts';
import {
  assignedViews,
  type Forward,
  type ModelParts,
  type TracedGroup,
  traceForward,
  traceGroups,
} from './model-parts.ts';
import { Inputs } from './step-inputs.ts';
import { type Objective, traceReport } from './trace-report.ts';
import { flatGradients, regularization, traceUpdates } from './trace-updates.ts';

/** How a step finds its rows in the tables. */
export type RowAccess =
  /** A shuffled epoch's rows from scalar `offset` on. */
  | 'shuffled'
  /** The rows from scalar `offset` on, in order. */
  | 'sequential'
  /** The tables are the batch. */
  | 'whole';

export interface BatchSpec {
  /** Rows of a batch. */
  readonly count: number;
  readonly access: RowAccess;
  readonly x: TableSpec;
}

export interface LabelledBatchSpec extends BatchSpec {
  readonly y: TableSpec;
}

/** A step that changes the weights. Scalars: the optimizer's, `offset`, `shuffle` and `random` (as far as used). */
export function trainGraph(
  model: ModelParts,
  objective: Objective,
  optimizer: Optimizer,
  batch: LabelledBatchSpec,
): GraphSpec {
  const inputs = new Inputs();
  const groups = addGroups(inputs, model);
  const { x, y } = addBatch(inputs, batch);
  const forward = traceForward(model, groups, [x], inputs.scalar('random', 'u32', [2]));
  const { loss, report } = withScope('loss', () =>
    traceReport(objective, y, forward.outputs[0], { penalties: penaltiesOf(groups, forward) }),
  );
  const updates = [
    ...withScope(optimizer.name, () => traceUpdates(inputs, optimizer, groups, loss)),
    ...traceAssigned(groups, forward),
  ];
  return finish(`train ${model.name}`, inputs, report, updates);
}

/** Loss and metrics at inference. Scalars: `offset`. */
export function evaluateGraph(model: ModelParts, objective: Objective, batch: LabelledBatchSpec): GraphSpec {
  const inputs = new Inputs();
  const groups = addGroups(inputs, model);
  const { x, y } = addBatch(inputs, batch);
  const forward = traceForward(model, groups, [x], undefined);
  const { report } = withScope('loss', () =>
    traceReport(objective, y, forward.outputs[0], { penalties: penaltiesOf(groups, forward) }),
  );
  return finish(`evaluate ${model.name}`, inputs, report, []);
}

/** The model's outputs at inference, as output `predictions`. Scalars: `offset`. */
export function predictGraph(model: ModelParts, batch: BatchSpec): GraphSpec {
  const inputs = new Inputs();
  const groups = addGroups(inputs, model);
  const { x } = addBatch(inputs, batch);
  const {
    outputs: [output],
  } = traceForward(model, groups, [x], undefined);
  return finish(`predict ${model.name}`, inputs, [{ name: 'predictions', tensor: output.values }], []);
}

/** The outputs of every layer at inference, as outputs `0`, `1` … in the order in which `describe` hears of them. */
export function activationGraph(
  model: ModelParts,
  batch: BatchSpec,
  describe: (layer: Layer, outputs: readonly Tensor[]) => void,
): GraphSpec {
  const inputs = new Inputs();
  const groups = addGroups(inputs, model);
  const { x } = addBatch(inputs, batch);
  const outputs: GraphOutput[] = [];
  traceForward(model, groups, [x], undefined, (layer, results) => {
    if (layer instanceof InputLayer) return;
    for (const tensor of results) outputs.push({ name: String(outputs.length), tensor });
    describe(layer, results);
  });
  return finish(`activations ${model.name}`, inputs, outputs, []);
}

/** The loss and its gradient at the weights of each trainable group, one output a group, by the group's name. */
export function gradientGraph(model: ModelParts, objective: Objective, batch: LabelledBatchSpec): GraphSpec {
  const inputs = new Inputs();
  const groups = addGroups(inputs, model);
  const { x, y } = addBatch(inputs, batch);
  const forward = traceForward(model, groups, [x], inputs.scalar('random', 'u32', [2]));
  const { loss, report } = withScope('loss', () =>
    traceReport(objective, y, forward.outputs[0], { penalties: penaltiesOf(groups, forward) }),
  );
  const outputs = flatGradients(groups, loss).map(({ group, gradient }) => ({
    name: group.group.name,
    tensor: gradient,
  }));
  return finish(`gradients ${model.name}`, inputs, [...report, ...outputs], []);
}

function addGroups(inputs: Inputs, { groups }: ModelParts): TracedGroup[] {
  const traced = traceGroups(groups);
  for (const { group, placeholder } of traced)
    inputs.all.push({ name: group.name, kind: 'bound', tensor: placeholder });
  return traced;
}

function addBatch(inputs: Inputs, batch: LabelledBatchSpec): { x: Tensor; y: Tensor };
function addBatch(inputs: Inputs, batch: BatchSpec): { x: Tensor };
function addBatch(inputs: Inputs, batch: BatchSpec & { y?: TableSpec }): { x: Tensor; y?: Tensor } {
  return withScope('batch', () => {
    const { count, access, x, y } = batch;
    const table = inputs.add('bound', 'x', tableAval(x));
    const targets = y === undefined ? undefined : inputs.add('bound', 'y', tableAval(y));
    const rows = access === 'whole' ? undefined : traceRows(inputs, access, count, x.rows);
    return {
      x: batchOf(x, table, rows),
      ...(y !== undefined && targets !== undefined && { y: batchOf(y, targets, rows) }),
    };
  });
}

function traceRows(inputs: Inputs, access: 'shuffled' | 'sequential', count: number, rows: number): Tensor {
  const offset = inputs.scalar('offset', 'u32');
  if (access === 'shuffled') return shuffledRows(inputs.scalar('shuffle', 'u32', [2]), offset, count, rows);
  return sequentialRows(offset, count);
}

/** What layers and regularizers add to the loss. */
function penaltiesOf(groups: readonly TracedGroup[], { penalties }: Forward): Tensor[] {
  const weights = regularization(groups);
  return weights === undefined ? [...penalties] : [...penalties, weights];
}

function traceAssigned(groups: readonly TracedGroup[], { assigned }: Forward): GraphUpdate[] {
  return groups
    .filter(({ group }) => !group.trainable && group.weights.some(({ path }) => assigned.has(path)))
    .map((group) => ({ target: group.placeholder, value: pack(assignedViews(group, assigned)) }));
}

/** The spec with those inputs that the step reads. */
function finish(
  name: string,
  inputs: Inputs,
  outputs: readonly GraphOutput[],
  updates: readonly GraphUpdate[],
): GraphSpec {
  const reached = new Set(topologicalOrder([...outputs.map((o) => o.tensor), ...updates.map((u) => u.value)]));
  return { name, inputs: inputs.all.filter(({ tensor }) => reached.has(tensor)), outputs, updates };
}

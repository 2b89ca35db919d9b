/**
 * The graph of one step: gather a batch, forward, loss and metrics, and in training backward and update, all in one.
 *
 * Invariant: everything that varies from step to step is a scalar input (the learning rate, the batch's offset, the
 * keys of the random numbers), so that a program serves every step of every epoch. Of the bound inputs a step changes
 * only the weights and the optimizer's slots.
 */

import type { GraphOutput, GraphSpec, GraphUpdate } from '../../core/graph.ts';
import { topologicalOrder } from '../../core/graph.ts';
import { withScope } from '../../core/scope.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { Layer } from '../../nn/layer.ts';
import { InputLayer } from '../../nn/layers/core/input.ts';
import type { Optimizer } from '../../nn/optimizers/optimizer.ts';
import { pack } from '../../ops/layout/concat.ts';
import { batchOf, type RowAccess, sequentialRows, shuffledRows, type TableSpec, tableAval } from '../data/batch.ts';
import {
  assignedViews,
  type Forward,
  type ModelParts,
  type TracedGroup,
  traceForward,
  traceGroups,
} from '../model/model-parts.ts';
import { type OutputLosses, traceOutputLosses } from './output-losses.ts';
import { Inputs } from './step-inputs.ts';
import { flatGradients, regularization, traceUpdates } from './trace-updates.ts';

/** Names of a graph's inputs: the examples and the targets of a model's input or output `k`, the examples' weights. */
export const inputName = (k: number): string => numbered('x', k);
export const targetName = (k: number): string => numbered('y', k);
export const WEIGHTS_NAME = 'weights';
/** The weights of the examples for output `k` alone, which take precedence over those for all outputs. */
export const outputWeightsName = (k: number): string => `${WEIGHTS_NAME} of output ${k}`;

/** Name of output `k` of the program that predicts. */
export const predictionName = (k: number): string => numbered('predictions', k);

export interface BatchSpec {
  /** Rows of a batch. */
  readonly count: number;
  readonly access: RowAccess;
  /** By input name. */
  readonly tables: ReadonlyMap<string, TableSpec>;
}

/** A step that changes the weights. Scalars: the optimizer's, `offset`, `shuffle` and `random` (as far as used). */
export function trainGraph(model: ModelParts, losses: OutputLosses, optimizer: Optimizer, batch: BatchSpec): GraphSpec {
  const inputs = new Inputs();
  const { groups, forward, loss, report } = traceLoss(inputs, model, losses, batch, true);
  const updates = [
    ...withScope(optimizer.name, () => traceUpdates(inputs, optimizer, groups, loss)),
    ...traceAssigned(groups, forward),
  ];
  return finish(`train ${model.name}`, inputs, report, updates);
}

/** Loss and metrics at inference. Scalars: `offset`. */
export function evaluateGraph(model: ModelParts, losses: OutputLosses, batch: BatchSpec): GraphSpec {
  const inputs = new Inputs();
  const { report } = traceLoss(inputs, model, losses, batch, false);
  return finish(`evaluate ${model.name}`, inputs, report, []);
}

/**
 * The model's outputs, named by `predictionName`, at inference or, with the layers' `training` behaviour, as a step
 * sees them. Scalars: `offset`, and `random` (two words) in training.
 */
export function predictGraph(model: ModelParts, batch: BatchSpec, training = false): GraphSpec {
  const inputs = new Inputs();
  const groups = addGroups(inputs, model);
  const examples = examplesOf(model, addBatch(inputs, batch));
  const random = training ? inputs.scalar('random', 'u32', [2]) : undefined;
  const { outputs } = traceForward(model, groups, examples, random);
  const predictions = outputs.map(({ values }, k) => ({ name: predictionName(k), tensor: values }));
  return finish(`predict ${model.name}`, inputs, predictions, []);
}

/** The outputs of every layer at inference, as outputs `0`, `1` … in the order in which `describe` hears of them. */
export function activationGraph(
  model: ModelParts,
  batch: BatchSpec,
  describe: (layer: Layer, outputs: readonly Tensor[]) => void,
): GraphSpec {
  const inputs = new Inputs();
  const groups = addGroups(inputs, model);
  const examples = examplesOf(model, addBatch(inputs, batch));
  const outputs: GraphOutput[] = [];
  traceForward(model, groups, examples, undefined, (layer, results) => {
    if (layer instanceof InputLayer) return;
    for (const tensor of results) outputs.push({ name: String(outputs.length), tensor });
    describe(layer, results);
  });
  return finish(`activations ${model.name}`, inputs, outputs, []);
}

/** The loss and its gradient at the weights of each trainable group, one output a group, by the group's name. */
export function gradientGraph(model: ModelParts, losses: OutputLosses, batch: BatchSpec): GraphSpec {
  const inputs = new Inputs();
  const { groups, loss, report } = traceLoss(inputs, model, losses, batch, true);
  const outputs = flatGradients(groups, loss).map(({ group, gradient }) => ({
    name: group.group.name,
    tensor: gradient,
  }));
  return finish(`gradients ${model.name}`, inputs, [...report, ...outputs], []);
}

/** The batch, the forward pass and the loss. */
function traceLoss(inputs: Inputs, model: ModelParts, losses: OutputLosses, batch: BatchSpec, training: boolean) {
  const groups = addGroups(inputs, model);
  const tensors = addBatch(inputs, batch);
  const random = training ? inputs.scalar('random', 'u32', [2]) : undefined;
  const forward = traceForward(model, groups, examplesOf(model, tensors), random);
  const weights = losses.map((_, k) => tensors.get(outputWeightsName(k)) ?? tensors.get(WEIGHTS_NAME));
  const targets = losses.map((_, k) => tensors.get(targetName(k))!);
  const { loss, report } = withScope('loss', () =>
    traceOutputLosses(losses, targets, forward.outputs, { penalties: penaltiesOf(groups, forward), weights }),
  );
  return { groups, forward, loss, report };
}

function numbered(name: string, k: number): string {
  return k === 0 ? name : `${name}_${k}`;
}

function examplesOf({ inputShapes }: ModelParts, tensors: ReadonlyMap<string, Tensor>): Tensor[] {
  return inputShapes.map((_, k) => tensors.get(inputName(k))!);
}

function addGroups(inputs: Inputs, { groups }: ModelParts): TracedGroup[] {
  const traced = traceGroups(groups);
  for (const { group, placeholder } of traced)
    inputs.all.push({ name: group.name, kind: 'bound', tensor: placeholder });
  return traced;
}

/** The rows of the batch from each table, by input name. */
function addBatch(inputs: Inputs, { count, access, tables }: BatchSpec): Map<string, Tensor> {
  return withScope('batch', () => {
    const bound = [...tables].map(([name, spec]) => ({
      name,
      spec,
      table: inputs.add('bound', name, tableAval(spec)),
    }));
    const rows = access === 'whole' ? undefined : traceRows(inputs, access, count, bound[0].spec.rows);
    return new Map(bound.map(({ name, spec, table }) => [name, batchOf(spec, table, rows)]));
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

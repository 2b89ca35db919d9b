/**
 * Work on batches that a caller hands in one by one: predictions, single updates, gradients. Programs are kept from
 * call to call, so a call costs an upload, a run and a read.
 */

import type { Backend, BackendBuffer } from '../../backend/backend.ts';
import type { DispatchTime } from '../../backend/profile.ts';
import type { GraphSpec } from '../../core/graph.ts';
import type { Layer } from '../../nn/layer.ts';
import { type Shape, sizeOf } from '../../util/shape.ts';
import { rowsOfTables, type Tables } from '../data/feed.ts';
import { tableRows } from '../data/table.ts';
import type { BatchPrograms } from '../step/batch-programs.ts';
import { type OutputLosses, reportedOutputs } from '../step/output-losses.ts';
import { type Logs, layOutReport, reportLogs } from '../step/report.ts';
import {
  activationGraph,
  type BatchSpec,
  gradientGraph,
  predictGraph,
  predictionName,
  trainGraph,
} from '../step/step-graph.ts';
import type { StepProgram } from '../step/step-program.ts';
import { type Compiled, type Context, randomWords, stepBuffers, stepScalars } from '../step/training-context.ts';
import type { DeviceGroup, WeightArray, WeightValue } from '../weights/weight-store.ts';

/** Reads that may be under way before the next batch is sent. */
const MAX_READS = 3;

/** Batches of at most `batchSize` rows of `tables`. */
export function* batchesOfTables(tables: Tables, batchSize: number): Generator<Tables> {
  const rows = rowsOfTables(tables);
  for (let from = 0; from < rows; from += batchSize) {
    const to = Math.min(rows, from + batchSize);
    yield new Map([...tables].map(([name, table]) => [name, tableRows(table, from, to)]));
  }
}

/**
 * The outputs for all rows of `batches`, row-major, one array an output, and how many rows there are.
 * @param seed for the layers' behaviour in training, where batch k draws what update k would; inference without.
 */
export async function predictBatches(
  { backend, parts, groups }: Context,
  programs: BatchPrograms,
  batches: Iterable<Tables> | AsyncIterable<Tables>,
  seed?: number,
): Promise<{ rows: number; outputs: Float32Array[] }> {
  const names = parts.graph.outputs.map((_, k) => predictionName(k));
  const pending: Promise<ArrayLike<number>[]>[] = [];
  let [rows, number] = [0, 0];
  for await (const batch of batches) {
    rows += rowsOfTables(batch);
    const { program, write } = await programs.get(
      seed === undefined ? 'predict' : 'predict in training',
      backend,
      groups,
      batch,
      (spec) => predictGraph(parts, spec, seed !== undefined),
    );
    write(batch);
    program.run(seed === undefined ? new Map() : new Map([['random', randomWords(seed, ++number)]]));
    pending.push(program.read(names));
    if (pending.length > MAX_READS) await pending[pending.length - 1 - MAX_READS];
  }
  const read = await Promise.all(pending);
  return { rows, outputs: names.map((_, k) => joined(read.map((parts) => parts[k]))) };
}

function joined(parts: readonly ArrayLike<number>[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    all.set(part, end);
    end += part.length;
  }
  return all;
}

/** One update; the batch's loss and metrics before it. */
export async function trainOnBatch(
  { backend, parts, groups, store }: Context,
  programs: BatchPrograms,
  compiled: Compiled,
  batch: Tables,
  seed: number,
): Promise<Logs> {
  const { program, write } = await programs.get('train', backend, groups, batch, (spec) =>
    trainGraph(parts, compiled.losses, compiled.optimizer, spec),
  );
  write(batch);
  program.run(stepScalars(compiled, ++store.iterations, seed));
  return readLogs(program, compiled.losses);
}

/**
 * Device time of each dispatch of an update on `batch`, the median of `runs`. What the runs update (weights, averages,
 * the optimizer's slots) is copied on the device before and put back after them.
 */
export async function profileOnBatch(
  { backend, parts, groups, store }: Context,
  programs: BatchPrograms,
  compiled: Compiled,
  batch: Tables,
  options: { readonly seed: number; readonly runs: number },
): Promise<DispatchTime[]> {
  const { program, write } = await programs.get('train', backend, groups, batch, (spec) =>
    trainGraph(parts, compiled.losses, compiled.optimizer, spec),
  );
  write(batch);
  const putBack = keepUpdated(backend, program, groups);
  try {
    return await program.profile(stepScalars(compiled, store.iterations + 1, options.seed), options.runs);
  } finally {
    putBack();
  }
}

/** Copies of the buffers of `groups` that `program` updates; the returned function writes them back and frees them. */
function keepUpdated(backend: Backend, program: StepProgram, groups: readonly DeviceGroup[]): () => void {
  const updated = new Set(program.plan.inputs.filter((input) => input.updated).map(({ name }) => name));
  const kept: { readonly buffer: BackendBuffer; readonly copy: BackendBuffer }[] = [];
  const free = (): void => {
    for (const { copy } of kept) copy.dispose();
  };
  try {
    for (const [name, buffer] of stepBuffers(groups)) {
      if (!updated.has(name)) continue;
      const copy = backend.createBuffer(buffer.elements, 'f32', `${name} before the profile`);
      kept.push({ buffer, copy });
      backend.copy(buffer, 0, copy, 0, buffer.elements);
    }
  } catch (error) {
    free();
    throw error;
  }
  return () => {
    try {
      for (const { buffer, copy } of kept) backend.copy(copy, 0, buffer, 0, buffer.elements);
    } finally {
      free();
    }
  };
}

/** Loss, metrics and the gradient of each trainable weight, as the next update would see them. */
export async function gradientsOnBatch(
  { backend, parts, groups, store }: Context,
  programs: BatchPrograms,
  compiled: Compiled,
  batch: Tables,
  seed: number,
): Promise<{ logs: Logs; gradients: WeightValue[] }> {
  const { program, write } = await programs.get('gradients', backend, groups, batch, (spec) =>
    gradientGraph(parts, compiled.losses, spec),
  );
  write(batch);
  program.run(stepScalars(compiled, store.iterations + 1, seed));
  const gradients: WeightValue[] = [];
  for (const group of groups) {
    if (!group.trainable) continue;
    const [flat] = (await program.read([group.name])) as WeightArray[];
    for (const { path, spec, offset } of group.weights) {
      gradients.push({ name: path, shape: spec.shape, data: flat.slice(offset, offset + sizeOf(spec.shape)) });
    }
  }
  return { logs: await readLogs(program, compiled.losses), gradients };
}

/** Loss and metrics as they are after the program's last run. */
async function readLogs(program: StepProgram, losses: OutputLosses): Promise<Logs> {
  const entries = layOutReport(reportedOutputs(losses), program);
  const values = await program.read(entries.map(({ name }) => name));
  return reportLogs(
    entries,
    values.flatMap((part) => Array.from(part)),
  );
}

/** What a layer gives for a batch. */
export interface LayerOutput {
  /**
   * Name of the layer; a layer that is used again has the use after it (`dense:1`), further outputs theirs (`dense.1`).
   */
  readonly name: string;
  readonly layer: Layer;
  /** With the batch axis first. */
  readonly shape: Shape;
  /** Row-major. */
  readonly data: WeightArray;
}

/** The outputs of all layers for the rows of `batch` at inference. */
export async function activationsOnBatch(
  { backend, parts, groups }: Context,
  programs: BatchPrograms,
  batch: Tables,
): Promise<LayerOutput[]> {
  const found = layerOutputs(parts, { count: rowsOfTables(batch), access: 'whole', tables: batch });
  const { program, write } = await programs.get('activations', backend, groups, batch, () => found.graph);
  write(batch);
  program.run(new Map());
  const values = (await program.read(found.outputs.map((_, k) => String(k)))) as WeightArray[];
  return found.outputs.map((output, k) => ({ ...output, data: values[k] }));
}

/** The graph whose outputs are those of all layers, and what they are. */
function layerOutputs(
  parts: Context['parts'],
  batch: BatchSpec,
): { graph: GraphSpec; outputs: Omit<LayerOutput, 'data'>[] } {
  const outputs: Omit<LayerOutput, 'data'>[] = [];
  const uses = new Map<Layer, number>();
  const graph = activationGraph(parts, batch, (layer, results) => {
    const use = uses.get(layer) ?? 0;
    uses.set(layer, use + 1);
    results.forEach(({ shape }, k) => {
      const name = `${layer.name}${use === 0 ? '' : `:${use}`}${k === 0 ? '' : `.${k}`}`;
      outputs.push({ name, layer, shape });
    });
  });
  return { graph, outputs };
}

/**
 * Kernels of a reduce cluster. One invocation per fold walks its elements in order; folds that need each other's results
 * (softmax: maximum, then sum) follow one another in phases. Few folds over many elements are cut into chunks: a first
 * dispatch leaves one partial per chunk, a second merges them in order. No atomics: the same bits every run.
 */

import type { Tensor } from '../../core/tensor.ts';
import { statements } from '../../kernel/quote.ts';
import { invariant } from '../../util/errors.ts';
import type { FoldSpace } from '../fuse/cluster.ts';
import { rootOf } from '../fuse/cluster.ts';
import { indexExpression } from '../graph/index-map.ts';
import { type EmitInput, type EmittedKernel, ThreadWriter, threadKernel } from './emit.ts';
import { Evaluator, scope } from './evaluator.ts';
import { canChunk, chunkLoop, chunkWords, elementLoop, type Fold } from './reduce-loop.ts';
import { storePoints } from './stores.ts';

/** Invocations worth having, and the fewest elements a chunk is worth. */
const CHUNKING = { cpu: { invocations: 512, elements: 512 }, gpu: { invocations: 8192, elements: 128 } } as const;

/** What must be known of a cluster before its kernels are written. */
type Outline = Pick<EmitInput, 'cluster' | 'fused' | 'limits' | 'written'>;

/** How many dispatches the cluster takes. */
export function reduceStages(input: Outline): number {
  return chunkCount(input) > 1 ? 2 : 1;
}

export function emitReduce(input: EmitInput): EmittedKernel[] {
  const chunks = chunkCount(input);
  return chunks > 1 ? emitChunked(input, chunks) : [emitWhole(input)];
}

/** How many pieces each fold is cut into; 1 when it must stay whole or is short. */
function chunkCount(input: Outline): number {
  const space = input.cluster.space as FoldSpace;
  const folds = foldsOf(input);
  const whole = folds.some((fold) => !canChunk(fold) || fold.phase > 0);
  const innerOutputs = input.written.some((node) => input.cluster.roles.get(node) === 'inner');
  if (whole || innerOutputs) return 1;
  const { invocations, elements } = CHUNKING[input.limits.adapterClass];
  return Math.max(1, Math.min(Math.ceil(invocations / space.outer), Math.floor(space.fold / elements)));
}

/**
 * The folds of the cluster with their phases: a fold comes after every fold that its elements depend on, through nodes
 * that every reader computes for itself, too.
 */
function foldsOf({ cluster, fused }: Outline): Fold[] {
  const phases = new Map<Tensor, number>();
  const phaseOf = (node: Tensor): number => {
    const known = phases.get(node);
    if (known !== undefined) return known;
    let phase = 0;
    for (const input of node.inputs) {
      const root = rootOf(input);
      const role = cluster.roles.get(root);
      if (role === undefined && !fused.recomputed.has(root)) continue;
      phase = Math.max(phase, phaseOf(root) + (role === 'fold' ? 1 : 0));
    }
    phases.set(node, phase);
    return phase;
  };
  const folds: Fold[] = [];
  for (const [node, role] of cluster.roles) {
    if (role !== 'fold') continue;
    invariant(node.op?.lower.kind === 'reduce', `${node} is no fold`);
    folds.push({ node, lower: node.op.lower, phase: phaseOf(node) });
  }
  return folds;
}

/** Phase after which an inner node can be evaluated. */
function readyPhase(node: Tensor, input: EmitInput): number {
  const { cluster, fused } = input;
  let phase = 0;
  const folds = new Map(foldsOf(input).map((fold) => [fold.node, fold.phase]));
  const visit = (current: Tensor) => {
    for (const inner of current.inputs) {
      const root = rootOf(inner);
      if (!cluster.roles.has(root) && !fused.recomputed.has(root)) continue;
      phase = Math.max(phase, (folds.get(root) ?? -1) + 1);
      visit(root);
    }
  };
  visit(node);
  return phase;
}

function emitWhole(input: EmitInput): EmittedKernel {
  const { cluster, fused, memory, limits, lanes } = input;
  const space = cluster.space as FoldSpace;
  const writer = new ThreadWriter(memory, space.outer, lanes[0], limits);
  const evaluator = new Evaluator(writer, cluster, fused, memory);
  const row = scope('i', ['point']);
  const folds = foldsOf(input);
  const innerOutputs = input.written
    .filter((node) => cluster.roles.get(node) === 'inner')
    .map((node) => ({ node, phase: readyPhase(node, input) }));
  const lastFold = Math.max(...folds.map(({ phase }) => phase));
  const lastPhase = Math.max(lastFold, ...innerOutputs.map(({ phase }) => phase));

  const extent = writer.count(space.fold);
  const body = code`let base = ${indexExpression(space.outerAxes, 'i')}; let extent = ${extent};`;
  for (let phase = 0; phase <= lastPhase; phase++) {
    const here = folds.filter((fold) => fold.phase === phase);
    const stores = innerOutputs.filter((output) => output.phase === phase).map(({ node }) => node);
    if (here.length === 0 && stores.length === 0) continue;
    const range = { from: '0u', to: 'extent', length: space.fold };
    const loop = elementLoop(here, stores, input, evaluator, row, range);
    body.push(...row.lines.splice(0), ...loop.lines);
    for (const fold of here) {
      const name = writer.name('v');
      body.push(...code`let ${name} = ${loop.value(fold, 'extent')};`);
      row.values.set(fold.node, name);
    }
  }
  const stores = storePoints(input, evaluator, row);
  return threadKernel(writer, [...body, ...row.lines, ...stores]);
}

const code = statements('reduction');

function emitChunked(input: EmitInput, chunks: number): EmittedKernel[] {
  const { cluster, fused, memory, limits, lanes } = input;
  const space = cluster.space as FoldSpace;
  const folds = foldsOf(input);
  // One slice for each word of each accumulator: folds one after another, chunks within them.
  const slice = chunks * space.outer;
  const first = new ThreadWriter(memory, space.outer * chunks, lanes[0], limits);
  const firstEvaluator = new Evaluator(first, cluster, fused, memory);
  const types = folds.map((fold) => chunkWords(fold, firstEvaluator));
  const slices = types.map(({ length }) => length);
  const elements = slices.reduce((sum, count) => sum + count) * slice;
  const partials = { buffer: memory.acquire(elements, 'partial folds'), offset: 0, elements };
  const locations = folds.map((_, k) => {
    const before = slices.slice(0, k).reduce((sum, count) => sum + count, 0);
    return Array.from({ length: slices[k] }, (_, part) => ({
      buffer: partials.buffer,
      offset: (before + part) * slice,
    }));
  });

  const outer = first.count(space.outer);
  const share = Math.ceil(space.fold / chunks);
  const length = first.count(share);
  const extent = first.count(space.fold);
  const row = scope('o', ['point']);
  const loop = elementLoop(folds, [], input, firstEvaluator, row, { from: 'first', to: 'last', length: share });
  const partialStores = folds.flatMap((fold, k) =>
    loop.words(fold).map((word, part) => first.store(locations[k][part], types[k][part], 'i', word)),
  );
  const head = code`
    let o = i % ${outer};
    let first = i / ${outer} * ${length};
    let last = min(first + ${length}, ${extent});
    let base = ${indexExpression(space.outerAxes, 'o')};
    ${row.lines}
    ${loop.lines}
    ${partialStores.join('\n')}`;
  const firstKernel = threadKernel(first, head);

  const second = new ThreadWriter(memory, space.outer, lanes[1], limits);
  const evaluator = new Evaluator(second, cluster, fused, memory);
  const [pieces, rows, total] = [chunks, space.outer, space.fold].map((value) => second.count(value));
  const merging = chunkLoop(folds, evaluator, {
    locations: new Map(folds.map((fold, k) => [fold, locations[k]])),
    ...{ count: chunks, pieces, rows, total, share },
  });
  const at = scope('i', ['point']);
  const body = [...merging.lines];
  for (const fold of folds) {
    const value = second.name('v');
    body.push(...code`let ${value} = ${merging.value(fold, total)};`);
    at.values.set(fold.node, value);
  }
  const stores = storePoints(input, evaluator, at);
  const secondKernel = threadKernel(second, [...body, ...at.lines, ...stores], [partials]);
  return [firstKernel, secondKernel];
}

/**
 * Kernels of a reduce cluster. One invocation per reduction walks its elements in order; reductions that need each other's results
 * (softmax: maximum, then sum) follow one another in phases. Few reductions over many elements are cut into chunks: a first
 * dispatch leaves one partial per chunk, a second merges them in order. No atomics: the same bits every run.
 */

import type { Tensor } from '../../core/tensor.ts';
import { statements } from '../../kernel/quote.ts';
import { invariant } from '../../util/errors.ts';
import type { ReductionSpace } from '../fuse/cluster.ts';
import { indexExpression } from '../graph/index-map.ts';
import { rootOf } from '../graph/views.ts';
import { type EmitInput, type EmittedKernel, ThreadWriter, threadKernel } from './emit.ts';
import { Evaluator, scope } from './evaluator.ts';
import { canChunk, chunkLoop, chunkWords, elementLoop, type Reduction } from './reduce-loop.ts';
import { storePoints } from './stores.ts';

/** What must be known of a cluster before its kernels are written. */
type Outline = Pick<EmitInput, 'cluster' | 'fused' | 'target' | 'written'>;

/** How many dispatches the cluster takes. */
export function reduceStages(input: Outline): number {
  return chunkCount(input) > 1 ? 2 : 1;
}

export function emitReduce(input: EmitInput): EmittedKernel[] {
  const chunks = chunkCount(input);
  return chunks > 1 ? emitChunked(input, chunks) : [emitWhole(input)];
}

/** How many pieces each reduction is cut into; 1 when it must stay whole or is short. */
function chunkCount(input: Outline): number {
  const space = input.cluster.space as ReductionSpace;
  const reductions = reductionsOf(input);
  const whole = reductions.some((reduction) => !canChunk(reduction) || reduction.phase > 0);
  const innerOutputs = input.written.some((node) => input.cluster.roles.get(node) === 'inner');
  if (whole || innerOutputs) return 1;
  const { invocations, elements } = input.target.reductionChunks;
  return Math.max(1, Math.min(Math.ceil(invocations / space.outer), Math.floor(space.reduction / elements)));
}

/**
 * The reductions of the cluster with their phases: a reduction comes after every reduction that its elements depend on, through nodes
 * that every reader computes for itself, too.
 */
function reductionsOf({ cluster, fused }: Outline): Reduction[] {
  const phases = new Map<Tensor, number>();
  const phaseOf = (node: Tensor): number => {
    const known = phases.get(node);
    if (known !== undefined) return known;
    let phase = 0;
    for (const input of node.inputs) {
      const root = rootOf(input);
      const role = cluster.roles.get(root);
      if (role === undefined && !fused.recomputed.has(root)) continue;
      phase = Math.max(phase, phaseOf(root) + (role === 'reduction' ? 1 : 0));
    }
    phases.set(node, phase);
    return phase;
  };
  const reductions: Reduction[] = [];
  for (const [node, role] of cluster.roles) {
    if (role !== 'reduction') continue;
    invariant(node.op?.lower.kind === 'reduce', `${node} is no reduction`);
    reductions.push({ node, lower: node.op.lower, phase: phaseOf(node) });
  }
  return reductions;
}

/** Phase after which an inner node can be evaluated. */
function readyPhase(node: Tensor, input: EmitInput): number {
  const { cluster, fused } = input;
  let phase = 0;
  const reductions = new Map(reductionsOf(input).map((reduction) => [reduction.node, reduction.phase]));
  const visit = (current: Tensor) => {
    for (const inner of current.inputs) {
      const root = rootOf(inner);
      if (!cluster.roles.has(root) && !fused.recomputed.has(root)) continue;
      phase = Math.max(phase, (reductions.get(root) ?? -1) + 1);
      visit(root);
    }
  };
  visit(node);
  return phase;
}

function emitWhole(input: EmitInput): EmittedKernel {
  const { cluster, fused, memory, target, invocations } = input;
  const space = cluster.space as ReductionSpace;
  const writer = new ThreadWriter(memory, space.outer, invocations[0], target);
  const evaluator = new Evaluator(writer, cluster, fused, memory);
  const row = scope('i', ['point']);
  const reductions = reductionsOf(input);
  const innerOutputs = input.written
    .filter((node) => cluster.roles.get(node) === 'inner')
    .map((node) => ({ node, phase: readyPhase(node, input) }));
  const lastFold = Math.max(...reductions.map(({ phase }) => phase));
  const lastPhase = Math.max(lastFold, ...innerOutputs.map(({ phase }) => phase));

  const extent = writer.count(space.reduction);
  const body = code`let base = ${indexExpression(space.outerAxes, 'i')}; let extent = ${extent};`;
  for (let phase = 0; phase <= lastPhase; phase++) {
    const here = reductions.filter((reduction) => reduction.phase === phase);
    const stores = innerOutputs.filter((output) => output.phase === phase).map(({ node }) => node);
    if (here.length === 0 && stores.length === 0) continue;
    const range = { from: '0u', to: 'extent', length: space.reduction };
    const loop = elementLoop(here, stores, input, evaluator, row, range);
    body.push(...row.lines.splice(0), ...loop.lines);
    for (const reduction of here) {
      const name = writer.name('v');
      body.push(...code`let ${name} = ${loop.value(reduction, 'extent')};`);
      row.values.set(reduction.node, name);
    }
  }
  const stores = storePoints(input, evaluator, row);
  return threadKernel(writer, [...body, ...row.lines, ...stores]);
}

const code = statements('reduction');

function emitChunked(input: EmitInput, chunks: number): EmittedKernel[] {
  const { cluster, fused, memory, target, invocations } = input;
  const space = cluster.space as ReductionSpace;
  const reductions = reductionsOf(input);
  // One slice for each word of each accumulator: reductions one after another, chunks within them.
  const slice = chunks * space.outer;
  const first = new ThreadWriter(memory, space.outer * chunks, invocations[0], target);
  const firstEvaluator = new Evaluator(first, cluster, fused, memory);
  const types = reductions.map((reduction) => chunkWords(reduction, firstEvaluator));
  const slices = types.map(({ length }) => length);
  const elements = slices.reduce((sum, count) => sum + count) * slice;
  const partials = memory.scratch(elements, 'f32', 'partial reductions');
  const locations = reductions.map((_, k) => {
    const before = slices.slice(0, k).reduce((sum, count) => sum + count, 0);
    return Array.from({ length: slices[k] }, (_, part) => ({
      buffer: partials.buffer,
      offset: (before + part) * slice,
    }));
  });

  const outer = first.count(space.outer);
  const share = Math.ceil(space.reduction / chunks);
  const length = first.count(share);
  const extent = first.count(space.reduction);
  const row = scope('o', ['point']);
  const loop = elementLoop(reductions, [], input, firstEvaluator, row, { from: 'first', to: 'last', length: share });
  const partialStores = reductions.flatMap((reduction, k) =>
    loop.words(reduction).map((word, part) => first.store(locations[k][part], types[k][part], 'i', word)),
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

  const second = new ThreadWriter(memory, space.outer, invocations[1], target);
  const evaluator = new Evaluator(second, cluster, fused, memory);
  const [pieces, rows, total] = [chunks, space.outer, space.reduction].map((value) => second.count(value));
  const merging = chunkLoop(reductions, evaluator, {
    locations: new Map(reductions.map((reduction, k) => [reduction, locations[k]])),
    ...{ count: chunks, pieces, rows, total, share },
  });
  const at = scope('i', ['point']);
  const body = [...merging.lines];
  for (const reduction of reductions) {
    const value = second.name('v');
    body.push(...code`let ${value} = ${merging.value(reduction, total)};`);
    at.values.set(reduction.node, value);
  }
  const stores = storePoints(input, evaluator, at);
  const secondKernel = threadKernel(second, [...body, ...at.lines, ...stores], [partials]);
  return [firstKernel, secondKernel];
}

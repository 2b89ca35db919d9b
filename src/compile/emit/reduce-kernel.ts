/**
 * Kernels of a reduce cluster. One invocation per fold walks its elements in order; folds that need each other's results
 * (softmax: maximum, then sum) follow one another in phases. Few folds over many elements are cut into chunks: a first
 * dispatch leaves one partial per chunk, a second merges them in order. No atomics: the same bits every run.
 */

import type { ReduceLowering } from '../../core/lowering.ts';
import type { Tensor } from '../../core/tensor.ts';
import { invariant } from '../../util/errors.ts';
import type { FoldSpace } from '../cluster.ts';
import { rootOf } from '../cluster.ts';
import { indexExpression } from '../index-map.ts';
import { type EmitInput, type EmittedKernel, ThreadWriter, threadKernel } from './emit.ts';
import { Evaluator, type Scope, scope } from './evaluator.ts';
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

interface Fold {
  readonly node: Tensor;
  readonly lower: ReduceLowering<unknown>;
  readonly phase: number;
}

/** How many pieces each fold is cut into; 1 when it must stay whole or is short. */
function chunkCount(input: Outline): number {
  const space = input.cluster.space as FoldSpace;
  const folds = foldsOf(input);
  const whole = folds.some(({ lower, phase }) => lower.merge === null || phase > 0);
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

  const body: string[] = [];
  const base = `let base = ${indexExpression(space.outerAxes, 'i')};`;
  const extent = writer.count(space.fold);
  body.push(base, `let extent = ${extent};`);
  for (let phase = 0; phase <= lastPhase; phase++) {
    const here = folds.filter((fold) => fold.phase === phase);
    const stores = innerOutputs.filter((output) => output.phase === phase).map(({ node }) => node);
    if (here.length === 0 && stores.length === 0) continue;
    const loop = foldLoop(here, stores, input, evaluator, row, { from: '0u', to: 'extent' });
    body.push(...row.lines.splice(0), ...loop.lines);
    for (const { node, lower } of here) {
      const acc = loop.accumulators.get(node) as string;
      const result = lower.finish?.(acc, 'extent', evaluator.context(node)) ?? acc;
      const name = writer.name('v');
      body.push(`let ${name} = ${result};`);
      row.values.set(node, name);
    }
  }
  const stores = storePoints(input, evaluator, row);
  return threadKernel(writer, [...body, ...row.lines, ...stores]);
}

/** One pass over the elements of a row: steps the folds and stores the inner outputs that are ready. */
function foldLoop(
  folds: readonly Fold[],
  stores: readonly Tensor[],
  { cluster, memory }: EmitInput,
  evaluator: Evaluator,
  row: Scope,
  range: { from: string; to: string },
): { lines: string[]; accumulators: Map<Tensor, string> } {
  const { writer } = evaluator;
  const space = cluster.space as FoldSpace;
  const accumulators = new Map<Tensor, string>();
  const lines: string[] = [];
  for (const { node, lower } of folds) {
    const context = evaluator.context(node);
    const acc = writer.name('acc');
    accumulators.set(node, acc);
    lines.push(`var ${acc}: ${lower.state(context)} = ${lower.init(context)};`);
  }
  const element = scope('e', ['inner'], row);
  const steps: string[] = [];
  for (const { node, lower } of folds) {
    const acc = accumulators.get(node) as string;
    const x = evaluator.value(node.inputs[0], element);
    steps.push(`${acc} = ${lower.step(acc, x, 'r', evaluator.context(node))};`);
  }
  for (const node of stores) {
    const value = evaluator.value(node, element);
    const location = memory.find(node);
    invariant(location !== undefined, `${node} is written and lies nowhere`);
    steps.push(writer.store(location, node.dtype, 'e', value));
  }
  lines.push(
    `for (var r = ${range.from}; r < ${range.to}; r++) {`,
    `let e = base + ${indexExpression(space.foldAxes, 'r')};`,
    ...element.lines,
    ...steps,
    '}',
  );
  return { lines, accumulators };
}

function emitChunked(input: EmitInput, chunks: number): EmittedKernel[] {
  const { cluster, fused, memory, limits, lanes } = input;
  const space = cluster.space as FoldSpace;
  const folds = foldsOf(input);
  const dtypeOf = ({ node, lower }: Fold, evaluator: Evaluator) => {
    const state = lower.parts === undefined ? lower.state(evaluator.context(node)) : 'f32';
    invariant(state === 'f32' || state === 'i32' || state === 'u32', `partials of type ${state} cannot be stored`);
    return state;
  };
  // One slice for each word of each accumulator: folds one after another, chunks within them.
  const slice = chunks * space.outer;
  const slices = folds.map(({ lower }) => lower.parts?.length ?? 1);
  const elements = slices.reduce((sum, count) => sum + count) * slice;
  const partials = { buffer: memory.acquire(elements, 'partial folds'), offset: 0, elements };
  const locations = folds.map((_, k) => {
    const before = slices.slice(0, k).reduce((sum, count) => sum + count, 0);
    return Array.from({ length: slices[k] }, (_, part) => ({
      buffer: partials.buffer,
      offset: (before + part) * slice,
    }));
  });

  const first = new ThreadWriter(memory, space.outer * chunks, lanes[0], limits);
  const firstEvaluator = new Evaluator(first, cluster, fused, memory);
  const outer = first.count(space.outer);
  const length = first.count(Math.ceil(space.fold / chunks));
  const extent = first.count(space.fold);
  const row = scope('o', ['point']);
  const loop = foldLoop(folds, [], input, firstEvaluator, row, { from: 'first', to: 'last' });
  const partialStores = folds.flatMap((fold, k) => {
    const acc = loop.accumulators.get(fold.node) as string;
    const dtype = dtypeOf(fold, firstEvaluator);
    return locations[k].map((location, part) => {
      const field = fold.lower.parts?.[part];
      return first.store(location, dtype, 'i', field === undefined ? acc : `${acc}.${field}`);
    });
  });
  const firstKernel = threadKernel(first, [
    `let o = i % ${outer};`,
    `let first = i / ${outer} * ${length};`,
    `let last = min(first + ${length}, ${extent});`,
    `let base = ${indexExpression(space.outerAxes, 'o')};`,
    ...row.lines,
    ...loop.lines,
    ...partialStores,
  ]);

  const second = new ThreadWriter(memory, space.outer, lanes[1], limits);
  const evaluator = new Evaluator(second, cluster, fused, memory);
  const pieces = second.count(chunks);
  const step = second.count(space.outer);
  const total = second.count(space.fold);
  const at = scope('i', ['point']);
  const body: string[] = [];
  folds.forEach((fold, k) => {
    const { node, lower } = fold;
    const context = evaluator.context(node);
    const dtype = dtypeOf(fold, evaluator);
    const accumulator = (index: string): string => {
      const words = locations[k].map((location) => second.load(location, dtype, index));
      return lower.parts === undefined ? words[0] : `${lower.state(context)}(${words.join(', ')})`;
    };
    const acc = second.name('acc');
    const begin = accumulator('i');
    const piece = accumulator(`c * ${step} + i`);
    const value = second.name('v');
    body.push(
      `var ${acc} = ${begin};`,
      `for (var c = 1u; c < ${pieces}; c++) { ${acc} = ${lower.merge?.(acc, piece, context)}; }`,
      `let ${value} = ${lower.finish?.(acc, total, context) ?? acc};`,
    );
    at.values.set(node, value);
  });
  const stores = storePoints(input, evaluator, at);
  const secondKernel = threadKernel(second, [...body, ...at.lines, ...stores], [partials]);
  return [firstKernel, secondKernel];
}

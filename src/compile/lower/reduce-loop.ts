/**
 * The loops of a reduce kernel: over the elements of a row, and over the chunks that a first stage left.
 *
 * Invariant: no chain of roundings is longer than a few runs. Each reduction that rounds (ReductionRuns) takes its
 * elements in runs of at most RUN; sums of few elements, and reductions that round nothing (whole numbers, extremes),
 * take them one by one.
 */

import type { ReduceLowering, ReductionChain, ReductionRuns } from '../../core/lowering.ts';
import type { Tensor } from '../../core/tensor.ts';
import { statements } from '../../kernel/quote.ts';
import type { Statement } from '../../kernel/tree.ts';
import { invariant } from '../../util/errors.ts';
import type { ReductionSpace } from '../fuse/cluster.ts';
import { indexExpression } from '../graph/index-map.ts';
import type { Location } from '../plan.ts';
import type { EmitInput } from './emit.ts';
import { type Evaluator, type Scope, scope } from './evaluator.ts';

/** Elements of a run, and the longest reduction that needs none; neither changes what may be computed. */
const RUN = 96;
const SHORT = 128;

export interface Reduction {
  readonly node: Tensor;
  readonly lower: ReduceLowering<unknown>;
  readonly phase: number;
}

/** How `reduction` takes `length` elements. */
type Form = { readonly runs: ReductionRuns; readonly chain?: undefined } | { readonly chain: ReductionChain<unknown> };

function formOf({ node, lower: { runs, chain } }: Reduction, length: number): Form {
  if (runs !== undefined && (chain === undefined || (node.dtype === 'f32' && length > SHORT))) return { runs };
  invariant(chain !== undefined, `${node} is reduced in no way`);
  return { chain };
}

/** Whether `reduction` may be cut into chunks. */
export function canChunk({ lower: { runs, chain } }: Reduction): boolean {
  return runs !== undefined || chain?.merge !== null;
}

/** Storable words of an accumulator, whatever its form: their types. */
export function chunkWords(
  { node, lower: { runs, chain } }: Reduction,
  evaluator: Evaluator,
): ('f32' | 'i32' | 'u32')[] {
  if (runs !== undefined && node.dtype === 'f32') return runs.words('').map(() => 'f32');
  const state = chain?.state(evaluator.context(node));
  invariant(state === 'f32' || state === 'i32' || state === 'u32', `partials of type ${state} cannot be stored`);
  return [state];
}

interface Loop {
  readonly lines: readonly Statement[];
  /** Of each reduction: the words that keep its accumulator, and its value once `count` elements are reduced. */
  words(reduction: Reduction): readonly string[];
  value(reduction: Reduction, count: string): string;
}

/** Elements of a row: from where, to where (u32 expressions), and at most how many there are. */
interface Range {
  readonly from: string;
  readonly to: string;
  readonly length: number;
}

/** One pass over the elements of a row: reductions them and stores the inner outputs that are ready. */
export function elementLoop(
  reductions: readonly Reduction[],
  stores: readonly Tensor[],
  { cluster, memory }: EmitInput,
  evaluator: Evaluator,
  row: Scope,
  { from, to, length }: Range,
): Loop {
  const { writer } = evaluator;
  const space = cluster.space as ReductionSpace;
  const accumulators = declare(reductions, length, evaluator);
  const element = scope('e', ['inner'], row);
  const opens: string[] = [];
  const steps: Statement[] = [];
  const closes: Statement[] = [];
  for (const { reduction, form, acc } of accumulators) {
    const x = evaluator.value(reduction.node.inputs[0], element);
    const code = statements(nameOf(reduction));
    if ('runs' in form) {
      const { run, step, close } = form.runs;
      const part = writer.name('run');
      opens.push(`var ${part}: ${run.state} = ${run.init};`);
      steps.push(...code`${part} = ${step(part, x, acc)};`);
      const place = { turn: `before / ${RUN}u`, before: 'before', count: '(end - begin)' };
      closes.push(...code`${acc} = ${close(acc, part, place)};`);
    } else steps.push(...code`${acc} = ${form.chain.step(acc, x, 'r', evaluator.context(reduction.node))};`);
  }
  for (const node of stores) {
    const value = evaluator.value(node, element);
    const location = memory.find(node);
    invariant(location !== undefined, `${node} is written and is stored nowhere`);
    steps.push(...code`${writer.store(location, node.dtype, 'e', value)}`);
  }
  const inner = (first: string, last: string): Statement[] => code`
    for (var r = ${first}; r < ${last}; r++) {
      let e = base + ${indexExpression(space.reducedAxes, 'r')};
      ${element.lines}
      ${steps}
    }`;
  const declared = accumulators.flatMap(({ declaration }) => declaration);
  if (opens.length === 0) return loopOf([...declared, ...inner(from, to)], accumulators, evaluator);
  // Where a run measures distances from what came before it, the first ones grow: one element, 7, 56.
  const grows = accumulators.some(({ reduction, form }) => 'runs' in form && reduction.lower.chain === undefined);
  const size = grows ? `clamp(7u * before, 1u, ${RUN}u)` : `${RUN}u`;
  const runs = code`
    for (var begin = ${from}; begin < ${to};) {
      let before = ${from === '0u' ? 'begin' : `begin - ${from}`};
      let end = min(begin + ${size}, ${to});
      ${opens.join('\n')}
      ${inner('begin', 'end')}
      ${closes}
      begin = end;
    }`;
  return loopOf([...declared, ...runs], accumulators, evaluator);
}

const code = statements('reduction');
const nameOf = ({ node }: Reduction): string => `op ${node.op?.name}`;

/** What a first stage left of each reduction: one location for each word of its accumulator, chunk after chunk. */
interface Chunks {
  readonly locations: ReadonlyMap<Reduction, readonly Location[]>;
  readonly count: number;
  /** Elements in each but the last. */
  readonly share: number;
  /** Uniform words: the number of chunks, of rows, of elements in a row. */
  readonly pieces: string;
  readonly rows: string;
  readonly total: string;
}

/**
 * One pass over the chunks of row `i` for each reduction. Where they are many, reductions that round merge them in
 * runs, too.
 */
export function chunkLoop(reductions: readonly Reduction[], evaluator: Evaluator, chunks: Chunks): Loop {
  const { writer } = evaluator;
  const { pieces, rows, total } = chunks;
  const many = chunks.count > RUN;
  // Sums of few chunks are merged as the chain that short reductions are.
  const accumulators = declare(reductions, many ? Number.POSITIVE_INFINITY : 0, evaluator);
  const share = accumulators.some(({ form }) => 'runs' in form) ? writer.count(chunks.share) : '';
  const lines = accumulators.flatMap(({ reduction, form, acc, declaration }) => {
    const types = chunkWords(reduction, evaluator);
    const load = (index: string): string[] =>
      (chunks.locations.get(reduction) as readonly Location[]).map((at, k) => writer.load(at, types[k], index));
    const piece = writer.name('piece');
    const snippet = statements(nameOf(reduction));
    if (!('runs' in form)) {
      const merged = form.chain.merge?.(acc, piece, evaluator.context(reduction.node));
      return snippet`
        var ${acc} = ${load('i')[0]};
        for (var c = 1u; c < ${pieces}; c++) {
          let ${piece} = ${load(`c * ${rows} + i`)[0]};
          ${acc} = ${merged ?? acc};
        }`;
    }
    const { merge, restore } = form.runs;
    const mergeFrom = (into: string, begin: string, end: string, from: string): Statement[] => snippet`
      for (var c = ${begin} + 1u; c < ${end}; c++) {
        let first = min(c * ${share}, ${total});
        let count = min(first + ${share}, ${total}) - first;
        let ${piece} = ${restore(load(`c * ${rows} + i`))};
        ${into} = ${merge(into, piece, { turn: `(c - ${begin})`, before: `(first - ${from})`, count: 'count' })};
      }`;
    if (!many) return [...snippet`var ${acc} = ${restore(load('i'))};`, ...mergeFrom(acc, '0u', pieces, '0u')];
    const part = writer.name('part');
    const place = { turn: `begin / ${RUN}u`, before: 'past', count: `(min(end * ${share}, ${total}) - past)` };
    const runs = snippet`
      for (var begin = 0u; begin < ${pieces}; begin += ${RUN}u) {
        let past = min(begin * ${share}, ${total});
        let end = min(begin + ${RUN}u, ${pieces});
        var ${part} = ${restore(load(`begin * ${rows} + i`))};
        ${mergeFrom(part, 'begin', 'end', 'past')}
        ${acc} = ${merge(acc, part, place)};
      }`;
    return [...declaration, ...runs];
  });
  return loopOf(lines, accumulators, evaluator);
}

interface Accumulator {
  readonly reduction: Reduction;
  readonly form: Form;
  readonly acc: string;
  readonly declaration: readonly Statement[];
}

function declare(reductions: readonly Reduction[], length: number, evaluator: Evaluator): Accumulator[] {
  return reductions.map((reduction) => {
    const context = evaluator.context(reduction.node);
    const form = formOf(reduction, length);
    const acc = evaluator.writer.name('acc');
    if ('runs' in form) evaluator.writer.use(form.runs.library);
    const [state, init] =
      'runs' in form ? [form.runs.state, form.runs.init] : [form.chain.state(context), form.chain.init(context)];
    return { reduction, form, acc, declaration: statements(nameOf(reduction))`var ${acc}: ${state} = ${init};` };
  });
}

function loopOf(lines: readonly Statement[], accumulators: readonly Accumulator[], evaluator: Evaluator): Loop {
  const of = (reduction: Reduction): Accumulator =>
    accumulators.find((accumulator) => accumulator.reduction === reduction) as Accumulator;
  return {
    lines,
    words(reduction) {
      const { form, acc } = of(reduction);
      return 'runs' in form ? form.runs.words(acc) : [acc];
    },
    value(reduction, count) {
      const { form, acc } = of(reduction);
      if ('runs' in form) return form.runs.finish(acc, count);
      return form.chain.finish?.(acc, count, evaluator.context(reduction.node)) ?? acc;
    },
  };
}

/**
 * How an op becomes WGSL. Compiler passes look at `kind` and at these records, never at an op's name.
 *
 * Every kernel is written over flat row-major element indices (u32). A value is a function of its index; the compiler
 * decides which of these functions read a buffer and which are inlined. Values have the WGSL type of their dtype:
 * f32, i32, u32, and `bool` for bool (stored as u32 0/1; loads and stores convert).
 *
 * Sizes: inner extents (divisors, strides) may be written into the text as literals, or through `size` where they are
 * used once a row and not once an element; extents that grow with the batch (bounds, loop counts) go through `count`,
 * which puts them into the kernel's uniform block, so that one pipeline serves every batch size.
 */

import type { Aval } from './aval.ts';

/** What a lowering may ask of the kernel it is written into. */
export interface EmitContext<A> {
  readonly attrs: A;
  readonly inputs: readonly Aval[];
  readonly output: Aval;
  /** WGSL expression of type f32 whose value comes from the uniform block (any f32, Inf and NaN included). */
  scalar(value: number): string;
  /** WGSL expression of type u32 whose value comes from the uniform block. */
  count(value: number): string;
  /**
   * WGSL expression of type u32 for an inner extent: a literal on GPUs, which divide by one faster; from the uniform
   * block on software adapters, where kernels that differ in it alone then share a pipeline.
   */
  size(value: number): string;
  /** Adds a library of functions, the file `shaders/<name>.wgsl`, to the kernel. */
  use(name: string): void;
}

/** Same-index elementwise: the compiler broadcasts the inputs. `args` are the names of the input values. */
export interface MapLowering<A> {
  readonly kind: 'map';
  wgsl(args: readonly string[], context: EmitContext<A>): string;
}

/** What an index op may ask: its own position and its inputs at any position. */
export interface IndexContext<A> extends EmitContext<A> {
  /** Name of the u32 that holds the flat index of the output element. */
  readonly i: string;
  /** Expression for the element of input `k` at flat index `index` (an u32 expression). */
  load(k: number, index: string): string;
}

/** One output element from any elements of the inputs: transpose, slice, pad, gather, pooling, random numbers. */
export interface IndexLowering<A> {
  readonly kind: 'index';
  /** `inline`: a few integer operations and one load; a reader may compute it. `materialize`: never recomputed. */
  readonly cost: 'inline' | 'materialize';
  /** Body of `fn (i: u32) -> T`: statements, the last of them `return …;`. */
  wgsl(context: IndexContext<A>): string;
}

/** A reduction that takes its elements one by one. */
export interface ReductionChain<A> {
  /**
   * WGSL type of the accumulator: a scalar that can be stored, or, without `merge`, a struct that a library of `use`
   * declares.
   */
  state(context: EmitContext<A>): string;
  init(context: EmitContext<A>): string;
  /** Accumulator after element `x`, the `r`-th (u32) of its reduction. */
  step(acc: string, x: string, r: string, context: EmitContext<A>): string;
  /** Two accumulators in one, in order; null when the reduction must stay in one piece. */
  merge: ((a: string, b: string, context: EmitContext<A>) => string) | null;
  /** The output value; `count` is the u32 number of elements reduced. Identity when left out. */
  finish?(acc: string, count: string, context: EmitContext<A>): string;
}

/** Where a run lies in its reduction, as u32 expressions: its number, the elements before it and in it. */
export interface RunPlace {
  readonly turn: string;
  readonly before: string;
  readonly count: string;
}

/**
 * An f32 reduction that takes its elements in runs of bounded length, each with an accumulator of its own, which is
 * then added to that of the reduction: rounding errors grow with the length of a run and the number of runs, not with
 * their product. All expressions; types and functions are those of the library.
 */
export interface ReductionRuns {
  /** The file of `shaders/` that declares what follows. */
  readonly library: string;
  /** Type and first value of the reduction's accumulator, and of a run's. */
  readonly state: string;
  readonly init: string;
  readonly run: { readonly state: string; readonly init: string };
  /** Accumulator of the run after element `x`; `acc` is the reduction's, as the last run left it. */
  step(run: string, x: string, acc: string): string;
  /** Accumulator of the reduction after a run. */
  close(acc: string, run: string, place: RunPlace): string;
  /** f32 words that keep an accumulator between the stages of a reduction in chunks, and the accumulator from them. */
  words(acc: string): readonly string[];
  restore(words: readonly string[]): string;
  /** Accumulator of the reduction after another chunk, whose place counts as a run's. */
  merge(acc: string, chunk: string, place: RunPlace): string;
  /** The output value; `count` is the u32 number of elements reduced. */
  finish(acc: string, count: string): string;
}

/** A reduction over some axes of input 0, in one or both forms. */
export interface ReduceLowering<A> {
  readonly kind: 'reduce';
  /** The reduced axes, normalised and sorted. */
  axes(input: Aval, attrs: A): readonly number[];
  /** For every length, or, beside `runs`, for whole numbers and for reductions that are short. */
  readonly chain?: ReductionChain<A>;
  /** For f32; reductions of every length when there is no `chain`. */
  readonly runs?: ReductionRuns;
  /**
   * `sum` when this reduction is a plain sum: a contraction that reads the same operand can deliver it as a by-product.
   */
  readonly algebra?: 'sum';
}

/**
 * Segmented affine contraction, the one form of matmul and of all three convolutions:
 *
 *   out[batch, m, n] = Σ_seg Σ_{kk = lo}^{hi-1} A[base + kk·aStep] · B[bBase + kk·bStep]
 *
 * where (base, lo, hi) = aRun(row(m), segment(seg)) and bBase belongs to (n, segment(seg)). The output is row-major
 * [batch, m, n]. All numbers are counts of elements. `row` and `segment` hold the divisions: they are evaluated once a
 * row and once a segment, the other two for every pair, so they should only add and compare.
 */
export interface Contraction {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly segments: number;
  /** Upper bound of `hi`. */
  readonly inner: number;
  readonly aStep: number;
  readonly bStep: number;
  /** Which inputs are A and B. */
  readonly a: number;
  readonly b: number;
  /** Whether `segments` grows with the batch, so that a kernel must serve few of them as well as many. */
  readonly growing?: boolean;
  /** False when every run is [0, inner): the kernel then tests nothing. */
  readonly clipped: boolean;
  /**
   * What the address functions below depend on beside the sizes above, as plain data: tunings tell contractions of
   * equal sizes apart by it.
   */
  readonly way: readonly unknown[];
  /** Body of `fn row(m: u32, product: u32) -> vec3i`: what aRun needs to know of row m of batch entry `product`. */
  row(context: EmitContext<unknown>): string;
  /** Body of `fn segment(s: u32) -> vec3i`: what aRun and bBase need to know of a segment. */
  segment(context: EmitContext<unknown>): string;
  /**
   * Body of `fn a_run(r: vec3i, s: vec3i) -> Run`, ending in `return Run(base, lo, hi);` (i32): base may be negative
   * where the range starts later; lo ≥ hi skips the run.
   */
  aRun(context: EmitContext<unknown>): string;
  /** Body of `fn b_base(n: u32, s: vec3i, product: u32) -> i32`. */
  bBase(context: EmitContext<unknown>): string;
  /**
   * Body of `fn out_row(m: u32) -> u32`, when the kernel should walk the rows in another order than they are stored:
   * `row` then receives the walk's number and this gives the stored one. Lanes that clip alike skip whole runs.
   */
  outRow?(context: EmitContext<unknown>): string;
  /** The axes of input `b` that the contraction sums over, when what is left is exactly n: enables the ones row. */
  readonly summedAxesOfB?: readonly number[];
}

export interface ContractLowering<A> {
  readonly kind: 'contract';
  contraction(inputs: readonly Aval[], output: Aval, attrs: A): Contraction;
}

/** The same elements in the same order, starting `offset` elements into input 0: no work, no memory. */
export interface ViewLowering<A> {
  readonly kind: 'view';
  offset(inputs: readonly Aval[], attrs: A): number;
}

/** The inputs laid side by side in memory; input k starts at `offsets[k]`. Producers write in place where they can. */
export interface ConcatLowering<A> {
  readonly kind: 'concat';
  offsets(inputs: readonly Aval[], attrs: A): readonly number[];
}

/** How a hand-written kernel is run. */
export interface Launch {
  readonly workgroups: number;
  /** The shader's own uniforms, u32 words from `params[0].x` on: sizes, so that one pipeline serves them all. */
  readonly counts: readonly number[];
}

/**
 * A hand-written kernel that some targets run in place of a composite op's `expand`, for the shapes it is made for.
 * It is a whole shader with slots `declarations`, `helpers`, `load_0` … (`fn load_0(i: u32) -> T` reads element i of
 * an input) and `store` (`fn store(i: u32, value: T)` writes element i of the output), and a param WORKGROUP_SIZE.
 * Nothing is fused with it, but for what its loads recompute. The op's samples must hold a call that it takes.
 */
export interface HandKernel<A> {
  /** What it does and why it pays, in a sentence. */
  readonly doc: string;
  /** The file of `shaders/`, and the libraries whose functions it calls. */
  readonly shader: string;
  readonly uses: readonly string[];
  /** What a target must be: a software adapter computes on a CPU, where barriers are expensive. */
  readonly target: { readonly adapter: 'software' | 'hardware' };
  readonly workgroupSize: number;
  /** null for shapes that `expand` serves better. */
  launch(inputs: readonly Aval[], output: Aval, attrs: A): Launch | null;
}

/** A formula in other ops: replaced by `expand` before fusion, unless a hand-written kernel fits target and shapes. */
export interface CompositeLowering<A> {
  readonly kind: 'composite';
  /** The first that fits is taken. */
  readonly kernels?: readonly HandKernel<A>[];
}

export type Lowering<A> =
  | MapLowering<A>
  | IndexLowering<A>
  | ReduceLowering<A>
  | ContractLowering<A>
  | ViewLowering<A>
  | ConcatLowering<A>
  | CompositeLowering<A>;

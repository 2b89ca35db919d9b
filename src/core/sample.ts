/**
 * The calls that an op record brings along for tests, benches and documentation, and how exact their results must be.
 * All of it is plain data; built packages leave most of it out (docs/adr/0014-bundle-sizes.md).
 */

import type { Shape } from '../util/shape.ts';
import type { DType } from './dtype.ts';

/** Static options of an op: plain data, printable, comparable by their JSON. */
// biome-ignore lint/suspicious/noExplicitAny: an op in a graph has lost its attribute type
export type AnyAttrs = any;

/** How the values of a sample input are drawn (see self-test/sample-values.ts). */
export type SampleValues =
  /** Standard normal. */
  | 'normal'
  /** Uniform in [0.2, 2]. */
  | 'positive'
  /** Uniform in [-0.95, 0.95]. */
  | 'unit'
  /** Uniform in [0.05, 0.95]. */
  | 'probability'
  /** A shuffled ladder with steps of 0.1: no ties, for max and argMax under finite differences. */
  | 'distinct'
  /** 0.1 throughout: the rounding errors of its sums all have one sign. */
  | 'equal'
  /** Normal, but at least 0.1 from zero: for kinks at 0. */
  | 'nonzero'
  /** Whole numbers in [0, below). */
  | { readonly below: number }
  /** These very values. */
  | readonly number[];

export interface SampleInput {
  readonly shape: Shape;
  readonly dtype?: DType;
  readonly values?: SampleValues;
}

/** One call that tests, benches and documentation make. */
export interface Sample<A = AnyAttrs> {
  readonly title?: string;
  readonly inputs: readonly SampleInput[];
  readonly attrs: A;
}

/** A call that must be refused, and what the message must say. */
export interface Reject<A = AnyAttrs> {
  readonly title: string;
  readonly inputs: readonly SampleInput[];
  readonly attrs: A;
  readonly message: RegExp;
}

/** How far a GPU in f32 may be from the f64 reference, and why. */
export interface Tolerance {
  /** Largest accepted |gpu − reference| / max(1, |reference|), over all elements. */
  readonly relative: number;
  readonly source: string;
}

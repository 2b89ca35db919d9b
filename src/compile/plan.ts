/**
 * Plan: one list of dispatches over a list of buffers, as plain data. It can be printed, compared and stored as JSON
 * (plan-json.ts); it holds no GPU object and no function. Backends know this type and nothing of graphs, passes or
 * particular ops.
 *
 * A value lives at a Location: a buffer and an offset in elements of its dtype. Buffers count bytes. A kernel
 * binds whole buffers, each at most once, and receives its element offsets through its uniform block.
 */

import type { DType, TypedArray } from '../core/dtype.ts';
import type { Module } from '../kernel/tree.ts';
import type { Shape } from '../util/shape.ts';

/** Where a value is stored. `offset` counts elements of the value's dtype. */
export interface Location {
  readonly buffer: number;
  readonly offset: number;
}

/** A value with a place: what inputs, outputs and reference steps refer to. */
export interface PlacedValue extends Location {
  readonly shape: Shape;
  readonly dtype: DType;
}

export type BufferRole =
  /** Bound by the caller when the plan is loaded; kept from run to run (parameters, moments, data sets). */
  | 'bound'
  /** The scalar block: written by the caller before each run, one 256-byte slot an input. */
  | 'scalars'
  /** Filled once at load with `PlanBuffer.data`. */
  | 'constant'
  /** Owned by the plan, contents meaningless between runs. */
  | 'temporary'
  /** Owned by the plan, read by the caller after a run; zero before the first. */
  | 'output';

export interface PlanBuffer {
  readonly id: number;
  readonly role: BufferRole;
  /** Values of several dtypes may share the buffer, one after another. */
  readonly bytes: number;
  /** What it is for, in a few words. */
  readonly label: string;
  /** Contents of a `constant`. */
  readonly data?: TypedArray;
}

/** A value that the caller supplies. */
export interface PlanInput extends PlacedValue {
  readonly name: string;
  /** `bound`: one whole buffer. `scalar`: a range of the scalar block. */
  readonly kind: 'bound' | 'scalar';
  /** True when a run overwrites it (parameters, optimizer state, metric sums). */
  readonly updated: boolean;
}

export interface PlanOutput extends PlacedValue {
  readonly name: string;
}

/** A kernel with its signature; shared by every dispatch whose kernel has the same text. */
export interface PlanKernel {
  readonly id: number;
  /** E.g. `gemm[512x256x128]+add+relu`; the label of the pipeline and the profiler's row. */
  readonly label: string;
  /**
   * The whole module as a tree, which backends print (`printModule`) or evaluate. Entry point `main`. Binding 0:
   * uniform block; bindings 1…: storage buffers as in `access`.
   */
  readonly module: Module;
  /** Access of storage binding k + 1. */
  readonly access: readonly ('read' | 'read_write')[];
  /** Length of the uniform block in u32 words, a multiple of 4. */
  readonly uniformWords: number;
  readonly workgroupSize: number;
}

/** One op of a dispatch, for the backend that runs references. */
export interface ReferenceStep {
  /** Its key (`opOfKey`). */
  readonly op: string;
  /** Plain data. */
  readonly attrs: unknown;
  /** Where the inputs are: a placed value, or the result of an earlier step of the same dispatch. */
  readonly inputs: readonly (PlacedValue | { readonly step: number })[];
  readonly shape: Shape;
  readonly dtype: DType;
  /** Where the result goes; undefined when only later steps of the dispatch read it. */
  readonly output?: PlacedValue;
}

export interface Dispatch {
  readonly label: string;
  readonly kernel: number;
  /** Contents of the uniform block: u32 words (floats as their bits). */
  readonly uniforms: readonly number[];
  /** Buffer ids in binding order, binding k + 1. */
  readonly buffers: readonly number[];
  readonly workgroups: readonly [number, number, number];
  /**
   * What the dispatch computes, in reference terms. Steps read every placed input before any output is written,
   * so an output may overwrite an input. Empty for the second dispatch of a two-stage kernel.
   */
  readonly reference: readonly ReferenceStep[];
  /** Floating-point operations, for reports. */
  readonly flops: number;
  /** Bytes it must move at least, for reports: each value it reads and each it writes once (see traffic.ts). */
  readonly bytes: number;
}

export interface Plan {
  readonly name: string;
  readonly buffers: readonly PlanBuffer[];
  readonly inputs: readonly PlanInput[];
  readonly outputs: readonly PlanOutput[];
  readonly kernels: readonly PlanKernel[];
  readonly dispatches: readonly Dispatch[];
  /** Bytes of all buffers the plan owns together (temporary, constant, output, scalars). */
  readonly planBytes: number;
  /** Bytes of the bound buffers. */
  readonly boundBytes: number;
}

/** Elements between two scalar inputs: 256 bytes, WebGPU's default offset alignment. */
export const SCALAR_STRIDE = 64;

/**
 * Backend: what runs a Plan. Few methods in all, and no op is known here.
 *
 * A buffer belongs to whoever created it. A program holds every object it needs after `load` (or `bind`); `run` creates
 * nothing and awaits nothing. Reading back is the only asynchronous step.
 */

import type { Plan } from '../compile/plan.ts';
import type { Target, TileChoices } from '../compile/target.ts';
import type { DType, TypedArray } from '../core/dtype.ts';

/** Memory of a backend. */
export interface BackendBuffer {
  /** Of the dtype it was made for; words of four bytes where values of several dtypes share it. */
  readonly elements: number;
  /** Bytes that the elements take on a device. */
  readonly bytes: number;
  readonly label: string;
  dispose(): void;
}

/** Where to keep a copy of an output after a run. */
export interface OutputRecord {
  /** Index in `plan.outputs`. */
  readonly output: number;
  readonly into: BackendBuffer;
  /** Element offset in `into`. */
  readonly offset: number;
}

/** A loaded plan. */
export interface Program {
  readonly plan: Plan;
  /** Milliseconds from the call of `load` until every pipeline was ready. */
  readonly loadMs: number;
  /**
   * Encodes and submits every dispatch: one command encoder, one compute pass, one submit.
   * `scalars` holds all words of the scalar block, SCALAR_STRIDE apart; it is copied before the call returns.
   * `records` are copies of outputs that ride in the same submit, after the pass: a log of losses costs no dispatch.
   * @throws DownhillError `device-lost` when the device is gone, `state` after dispose().
   */
  run(scalars?: Uint32Array, records?: readonly OutputRecord[]): void;
  /**
   * Takes other buffers in place of those that `load` got, in the same order, for the runs that follow. Of the plan's
   * dispatches only those that touch a buffer that is new there are bound anew; where none is, nothing is made.
   * @throws DownhillError as `Backend.load` for buffers that do not fit; the old ones stay then.
   */
  bind(bound: readonly BackendBuffer[]): void;
  /** Buffers that hold the outputs, in the order of `plan.outputs`; owned by the program. */
  readonly outputs: readonly BackendBuffer[];
  /** Starts reading `plan.outputs[index]` as it is after the runs so far; resolves late, in order. */
  read(index: number): Promise<TypedArray | Float64Array>;
  dispose(): void;
}

/** Counts of live things and of calls made so far; tests assert on differences. */
export interface BackendCounters {
  liveBuffers: number;
  liveBytes: number;
  peakBytes: number;
  buffersCreated: number;
  bindGroupsCreated: number;
  pipelinesCreated: number;
  submits: number;
  passes: number;
  dispatches: number;
}

export interface Backend {
  readonly kind: 'webgpu' | 'cpu' | 'null';
  /** What a person should see: adapter name, or `CPU (f64 reference)`. */
  readonly description: string;
  /** What plans for this backend are made for: another object after `useTiles`, never one that changes. */
  readonly target: Target;
  readonly counters: BackendCounters;
  /** A zeroed buffer. @throws DownhillError `device` when it exceeds a limit. */
  createBuffer(elements: number, dtype: DType, label: string): BackendBuffer;
  /** Writes `data` at element `offset`. On a f64 backend, f32 data is widened. */
  write(buffer: BackendBuffer, data: TypedArray | Float64Array, offset?: number): void;
  /** Copies `elements` elements from one buffer to another of the same dtype, in order with the runs. */
  copy(from: BackendBuffer, fromOffset: number, to: BackendBuffer, toOffset: number, elements: number): void;
  /** Reads elements back. A f64 backend gives Float64Array for f32, so that nothing is rounded. */
  read(buffer: BackendBuffer, dtype: DType, offset?: number, elements?: number): Promise<TypedArray | Float64Array>;
  /**
   * Builds everything the plan needs; all pipelines at once. `bound[k]` is the buffer of the k-th `bound` plan buffer
   * (in order of plan.buffers). `onProgress` hears of each pipeline.
   * @throws DownhillError naming the kernel when its WGSL or its pipeline is refused, or a limit is exceeded.
   */
  load(
    plan: Plan,
    bound: readonly BackendBuffer[],
    onProgress?: (built: number, total: number) => void,
  ): Promise<Program>;
  /** Resolves when all submitted work is done. */
  finish(): Promise<void>;
  /**
   * Plans that are compiled for `target` from now on take these tiles; undefined for the defaults. Loaded ones stay.
   */
  useTiles(tiles: TileChoices | undefined): void;
  dispose(): Promise<void>;
}

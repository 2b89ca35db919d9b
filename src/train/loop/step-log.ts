/**
 * StepLog: the values that steps report (loss and metrics), kept on the device and read back late, many at once.
 *
 * Invariant: rows are read in the order of the steps, each once, and before the ring reaches them again. A row costs a
 * small copy in the step's own submit, and a read-back waits for nothing that the next step needs.
 */

import type { Backend, BackendBuffer, OutputRecord } from '../../backend/backend.ts';

/** Steps that may be unread, where their values are few; at least MIN_CAPACITY, and about MAX_VALUES values in all. */
const CAPACITY = 256;
const MIN_CAPACITY = 8;
const MAX_VALUES = 1 << 18;

export class StepLog {
  private readonly buffer: BackendBuffer;
  /** Values of one step. */
  private readonly width: number;
  private readonly capacity: number;
  /** Steps recorded, and steps whose read-back was started, since the beginning. */
  private recorded = 0;
  private requested = 0;

  /** @param widths how many values each output of a step has. */
  constructor(
    private readonly backend: Backend,
    private readonly widths: readonly number[],
  ) {
    this.width = widths.reduce((sum, width) => sum + width, 0);
    this.capacity = Math.max(MIN_CAPACITY, Math.min(CAPACITY, Math.floor(MAX_VALUES / this.width)));
    this.buffer = backend.createBuffer(this.capacity * this.width, 'f32', 'step log');
  }

  /** Steps recorded whose read-back has not been started. */
  get unread(): number {
    return this.recorded - this.requested;
  }

  /** True when `read` must be called before the next `record`. */
  get full(): boolean {
    return this.unread === this.capacity;
  }

  /** Where the next step's values go; `outputs` are their indices among the program's outputs. */
  record(outputs: readonly number[]): OutputRecord[] {
    let end = (this.recorded++ % this.capacity) * this.width;
    return outputs.map((output, k) => {
      const offset = end;
      end += this.widths[k];
      return { output, into: this.buffer, offset };
    });
  }

  /** Starts reading all unread rows: one array of `width` values a step, in order. */
  async read(): Promise<Float64Array[]> {
    const [from, to] = [this.requested, this.recorded];
    this.requested = to;
    if (from === to) return [];
    const wrap = Math.min(to, from - (from % this.capacity) + this.capacity);
    const parts = await Promise.all([this.readRange(from, wrap), ...(wrap < to ? [this.readRange(wrap, to)] : [])]);
    return parts.flat();
  }

  dispose(): void {
    this.buffer.dispose();
  }

  /** Rows of steps `from` to `to`, which are contiguous in the ring. */
  private async readRange(from: number, to: number): Promise<Float64Array[]> {
    const { width, capacity } = this;
    const values = await this.backend.read(this.buffer, 'f32', (from % capacity) * width, (to - from) * width);
    return Array.from({ length: to - from }, (_, k) => Float64Array.from(values.subarray(k * width, (k + 1) * width)));
  }
}

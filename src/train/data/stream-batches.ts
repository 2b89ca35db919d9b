/**
 * Batches of a stream: each is written before its step is sent, while the next one is already asked for. One set of
 * buffers serves all of them.
 *
 * Invariants: a steady step makes nothing on the device; the encoding of the first batch is that of all; whoever ends
 * early ends the generator. At most one program is kept for batches that are not full: that of the last count seen.
 */

import type { Backend, BackendBuffer } from '../../backend/backend.ts';
import { DownhillError } from '../../util/errors.ts';
import { StepProgram } from '../step/step-program.ts';
import { stepBuffers } from '../step/training-context.ts';
import type { TableSpec } from './batch.ts';
import type { StreamData } from './batch-data.ts';
import {
  type Batches,
  type BatchPlan,
  disposeProgram,
  type OpenData,
  pipelinesOf,
  type ReadyBatch,
} from './batches.ts';
import { type DeviceTable, deviceTable, writeTable } from './device-table.ts';
import { type FeedSpec, rowsOfTables, type Tables } from './feed.ts';

/** Asks for the first batch and makes room on the device for batches like it. */
export async function openStream(backend: Backend, data: StreamData): Promise<OpenData> {
  const source = new StreamSource(data);
  const device = new Map<string, DeviceTable>();
  const dispose = async (): Promise<void> => {
    for (const table of device.values()) table.dispose();
    await source.close();
  };
  try {
    const first = await source.prime();
    for (const [name, table] of first) {
      device.set(name, deviceTable(backend, table.name, { ...table, rows: capacityOf(data) }));
    }
    const load = (plan: BatchPlan) => StreamBatches.load(backend, source, first, device, plan);
    return { load, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** The passes of a stream, one after another. */
class StreamSource {
  private pass: AsyncGenerator<Tables, void> | undefined;
  private pending: Promise<Tables | undefined> | undefined;
  /** True while the pass was begun for its first batch only. */
  private primed = false;

  constructor(readonly data: StreamData) {}

  /** The first batch, which `take` gives out again. */
  async prime(): Promise<Tables> {
    this.prefetch();
    this.primed = true;
    const first = await this.pending!;
    if (first !== undefined) return first;
    throw new DownhillError('data', `data set "${this.data.name}" gave no batch`);
  }

  /** Makes the next batch the first one of an epoch. */
  async startEpoch(): Promise<void> {
    if (!this.primed && !this.data.flows) await this.close();
    this.primed = false;
  }

  /** The next batch of the pass; undefined at its end, after which a new one begins. */
  async take(): Promise<Tables | undefined> {
    this.prefetch();
    const batch = await this.pending;
    this.pending = undefined;
    if (batch === undefined) this.pass = undefined;
    return batch;
  }

  /** Asks for the next batch, whose error waits for `take`. */
  prefetch(): void {
    if (this.pending !== undefined) return;
    this.pass ??= this.data.open();
    this.pending = ask(this.pass);
    this.pending.catch(() => undefined);
  }

  /** Ends the pass and its generator. */
  async close(): Promise<void> {
    const { pass, pending } = this;
    this.pass = undefined;
    this.pending = undefined;
    await pending?.catch(() => undefined);
    await pass?.return();
  }
}

async function ask(pass: AsyncGenerator<Tables, void>): Promise<Tables | undefined> {
  const { done, value } = await pass.next();
  return done ? undefined : (value as Tables);
}

class StreamBatches implements Batches {
  readonly limit: number;
  private readonly fullCount: number;
  private other: { readonly count: number; readonly program: Promise<StepProgram> } | undefined;
  /** Rows of those steps of this epoch whose batch is not full: as a rule of its last one. */
  private readonly otherCounts = new Map<number, number>();

  private constructor(
    readonly full: StepProgram,
    private readonly backend: Backend,
    private readonly source: StreamSource,
    private readonly specs: ReadonlyMap<string, TableSpec>,
    private readonly device: ReadonlyMap<string, DeviceTable>,
    private readonly program: (count: number) => Promise<StepProgram>,
  ) {
    this.limit = source.data.steps ?? Number.POSITIVE_INFINITY;
    this.fullCount = rowsOfTables(specs);
  }

  static async load(
    backend: Backend,
    source: StreamSource,
    first: ReadonlyMap<string, TableSpec>,
    device: ReadonlyMap<string, DeviceTable>,
    plan: BatchPlan,
  ): Promise<StreamBatches> {
    const feed = { buffers: new Map<string, BackendBuffer>([...device].map(([name, { buffer }]) => [name, buffer])) };
    const buffers = stepBuffers(plan.groups, feed);
    const program = (count: number, progress?: typeof plan.onProgress): Promise<StepProgram> => {
      const tables = new Map([...first].map(([name, table]) => [name, { ...table, rows: count }]));
      const spec: FeedSpec = { count, access: 'whole', tables };
      return StepProgram.load(backend, plan.graph(spec), buffers, progress);
    };
    const full = await program(rowsOfTables(first), plan.onProgress);
    return new StreamBatches(full, backend, source, first, device, program);
  }

  startEpoch(): Promise<void> {
    this.otherCounts.clear();
    return this.source.startEpoch();
  }

  async next(step: number): Promise<ReadyBatch | undefined> {
    const { data } = this.source;
    let batch = await this.source.take();
    // The last epoch ended just where the pass did.
    if (batch === undefined && step === 0 && data.flows) batch = await this.source.take();
    if (batch === undefined) {
      if (data.steps !== undefined) warnOfEnd(data, step);
      return undefined;
    }
    const count = rowsOfTables(batch);
    for (const [name, table] of batch) {
      this.checkEncoding(name, table);
      writeTable(this.backend, this.device.get(name)!, table);
    }
    if (step + 1 < this.limit) this.source.prefetch();
    if (count === this.fullCount) return { program: this.full, count, offset: 0 };
    this.otherCounts.set(step, count);
    return { program: await this.otherProgram(count), count, offset: 0 };
  }

  count(step: number): number {
    return this.otherCounts.get(step) ?? this.fullCount;
  }

  /** Of a smaller batch nothing is known before it comes. */
  prepareRest(): Promise<void> {
    return Promise.resolve();
  }

  pipelines(): Promise<number> {
    return pipelinesOf(this.full, this.other?.program);
  }

  async dispose(): Promise<void> {
    this.full.dispose();
    await disposeProgram(this.other?.program);
  }

  private async otherProgram(count: number): Promise<StepProgram> {
    if (this.other?.count !== count) {
      await disposeProgram(this.other?.program);
      this.other = { count, program: this.program(count) };
    }
    return this.other!.program;
  }

  private checkEncoding(name: string, { name: title, encoding }: TableSpec & { readonly name: string }): void {
    const expected = this.specs.get(name)!.encoding;
    if (encoding === expected) return;
    throw new DownhillError('data', `${title}: values are ${encoding}; the first batch had ${expected}`);
  }
}

function warnOfEnd({ name, stepsOption, steps }: StreamData, step: number): void {
  console.warn(
    `downhill: data set "${name}" ran out after ${step} of ${steps} steps, so the pass ends there and the next one ` +
      `begins anew; let the generator go on, or lower ${stepsOption}`,
  );
}

/** Rows that the buffers have room for: a first pass that is smaller than a batch may be followed by larger ones. */
function capacityOf({ batchSize, size }: StreamData): number {
  return size === undefined ? batchSize : Math.min(batchSize, size);
}

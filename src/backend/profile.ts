/**
 * How long each dispatch takes on the GPU, by timestamps. WebGPU has them per pass only, so a profiling run gives every
 * dispatch a pass of its own; it computes what a normal run computes, a little slower.
 *
 * Browsers, and Dawn unless its toggle `timestamp_quantization` is disabled, round timestamps to about 65 µs: shorter
 * dispatches then show as 0 or one such step.
 */

import type { Dispatch } from '../compile/plan.ts';
import { DownhillError } from '../util/errors.ts';
import type { Program } from './backend.ts';
import { COPY_SRC, QUERY_RESOLVE } from './webgpu/flags.ts';
import { WebGPUProgram } from './webgpu/program.ts';

/** One dispatch of a program: what the plan says of it, and how long it took. */
export interface DispatchTime {
  /** Name of the kernel: its ops, sizes and the layer; ` & ` stands between kernels that run side by side in it. */
  readonly label: string;
  /** Nanoseconds of device time, the median over the runs. */
  readonly ns: number;
  /** Part of the time of all dispatches, 0 to 1; 0 for each when no time at all could be measured. */
  readonly share: number;
  /**
   * Floating-point operations: the formulas of its ops, a multiply-add as two, without what it computes anew of others'
   * results.
   */
  readonly flops: number;
  /**
   * Bytes that must move between memory and the kernel at least, from the plan: each distinct value that it reads and
   * each that it writes once, at four bytes an element; of a value that is sliced or picked from by index (a batch out
   * of the data set) what is taken, no more than the value. Partial results between the two dispatches of a kernel
   * count in both. Not counted: what caches and tiles read again, the uniform block. So a rate from it may be below
   * what the memory did.
   */
  readonly bytes: number;
  /** 10⁹ floating-point operations a second; NaN when the time is 0. */
  readonly gflops: number;
  /** 10⁹ bytes a second, of `bytes`; NaN when the time is 0. */
  readonly gbs: number;
  readonly workgroups: readonly [number, number, number];
}

export interface ProfileOptions {
  /** The scalar block, as for `Program.run`. */
  readonly scalars?: Uint32Array;
  /** Whole runs to take the median of; 3 when left out. Each also updates what the plan updates. */
  readonly runs?: number;
}

/** Dispatches a query set takes: two timestamps each, and 4096 queries are the most a set may hold. */
const PER_SET = 2048;

/**
 * Runs `program` and times each of its dispatches, in plan order.
 * @throws DownhillError `device` when the device has no timestamps or the program is not on a GPU.
 */
export async function profileProgram(program: Program, options: ProfileOptions = {}): Promise<DispatchTime[]> {
  const { scalars, runs = 3 } = options;
  const where = `profile of "${program.plan.name}"`;
  if (!(program instanceof WebGPUProgram)) {
    const found = 'this backend runs references, which no GPU clock times (the CPU, or VALIDATE=1)';
    throw new DownhillError('device', `${where}: needs a WebGPU backend; ${found}`);
  }
  const { device, description } = program.host.context;
  if (!device.features.has('timestamp-query')) {
    const advice =
      'update the browser or the driver, or take another adapter; a device of your own must be requested with it ' +
      "(requiredFeatures: ['timestamp-query'])";
    throw new DownhillError(
      'device',
      `${where}: needs the feature timestamp-query, which the device (${description}) has not; ${advice}`,
    );
  }
  if (!Number.isInteger(runs) || runs < 1) {
    throw new DownhillError('argument', `profile: runs must be a whole number ≥ 1, got ${runs}`);
  }
  const { dispatches } = program.plan;
  if (dispatches.length === 0) return [];
  const samples: bigint[][] = dispatches.map(() => []);
  for (let run = 0; run < runs; run++) {
    (await timeOnce(program, dispatches.length, scalars)).forEach((ns, k) => {
      samples[k].push(ns);
    });
  }
  return dispatchTimes(dispatches, samples.map(median));
}

/** `dispatches` that took `times` nanoseconds each. */
export function dispatchTimes(dispatches: readonly Dispatch[], times: readonly number[]): DispatchTime[] {
  const total = times.reduce((sum, ns) => sum + ns, 0);
  return dispatches.map(({ label, flops, bytes, workgroups }, k) => {
    const ns = times[k];
    const share = total === 0 ? 0 : ns / total;
    return { label, ns, share, flops, bytes, gflops: rate(flops, ns), gbs: rate(bytes, ns), workgroups };
  });
}

/** A count a nanosecond, which is 10⁹ a second. */
function rate(count: number, ns: number): number {
  return ns === 0 ? Number.NaN : count / ns;
}

/** Device nanoseconds of each dispatch in one run. */
async function timeOnce(program: WebGPUProgram, count: number, scalars?: Uint32Array): Promise<bigint[]> {
  const { context, staging } = program.host;
  const { device } = context;
  const sets: GPUQuerySet[] = [];
  for (let from = 0; from < count; from += PER_SET) {
    const queries = Math.min(PER_SET, count - from) * 2;
    sets.push(device.createQuerySet({ label: 'profile', type: 'timestamp', count: queries }));
  }
  const resolved = device.createBuffer({ label: 'profile', size: count * 16, usage: QUERY_RESOLVE | COPY_SRC });
  context.counters.buffersCreated++;
  try {
    const encoder = device.createCommandEncoder();
    const timestamps = (k: number): GPUComputePassTimestampWrites => {
      const at = (k % PER_SET) * 2;
      const querySet = sets[Math.floor(k / PER_SET)];
      return { querySet, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 };
    };
    program.encodeApart(encoder, timestamps, scalars);
    sets.forEach((set, k) => {
      encoder.resolveQuerySet(set, 0, set.count, resolved, k * PER_SET * 16);
    });
    context.submit(encoder);
    const times = new BigUint64Array(await staging.read(resolved, 0, count * 16, 'timestamps'));
    await context.confirmHealthy();
    return Array.from({ length: count }, (_, k) => {
      const [begin, end] = times.subarray(2 * k, 2 * k + 2);
      // Clocks may be reset between two passes; such a difference says nothing.
      return end > begin ? end - begin : 0n;
    });
  } finally {
    for (const set of sets) set.destroy();
    resolved.destroy();
  }
}

function median(values: readonly bigint[]): number {
  const sorted = [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return Number(sorted[Math.floor(sorted.length / 2)]);
}

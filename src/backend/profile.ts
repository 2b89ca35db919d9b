/**
 * How long each dispatch takes on the GPU, by timestamps. WebGPU has them per pass only, so a profiling run gives every
 * dispatch a pass of its own; it computes what a normal run computes, a little slower.
 *
 * Browsers, and Dawn unless its toggle `timestamp_quantization` is disabled, round timestamps to about 65 µs: shorter
 * dispatches then show as 0 or one such step.
 */

import { DownhillError } from '../util/errors.ts';
import type { Program } from './backend.ts';
import { COPY_SRC, QUERY_RESOLVE } from './webgpu/flags.ts';
import { WebGPUProgram } from './webgpu/program.ts';

export interface DispatchTime {
  readonly label: string;
  /** Nanoseconds of device time, the median over the runs. */
  readonly ns: number;
  /** Floating-point operations of the dispatch, from the plan. */
  readonly flops: number;
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
  if (!(program instanceof WebGPUProgram) || !program.host.context.device.features.has('timestamp-query')) {
    throw new DownhillError(
      'device',
      `profile of "${program.plan.name}": needs a WebGPU device with the feature timestamp-query`,
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
  return dispatches.map(({ label, flops }, k) => ({ label, flops, ns: median(samples[k]) }));
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

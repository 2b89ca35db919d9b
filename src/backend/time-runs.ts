/**
 * How long a program takes, for what must be compared: several runs in one compute pass, so that neither the
 * quantisation of timestamps nor the way to the device and back decides. Device time where the device has timestamps,
 * wall time else.
 */

import type { Backend, Program } from './backend.ts';
import { COPY_SRC, QUERY_RESOLVE } from './webgpu/flags.ts';
import { WebGPUProgram } from './webgpu/program.ts';

/**
 * Step in ms to which browsers round timestamps, and Dawn unless it is told not to; some take 0.1 ms. A pass that takes
 * a few of them is timed by the clock on the wall, which is finer.
 */
const COARSE_MS = 0.1;
const FEW = 10;
/**
 * Milliseconds to sleep before the result is asked for, about a sample's length: in Node a pending promise polls and
 * keeps a core busy, which a software adapter that shares the cores would be timed without.
 */
const PAUSE_MS = 3;

/** Milliseconds of one run, from `runs` runs in one pass. */
export async function timeRuns(
  backend: Backend,
  program: Program,
  runs: number,
  scalars?: Uint32Array,
): Promise<number> {
  if (!(program instanceof WebGPUProgram)) {
    const begin = performance.now();
    for (let run = 0; run < runs; run++) program.run(scalars);
    await backend.finish();
    return (performance.now() - begin) / runs;
  }
  const { context, staging } = program.host;
  const { device } = context;
  if (!device.features.has('timestamp-query')) return (await wall(backend, program, runs, scalars)) / runs;
  const querySet = device.createQuerySet({ label: 'time', type: 'timestamp', count: 2 });
  const resolved = device.createBuffer({ label: 'time', size: 16, usage: QUERY_RESOLVE | COPY_SRC });
  context.counters.buffersCreated++;
  try {
    const elapsed = await wall(backend, program, runs, scalars, querySet, PAUSE_MS);
    const encoder = device.createCommandEncoder();
    encoder.resolveQuerySet(querySet, 0, 2, resolved, 0);
    context.submit(encoder);
    const [begin, end] = new BigUint64Array(await staging.read(resolved, 0, 16, 'timestamps'));
    const onDevice = Number(end - begin) / 1e6;
    // A clock that was reset between the two says nothing; one that disagrees with the wall is not to be trusted.
    const telling = onDevice >= FEW * COARSE_MS && onDevice <= elapsed;
    return (telling ? onDevice : await wall(backend, program, runs, scalars)) / runs;
  } finally {
    querySet.destroy();
    resolved.destroy();
  }
}

/** Milliseconds from the submit until the device is done, no less than `pauseMs`. */
async function wall(
  backend: Backend,
  program: WebGPUProgram,
  runs: number,
  scalars: Uint32Array | undefined,
  querySet?: GPUQuerySet,
  pauseMs = 0,
): Promise<number> {
  const { context } = program.host;
  const encoder = context.device.createCommandEncoder();
  const stamps = querySet && { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
  program.encodeRuns(encoder, runs, stamps, scalars);
  const begin = performance.now();
  context.submit(encoder);
  if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  await backend.finish();
  return performance.now() - begin;
}

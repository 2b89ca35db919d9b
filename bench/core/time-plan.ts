/**
 * The time of a plan on a backend. With timestamps: the sum of its dispatches' device times. Without: wall time of runs
 * sent together, divided by their number; the cost of sending is then part of the figure. The median says what to
 * expect on the machine as it was, the fastest run what the kernel can do when nothing else runs.
 */

import type { Backend, Program } from '../../src/backend/backend.ts';
import { wordsIn } from '../../src/backend/bookkeeping.ts';
import { profileProgram } from '../../src/backend/profile.ts';
import type { Plan } from '../../src/compile/plan.ts';
import type { TypedArray } from '../../src/core/dtype.ts';
import { DownhillError } from '../../src/util/errors.ts';
import { median } from './statistics.ts';

export interface PlanTime {
  /** Nanoseconds of one run: the fastest and the median. */
  readonly bestNs: number;
  readonly medianNs: number;
  readonly clock: 'timestamps' | 'wall';
  /** Milliseconds until the pipelines were ready. */
  readonly loadMs: number;
}

export interface TimeOptions {
  /** Values of the bound inputs, in order; small numbers when left out. */
  readonly values?: readonly (TypedArray | undefined)[];
  /** Milliseconds for one plan, about. */
  readonly budgetMs?: number;
}

/** Loads `plan`, runs it a few times, and frees everything. */
export async function timePlan(backend: Backend, plan: Plan, options: TimeOptions = {}): Promise<PlanTime> {
  const { values = [], budgetMs = 400 } = options;
  const bound = plan.buffers.filter(({ role }) => role === 'bound');
  const buffers = bound.map((planned, k) => {
    const elements = wordsIn(planned);
    const buffer = backend.createBuffer(elements, 'f32', planned.label);
    backend.write(buffer, bits(values[k] ?? new Float32Array(elements).fill(0.001)));
    return buffer;
  });
  try {
    const program = await backend.load(plan, buffers);
    const scalars = plan.buffers.find(({ role }) => role === 'scalars');
    const block = scalars && new Uint32Array(wordsIn(scalars));
    const wall = async (runs: number): Promise<number> => {
      const begin = performance.now();
      for (let k = 0; k < runs; k++) program.run(block);
      await backend.finish();
      return ((performance.now() - begin) * 1e6) / runs;
    };
    // The first run compiles what drivers left for it; the second says how often the budget allows.
    await wall(1);
    const once = await wall(1);
    const runs = Math.max(3, Math.min(25, Math.floor((budgetMs * 1e6) / once)));
    const stamps = await byTimestamps(program, runs, block);
    const together = Math.max(1, Math.min(50, Math.floor(2e7 / once)));
    const samples = stamps ?? (await repeat(Math.min(runs, 7), () => wall(together)));
    const loadMs = program.loadMs;
    program.dispose();
    const clock = stamps === undefined ? 'wall' : 'timestamps';
    return { bestNs: Math.min(...samples), medianNs: median(samples), clock, loadMs };
  } finally {
    for (const buffer of buffers) buffer.dispose();
  }
}

/** Steps in ns to which browsers round timestamps, so that they tell no secrets: 2¹⁶ (Dawn), 100 µs. */
const COARSE_STEPS = [65_536, 100_000];

/** Device time of each run; undefined where the device has no timestamps, or rounded ones. */
async function byTimestamps(program: Program, runs: number, scalars?: Uint32Array): Promise<number[] | undefined> {
  const once = async (): Promise<number> => {
    const dispatches = await profileProgram(program, { runs: 1, ...(scalars && { scalars }) });
    return dispatches.reduce((sum, { ns }) => sum + ns, 0);
  };
  try {
    const samples = await repeat(runs, once);
    const coarse =
      program.plan.dispatches.length > 0 && COARSE_STEPS.some((step) => samples.every((ns) => ns % step === 0));
    return coarse ? undefined : samples;
  } catch (error) {
    if (error instanceof DownhillError && error.code === 'device' && /timestamp/.test(error.message)) return undefined;
    throw error;
  }
}

async function repeat(times: number, measure: () => Promise<number>): Promise<number[]> {
  const samples: number[] = [];
  for (let k = 0; k < times; k++) samples.push(await measure());
  return samples;
}

/** Buffers of the bench are untyped words: every dtype is written by its bits. */
function bits(data: TypedArray): Float32Array {
  return new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4);
}

/**
 * The tuner: times the candidates of every contraction on the adapter it runs on, and keeps the fastest that computes what
 * the default one does.
 *
 * Invariants: a tile is chosen only after its results were compared with the default tile's; the default is kept unless
 * another is faster by more than MARGIN; when the budget is spent, what was not reached keeps its default.
 */

import type { Backend } from '../backend/backend.ts';
import { type IsolatedContraction, isolateContractions } from '../compile/isolate.ts';
import { type PlanLimits, withTiles } from '../compile/plan.ts';
import type { Tile } from '../compile/tiles.ts';
import type { GraphSpec } from '../core/graph.ts';
import { DownhillError } from '../util/errors.ts';
import { tileCandidates, tileProblem } from './candidates.ts';
import { differenceOf } from './compare.ts';
import { Trial, TrialInputs } from './trial.ts';
import { makeTuning, type Tuning, type TuningEntry } from './tuning.ts';

/** How far a tuning is. */
export interface TuneProgress {
  /** Kernels that are done, and all. */
  readonly done: number;
  readonly total: number;
  /** The kernel that comes next; undefined at the end. */
  readonly label: string | undefined;
}

export interface TuneOptions {
  /** Milliseconds in all; 50,000 unless given. The kernel under way is finished with what was timed by then. */
  readonly budgetMs?: number;
  readonly onProgress?: (progress: TuneProgress) => void;
  /** Ends the tuning early, as the budget does. */
  readonly signal?: AbortSignal;
}

/** A candidate that was not to be chosen, and why. */
export interface DroppedTile {
  readonly tile: Tile;
  readonly why: string;
}

/** What was found of one contraction. */
export interface TunedKernel extends TuningEntry {
  readonly key: string;
  readonly defaultTile: Tile;
  /** Candidates that were timed. */
  readonly timed: number;
  /** Candidates that the device refused, or that gave other results. */
  readonly dropped: readonly DroppedTile[];
}

export interface TuneReport {
  readonly tuning: Tuning;
  /** Those that were reached, slowest first. */
  readonly kernels: readonly TunedKernel[];
  /** Contractions in all; those beyond `kernels` keep their defaults. */
  readonly total: number;
  readonly seconds: number;
}

const BUDGET_MS = 50_000;
/** Milliseconds of a sample: many of the clock's steps, and few enough for a candidate to cost less than its compilation. */
const SAMPLE_MS = 4;
const MOST_RUNS = 500;
/** A candidate that takes so many times as long as the best is timed once. */
const HOPELESS = 2;
/** Those within this of the best go into the second round, a few at most. */
const CLOSE = 1.3;
const FINALISTS = 4;
const FINAL_ROUNDS = 5;
/** By how much another tile must be faster than the default: below it, noise would choose. */
const MARGIN = 0.97;

/**
 * Tunes the contractions of `graphs`.
 * @throws DownhillError `device` unless the backend is WebGPU, or when the device is lost.
 */
export async function tuneGraphs(
  backend: Backend,
  graphs: readonly GraphSpec[],
  options: TuneOptions = {},
): Promise<TuneReport> {
  // What is in use already must not be what candidates are compared with.
  const limits = withTiles(backend.limits, undefined);
  const kernels = new Map<string, IsolatedContraction>();
  for (const graph of graphs) {
    for (const kernel of isolateContractions(graph, limits))
      if (!kernels.has(kernel.key)) kernels.set(kernel.key, kernel);
  }
  return tuneContractions(backend, limits, [...kernels.values()], options);
}

/** Tunes `kernels`, which are compiled for `limits`. @throws as `tuneGraphs`. */
export async function tuneContractions(
  backend: Backend,
  limits: PlanLimits,
  kernels: readonly IsolatedContraction[],
  { budgetMs = BUDGET_MS, onProgress, signal }: TuneOptions = {},
): Promise<TuneReport> {
  if (backend.kind !== 'webgpu') {
    throw new DownhillError('device', `tune: there is nothing to tune on ${backend.description}; it needs WebGPU`);
  }
  if (!(budgetMs >= 0)) throw new DownhillError('argument', `tune: budgetMs must be at least 0, found ${budgetMs}`);
  const begin = performance.now();
  const spent = () => performance.now() - begin >= budgetMs || signal?.aborted === true;
  // The largest first, by operations: they are most of a step, and the budget may end before the small ones.
  const order = [...kernels].sort((a, b) => b.flops - a.flops);
  const tuned: TunedKernel[] = [];
  for (const kernel of order) {
    if (spent()) break;
    onProgress?.({ done: tuned.length, total: order.length, label: kernel.label });
    tuned.push(await tuneContraction(backend, kernel, tileCandidates(kernel.spec, kernel.rows, limits), spent));
  }
  onProgress?.({ done: tuned.length, total: order.length, label: undefined });
  const entries = tuned.map(({ key, tile, ms, defaultMs, label }) => [key, { tile, ms, defaultMs, label }]);
  return {
    tuning: makeTuning(backend, Object.fromEntries(entries)),
    kernels: tuned.sort((a, b) => b.defaultMs - a.defaultMs),
    total: order.length,
    seconds: (performance.now() - begin) / 1000,
  };
}

/**
 * Entries for `graph`, which is `tuned` with fewer rows: each contraction takes the tile of the one at its place. The
 * kernels then are the same, and only uniforms differ.
 */
export function likeEntries(
  entries: Tuning['entries'],
  tuned: GraphSpec,
  graph: GraphSpec,
  backendLimits: PlanLimits,
): Tuning['entries'] {
  const limits = withTiles(backendLimits, undefined);
  const [models, copies] = [tuned, graph].map((spec) => isolateContractions(spec, limits));
  if (models.length !== copies.length) return {};
  const found = copies.flatMap(({ key, spec, rows }, k): [string, TuningEntry][] => {
    const entry = entries[models[k].key];
    if (entry === undefined) return [];
    const tile = { ...entry.tile, chunks: Math.min(entry.tile.chunks, Math.max(1, spec.segments)) };
    return tileProblem(tile, spec, rows, limits) === undefined ? [[key, { ...entry, tile }]] : [];
  });
  return Object.fromEntries(found);
}

/** A candidate while it is being timed. */
interface Runner {
  readonly tile: Tile;
  readonly trial: Trial;
  /** The fastest sample. */
  ms: number;
}

/**
 * The fastest of `candidates`, of which the first is the default one.
 * @param spent true when no further candidate shall be tried.
 */
async function tuneContraction(
  backend: Backend,
  kernel: IsolatedContraction,
  [defaultTile, ...others]: readonly Tile[],
  spent: () => boolean,
): Promise<TunedKernel> {
  const plan = kernel.plan(defaultTile);
  const inputs = new TrialInputs(backend, plan);
  const runners: Runner[] = [];
  const dropped: DroppedTile[] = [];
  try {
    const first = await Trial.load(backend, plan, inputs);
    runners.push({ tile: defaultTile, trial: first, ms: await roughTime(first, Number.POSITIVE_INFINITY) });
    const expected = await first.results();
    let best = runners[0].ms;
    let timed = 1;
    for (const tile of others) {
      if (spent()) break;
      const found = await tryTile(backend, kernel, tile, inputs, expected, best);
      if ('why' in found) {
        dropped.push(found);
        continue;
      }
      timed++;
      best = Math.min(best, found.ms);
      if (found.ms > CLOSE * best) found.trial.dispose();
      else runners.push(found);
    }
    const fastest = await playOff(runners);
    const { ms: defaultMs } = runners[0];
    const { tile, ms } = fastest.ms < MARGIN * defaultMs ? fastest : runners[0];
    return { key: kernel.key, label: kernel.label, tile, ms, defaultTile, defaultMs, timed, dropped };
  } finally {
    for (const { trial } of runners) trial.dispose();
    inputs.dispose();
  }
}

/** Loads, compares and times one candidate. A refusal by the device is an answer, the loss of the device is not. */
async function tryTile(
  backend: Backend,
  kernel: IsolatedContraction,
  tile: Tile,
  inputs: TrialInputs,
  expected: readonly ArrayLike<number>[],
  best: number,
): Promise<Runner | DroppedTile> {
  let trial: Trial | undefined;
  try {
    trial = await Trial.load(backend, kernel.plan(tile), inputs);
    const difference = differenceOf(await trial.results(), expected);
    if (difference === undefined) return { tile, trial, ms: await roughTime(trial, HOPELESS * best) };
    trial.dispose();
    return { tile, why: `other results than the default tile's: ${difference}` };
  } catch (error) {
    trial?.dispose();
    if (!(error instanceof DownhillError) || error.code === 'device-lost' || error.code === 'state') throw error;
    return { tile, why: error.message };
  }
}

/** The faster of two samples, after a run that the driver may compile in; one run where that is more than `hopeless`. */
async function roughTime(trial: Trial, hopeless: number): Promise<number> {
  await trial.time(1);
  const once = await trial.time(1);
  if (once > hopeless) return once;
  return Math.min(await sample(trial, once), await sample(trial, once));
}

/** One sample of a program whose run takes about `ms`. */
function sample(trial: Trial, ms: number): Promise<number> {
  return trial.time(Math.max(1, Math.min(MOST_RUNS, Math.round(SAMPLE_MS / ms))));
}

/** The second round: the default and the fastest few in turn, so that what else the machine does meets all of them alike. */
async function playOff(runners: readonly Runner[]): Promise<Runner> {
  const [first, ...others] = runners;
  const best = Math.min(...runners.map(({ ms }) => ms));
  const close = others.filter(({ ms }) => ms <= CLOSE * best).sort((a, b) => a.ms - b.ms);
  const finalists = [first, ...close.slice(0, FINALISTS)];
  if (finalists.length === 1) return first;
  for (let round = 0; round < FINAL_ROUNDS; round++) {
    for (const runner of finalists) runner.ms = Math.min(runner.ms, await sample(runner.trial, runner.ms));
  }
  return finalists.reduce((a, b) => (b.ms < a.ms ? b : a));
}

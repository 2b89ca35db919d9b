/**
 * The tuner: times the candidates of every contraction on the adapter it runs on, and keeps the fastest that computes what
 * the default one does.
 *
 * Invariants: a tile is chosen only after its results were compared with the default tile's; the default is kept unless
 * another is faster by more than MARGIN; when the budget is spent, what was not reached keeps its default.
 */

import type { Backend } from '../backend/backend.ts';
import { type IsolatedContraction, isolateContractions } from '../compile/isolate.ts';
import { type Target, withTiles } from '../compile/target.ts';
import type { Tile } from '../compile/tile.ts';
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
  /** Milliseconds in all; 40,000 unless given. The kernel under way is finished with what was timed by then. */
  readonly budgetMs?: number;
  readonly onProgress?: (progress: TuneProgress) => void;
  /** Ends the tuning early, as the budget does. */
  readonly signal?: AbortSignal;
  /** What was tuned before on this adapter: its tiles are tried first, so that a search which ends early forgets none. */
  readonly earlier?: Tuning;
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

const BUDGET_MS = 40_000;
/**
 * Milliseconds of a sample: many of the clock's steps, and short enough that on a busy machine some sample is not
 * interrupted. The fastest one counts.
 */
const SAMPLE_MS = 5;
const MOST_RUNS = 500;
/** Candidates that are compiled at the same time. */
const TOGETHER = 4;
/** A candidate whose first runs take so many times as long as the best is timed no further. */
const HOPELESS = 3;
/**
 * Rounds of the race: everybody is sampled once a round, and leaves when its fastest sample is over `slack` times the best.
 * It ends when for some rounds nobody became faster by a part of NEWS.
 */
const slack = (round: number): number => Math.max(1.25, 2.2 - 0.2 * round);
const CALM_ROUNDS = 7;
const MOST_ROUNDS = 60;
const NEWS = 0.01;
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
  const target = withTiles(backend.target, undefined);
  const kernels = new Map<string, IsolatedContraction>();
  for (const graph of graphs) {
    for (const kernel of isolateContractions(graph, target))
      if (!kernels.has(kernel.key)) kernels.set(kernel.key, kernel);
  }
  return tuneContractions(backend, target, [...kernels.values()], options);
}

/** Tunes `kernels`, which are compiled for `target`. @throws as `tuneGraphs`. */
export async function tuneContractions(
  backend: Backend,
  target: Target,
  kernels: readonly IsolatedContraction[],
  { budgetMs = BUDGET_MS, onProgress, signal, earlier }: TuneOptions = {},
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
    const candidates = tileCandidates(kernel.spec, kernel.rows, target);
    const known = earlier?.entries[kernel.key]?.tile;
    tuned.push(await tuneContraction(backend, kernel, candidates, known, spent));
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
  backendLimits: Target,
): Tuning['entries'] {
  const target = withTiles(backendLimits, undefined);
  const [models, copies] = [tuned, graph].map((spec) => isolateContractions(spec, target));
  if (models.length !== copies.length) return {};
  const found = copies.flatMap(({ key, spec, rows }, k): [string, TuningEntry][] => {
    const entry = entries[models[k].key];
    if (entry === undefined) return [];
    const tile = { ...entry.tile, chunks: Math.min(entry.tile.chunks, Math.max(1, spec.segments)) };
    return tileProblem(tile, spec, rows, target) === undefined ? [[key, { ...entry, tile }]] : [];
  });
  return Object.fromEntries(found);
}

/** A candidate that has been timed, and its fastest sample. */
interface Runner {
  readonly tile: Tile;
  trial: Trial;
  ms: number;
}

/**
 * The fastest of `candidates`, of which the first is the default one.
 * @param known the tile that was chosen before, which is tried in any case.
 * @param spent true when no further candidate shall be tried.
 */
async function tuneContraction(
  backend: Backend,
  kernel: IsolatedContraction,
  [defaultTile, ...others]: readonly Tile[],
  known: Tile | undefined,
  spent: () => boolean,
): Promise<TunedKernel> {
  if (known !== undefined && !sameTile(known, defaultTile)) {
    others = [known, ...others.filter((tile) => !sameTile(tile, known))];
  }
  const plan = kernel.plan(defaultTile);
  const inputs = new TrialInputs(backend, plan);
  const trials: Trial[] = [];
  const runners: Runner[] = [];
  const dropped: DroppedTile[] = [];
  try {
    const first = await Trial.load(backend, plan, inputs);
    trials.push(first);
    let best = await firstTime(first);
    runners.push({ tile: defaultTile, trial: first, ms: best });
    const expected = await first.results();
    let timed = 1;
    for (let k = 0; k < others.length && (!spent() || (k === 0 && known !== undefined)); k += TOGETHER) {
      // Side by side for the compiler's sake alone: they run one at a time.
      const tiles = others.slice(k, k + TOGETHER);
      const loaded = await Promise.all(tiles.map((tile) => loadTile(backend, kernel, tile, inputs)));
      for (const found of loaded) if (typeof found !== 'string') trials.push(found);
      for (const [place, trial] of loaded.entries()) {
        const tile = tiles[place];
        const why = typeof trial === 'string' ? trial : differenceOf(await trial.results(), expected);
        if (typeof trial === 'string' || why !== undefined) {
          dropped.push({
            tile,
            why: typeof trial === 'string' ? trial : `other results than the default tile's: ${why}`,
          });
          continue;
        }
        const ms = await firstTime(trial);
        timed++;
        best = Math.min(best, ms);
        if (ms <= HOPELESS * best) runners.push({ tile, trial, ms });
        else trial.dispose();
      }
    }
    await race(runners);
    // Where its results lie in memory may cost a candidate a fifth: the best run again, with other memory.
    const finalists = runners.filter((runner, k) => k === 0 || runner.ms <= slack(MOST_ROUNDS) * fastestOf(runners).ms);
    for (const runner of finalists) {
      runner.trial = await Trial.load(backend, kernel.plan(runner.tile), inputs);
      trials.push(runner.trial);
    }
    await race(finalists);
    const fastest = fastestOf(finalists);
    const { ms: defaultMs } = runners[0];
    const { tile, ms } = fastest.ms < MARGIN * defaultMs ? fastest : runners[0];
    const { key, label } = kernel;
    return { key, label, tile, ms, defaultTile, defaultMs, timed, dropped };
  } finally {
    for (const trial of trials) trial.dispose();
    inputs.dispose();
  }
}

function sameTile(a: Tile, b: Tile): boolean {
  return (Object.keys(a) as (keyof Tile)[]).every((key) => a[key] === b[key]);
}

/** A candidate on the device, or why the device refuses it. The loss of the device is no answer. */
async function loadTile(
  backend: Backend,
  kernel: IsolatedContraction,
  tile: Tile,
  inputs: TrialInputs,
): Promise<Trial | string> {
  try {
    return await Trial.load(backend, kernel.plan(tile), inputs);
  } catch (error) {
    if (!(error instanceof DownhillError) || error.code === 'device-lost' || error.code === 'state') throw error;
    return error.message;
  }
}

/** Milliseconds of a run, after one that the driver may compile in. */
async function firstTime(trial: Trial): Promise<number> {
  await trial.time(1);
  return Math.min(await trial.time(1), await trial.time(1));
}

function fastestOf(runners: readonly Runner[]): Runner {
  return runners.reduce((a, b) => (b.ms < a.ms ? b : a));
}

/**
 * Times `runners`, the first of which is the default and stays to the end. In turn, so that what else the machine does
 * meets all of them alike, and by their fastest samples, which it did not meet.
 */
async function race(runners: readonly Runner[]): Promise<void> {
  const [first] = runners;
  let running = runners;
  for (let round = 0, calm = 0; round < MOST_ROUNDS && calm < CALM_ROUNDS && running.length > 1; round++) {
    calm++;
    for (const runner of running) {
      const runs = Math.max(1, Math.min(MOST_RUNS, Math.round(SAMPLE_MS / runner.ms)));
      const ms = await runner.trial.time(runs);
      if (ms < (1 - NEWS) * runner.ms) calm = 0;
      runner.ms = Math.min(runner.ms, ms);
    }
    const most = slack(round) * Math.min(...running.map(({ ms }) => ms));
    running = running.filter((runner) => runner === first || runner.ms <= most);
  }
}

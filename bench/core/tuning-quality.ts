/**
 * How good the tuner's choices are: each is compared with all candidates, which are timed again, more patiently and in
 * turn, so that what the machine does meanwhile meets all of them alike.
 */

import type { Backend } from '../../src/backend/backend.ts';
import type { IsolatedContraction } from '../../src/compile/isolate.ts';
import { withTiles } from '../../src/compile/target.ts';
import type { Tile } from '../../src/compile/tile.ts';
import { describeTile, tileCandidates } from '../../src/tune/candidates.ts';
import { Trial, TrialInputs } from '../../src/tune/trial.ts';
import { tuneContractions } from '../../src/tune/tune.ts';
import { Prng } from '../../src/util/prng.ts';
import { drawContraction } from './random-contractions.ts';

export interface TuningRow {
  readonly label: string;
  readonly candidates: number;
  /** Milliseconds when all were timed again. */
  readonly defaultMs: number;
  readonly chosenMs: number;
  readonly bestMs: number;
  /** chosenMs / bestMs, and what the default would be. */
  readonly ratio: number;
  readonly defaultRatio: number;
  readonly chosen: string;
  readonly best: string;
  readonly tuneSeconds: number;
}

const ROUNDS = 30;
/**
 * Where the best seems to be faster by more than this part, it and the chosen one are timed again, alone and longer.
 */
const DOUBT = 1.05;
const DUEL_ROUNDS = 150;
const SAMPLE_MS = 5;

/** Tunes `count` contractions of random sizes. */
export async function measureTuning(
  backend: Backend,
  count: number,
  seed: number,
  onRow: (row: TuningRow) => void,
): Promise<TuningRow[]> {
  const random = new Prng(seed, 0x7e57);
  const limits = withTiles(backend.target, undefined);
  const rows: TuningRow[] = [];
  for (let k = 0; k < count; k++) {
    const kernel = drawContraction(random, limits);
    const { kernels, seconds } = await tuneContractions(backend, limits, [kernel]);
    const tiles = tileCandidates(kernel.spec, kernel.rows, limits);
    const times = await timeTiles(backend, kernel, tiles, ROUNDS);
    const chosen = tiles.findIndex((tile) => JSON.stringify(tile) === JSON.stringify(kernels[0].tile));
    const best = times.indexOf(Math.min(...times));
    if (times[chosen] > DOUBT * times[best]) {
      // Of many tiles the fastest by chance is among the fastest: only a duel tells.
      const duel = await timeTiles(backend, kernel, [tiles[chosen], tiles[best]], DUEL_ROUNDS);
      [times[chosen], times[best]] = [Math.min(times[chosen], duel[0]), Math.min(times[best], duel[1])];
    }
    const row: TuningRow = {
      label: kernel.label,
      candidates: tiles.length,
      defaultMs: times[0],
      chosenMs: times[chosen],
      bestMs: times[best],
      ratio: times[chosen] / times[best],
      defaultRatio: times[0] / times[best],
      chosen: describeTile(tiles[chosen]),
      best: describeTile(tiles[best]),
      tuneSeconds: seconds,
    };
    rows.push(row);
    onRow(row);
  }
  return rows;
}

/** The fastest sample of each tile, in rounds over all of them. */
async function timeTiles(
  backend: Backend,
  kernel: IsolatedContraction,
  tiles: readonly Tile[],
  rounds: number,
): Promise<number[]> {
  const inputs = new TrialInputs(backend, kernel.plan(tiles[0]));
  const trials: Trial[] = [];
  try {
    for (const tile of tiles) trials.push(await Trial.load(backend, kernel.plan(tile), inputs));
    const runs: number[] = [];
    for (const trial of trials) {
      await trial.time(1);
      runs.push(Math.max(1, Math.round(SAMPLE_MS / (await trial.time(1)))));
    }
    const best = tiles.map(() => Number.POSITIVE_INFINITY);
    for (let round = 0; round < rounds; round++) {
      for (const [k, trial] of trials.entries()) best[k] = Math.min(best[k], await trial.time(runs[k]));
    }
    return best;
  } finally {
    for (const trial of trials) trial.dispose();
    inputs.dispose();
  }
}

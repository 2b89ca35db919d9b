/** Messages between the page and its worker, besides the events of every run (shared/worker/run-protocol.ts). */

import type { OptimizerName } from './surfaces.ts';

/** Heights of a surface for its picture. */
export interface Relief {
  /** GRID² heights, row by row from the top left (y falls). */
  readonly heights: Float32Array;
  /** Contour lines as segments x₁, y₁, x₂, y₂ in the coordinates of the surface. */
  readonly contours: Float32Array;
}

/** Points along each side of a relief. */
export const GRID = 161;

/** What a racer did since the last message. */
export interface RacerNews {
  readonly name: OptimizerName;
  /** Places x, y after each of the new steps; finite. */
  readonly places: Float64Array;
  /** Height at the last place. */
  readonly height: number;
  readonly steps: number;
  /** The step at which it left for infinity. */
  readonly diverged: number | undefined;
}

export interface News {
  /** Counts the races; news of another one are not for this one. */
  readonly race: number;
  /** Steps of the race. */
  readonly steps: number;
  readonly racers: readonly RacerNews[];
  /** Heights above the lowest point before each of the new steps, [steps, racers]; NaN for those that do not run. */
  readonly heights: Float64Array;
  readonly stepsPerSecond: number;
}

/**
 * The curve of a run as it is kept: every step of late, fewer of long ago, so that a long run is no larger than a short
 * one. Steps that are taken again after a lost device replace those they repeat.
 */

import type { EpochPoint, StepPoint } from './protocol.ts';

const MAX_POINTS = 4000;

export class RunLog {
  points: StepPoint[];
  epochs: EpochPoint[];

  constructor(points: readonly StepPoint[] = [], epochs: readonly EpochPoint[] = []) {
    this.points = [...points];
    this.epochs = [...epochs];
  }

  add(points: readonly StepPoint[]): void {
    this.points.push(...points);
    if (this.points.length <= MAX_POINTS) return;
    const half = this.points.length >> 1;
    this.points = this.points.filter((_, k) => k >= half || k % 2 === 0);
  }

  addEpoch(point: EpochPoint): void {
    this.epochs.push(point);
  }

  /** Forgets what comes at or after step `index`. */
  cut(index: number): void {
    this.points = this.points.filter((point) => point.index < index);
    this.epochs = this.epochs.filter((point) => point.index <= index);
  }
}

/**
 * Engines next to each other: times count only when every engine did the same work, which the losses of the parity
 * steps and the digest of weights and data show.
 */

import type { EngineReport } from './engine.ts';
import { largestDifference } from './statistics.ts';
import type { WorkloadName } from './workloads.ts';

/** Largest relative difference of a loss from the first engine's. */
export const PARITY = 1e-3;

export interface Comparison {
  readonly name: WorkloadName;
  readonly reports: readonly EngineReport[];
  /** Largest relative difference of each engine's losses from the first one's. */
  readonly differences: readonly number[];
  readonly parity: boolean;
}

/** @param reports of the same workload, this package's own first. */
export function compareEngines(name: WorkloadName, reports: readonly EngineReport[]): Comparison {
  const [own] = reports;
  const differences = reports.map(({ losses }) => largestDifference(losses, own.losses));
  const same = reports.every(({ digest }) => digest === own.digest);
  return { name, reports, differences, parity: same && differences.every((difference) => difference <= PARITY) };
}

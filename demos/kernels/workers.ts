/** What the page asks of its workers: one measures kernels, one a step of one engine. */

import type { Ceilings } from '../../bench/core/ceilings.ts';
import type { DriveOptions, EngineReport } from '../../bench/core/engine.ts';
import type { KernelRow } from '../../bench/core/kernel-rows.ts';
import type { WorkloadName } from '../../bench/core/workloads.ts';

export interface KernelEvents {
  /** A probe of the ceilings is about to run. */
  probe(label: string): void;
  ceilings(ceilings: Ceilings): void;
  row(row: KernelRow): void;
}

export interface KernelBench {
  /** Names of the ops that `measure` would go through. */
  names(filter: string): string[];
  measure(filter: string, events: KernelEvents): Promise<void>;
}

export type EngineName = 'downhill' | 'tfjs' | 'jax';

export interface StepBench {
  /**
   * @param from where a peer's code comes from.
   * @param onLosses gets the losses of the parity steps, before any step is timed.
   */
  measure(
    engine: EngineName,
    from: 'bundle' | 'cdn',
    workload: WorkloadName,
    batch: number,
    options: Omit<DriveOptions, 'onLosses'>,
    onLosses: (losses: readonly number[]) => void,
  ): Promise<EngineReport>;
}

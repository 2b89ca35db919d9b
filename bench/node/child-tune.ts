/** Child process: `child-tune.ts MODEL` tunes the model's step and prints a StepTuning. */

import type { Tuning } from '../../src/tune/tuning.ts';
import { DownhillEngine } from '../core/downhill-engine.ts';
import { makeWorkload, type WorkloadName } from '../core/workloads.ts';
import { openBackend } from './gpu.ts';

export interface StepTuning {
  readonly tuning: Tuning;
  readonly seconds: number;
  /** Contractions that were timed, and all. */
  readonly reached: number;
  readonly total: number;
}

const backend = await openBackend();
const engine = new DownhillEngine(backend, '');
await engine.prepare(await makeWorkload(process.argv[2] as WorkloadName));
const { tuning, seconds, kernels, total } = await engine.tune({});
engine.dispose();
await backend.dispose();
const found: StepTuning = { tuning, seconds, reached: kernels.length, total };
process.stdout.write(`${JSON.stringify(found)}\n`);

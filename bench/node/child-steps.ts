/**
 * Child process: `child-steps.ts MODEL BATCH BUDGET_MS MAX_STEPS BACKEND` trains with `model.fit` and prints a
 * StepsReport.
 */

import { createCpuBackend } from '../../src/backend/cpu.ts';
import { measureSteps } from '../core/steps.ts';
import type { WorkloadName } from '../core/workloads.ts';
import { openBackend } from './gpu.ts';

const [name, batch, budgetMs, maxSteps, kind] = process.argv.slice(2);
const backend = kind === 'cpu' ? createCpuBackend({ precision: 'f32' }) : await openBackend();
const report = await measureSteps(backend, name as WorkloadName, {
  batch: Number(batch),
  budgetMs: Number(budgetMs),
  maxSteps: Number(maxSteps),
});
await backend.dispose();
process.stdout.write(`${JSON.stringify(report)}\n`);

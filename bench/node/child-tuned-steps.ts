/** Child process: `child-tuned-steps.ts MODEL BUDGET_MS` tunes a model, and prints a TunedStepsReport. */

import { measureTunedSteps } from '../core/tuned-steps.ts';
import type { WorkloadName } from '../core/workloads.ts';
import { openBackend } from './gpu.ts';

const [name, budgetMs] = process.argv.slice(2);
const backend = await openBackend();
const report = await measureTunedSteps(backend, name as WorkloadName, Number(budgetMs));
await backend.dispose();
process.stdout.write(`${JSON.stringify(report)}\n`);

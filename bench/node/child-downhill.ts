/**
 * Child process: `child-downhill.ts MODEL BUDGET_MS MAX_STEPS [TUNING_FILE]` runs downhill under the rules of the peers
 * and prints an EngineReport.
 */

import { readFileSync } from 'node:fs';
import { packageVersion } from '../../src/cli/versions.ts';
import { importTuning } from '../../src/tune/tuning.ts';
import { DownhillEngine } from '../core/downhill-engine.ts';
import { driveEngine } from '../core/engine.ts';
import { makeWorkload, type WorkloadName } from '../core/workloads.ts';
import { openBackend } from './gpu.ts';

const [name, budgetMs, maxSteps, file] = process.argv.slice(2);
const workload = await makeWorkload(name as WorkloadName);
const backend = await openBackend();
const tuning = file === undefined ? undefined : importTuning(readFileSync(file, 'utf8'), file);
const report = await driveEngine(new DownhillEngine(backend, packageVersion(), tuning), workload, {
  budgetMs: Number(budgetMs),
  maxSteps: Number(maxSteps),
});
await backend.dispose();
process.stdout.write(`${JSON.stringify(report)}\n`);

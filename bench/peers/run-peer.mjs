/**
 * A peer's child process: WebGPU's classes become global, as in a browser, the engine is imported after that, and
 * driven by the same code as downhill.
 */

import { create, globals } from 'webgpu';
import { driveDuel, duelOf } from '../core/duels.ts';
import { driveEngine } from '../core/engine.ts';
import { makeWorkload } from '../core/workloads.ts';

// Kept for good: Dawn dies with the process when the object is collected.
const gpu = create([]);

/**
 * Training steps: `node --import tsx FILE MODEL BUDGET_MS MAX_STEPS` prints an EngineReport.
 * @param load makes the Engine; called when `navigator.gpu` is there.
 */
export async function runPeer(load) {
  const [name, budgetMs, maxSteps] = process.argv.slice(2);
  offerWebGPU();
  const workload = await makeWorkload(name);
  const engine = await load();
  print(await driveEngine(engine, workload, { budgetMs: Number(budgetMs), maxSteps: Number(maxSteps) }));
}

/**
 * One op: `node --import tsx FILE DUEL BUDGET_MS` prints a DuelReport.
 * @param load makes the Duellist; called when `navigator.gpu` is there.
 */
export async function runPeerOp(load) {
  const [name, budgetMs] = process.argv.slice(2);
  offerWebGPU();
  print(await driveDuel(await load(), duelOf(name), Number(budgetMs)));
}

function offerWebGPU() {
  Object.assign(globalThis, globals);
  if (globalThis.navigator === undefined)
    Object.defineProperty(globalThis, 'navigator', { value: { userAgent: 'Node.js' } });
  Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true });
}

function print(report) {
  process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
}

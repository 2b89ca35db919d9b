/**
 * A peer's child process: WebGPU's classes become global, as in a browser, the engine is imported after that, and
 * driven by the same code as downhill. Prints an EngineReport. `node --import tsx FILE MODEL BUDGET_MS MAX_STEPS`.
 */

import { readFileSync } from 'node:fs';
import { create, globals } from 'webgpu';
import { driveEngine } from '../core/engine.ts';
import { makeWorkload } from '../core/workloads.ts';

// Kept for good: Dawn dies with the process when the object is collected.
const gpu = create([]);

/** @param load makes the Engine; called when `navigator.gpu` is there. */
export async function runPeer(load) {
  const [name, budgetMs, maxSteps] = process.argv.slice(2);
  Object.assign(globalThis, globals);
  if (globalThis.navigator === undefined)
    Object.defineProperty(globalThis, 'navigator', { value: { userAgent: 'Node.js' } });
  Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true });
  const workload = await makeWorkload(name);
  const engine = await load(workload);
  const report = await driveEngine(engine, workload, { budgetMs: Number(budgetMs), maxSteps: Number(maxSteps) });
  process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
}

/** The installed version of package `name`. */
export function versionOf(name) {
  return JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), 'utf8')).version;
}

/**
 * A training whose plans are kept as JSON or come from it. Run as a program, it trains with the plans of a folder and
 * prints the digest: `tsx stored-plans.ts <workload> <backend> <folder>`.
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { images, optimizerOf, WORKLOADS, type WorkloadName } from '../../bench/core/workloads.ts';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createEvaluatingBackend } from '../../src/backend/evaluate.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import type { Plan } from '../../src/compile/plan.ts';
import { planFromJson, planToJson } from '../../src/compile/plan-json.ts';
import { arrayDataset } from '../../src/data/dataset.ts';
import { setBackend } from '../../src/runtime/index.ts';

export const BACKENDS = {
  references: async () => createCpuBackend(),
  evaluating: async () => createEvaluatingBackend({ precision: 'f32' }),
  webgpu: () => createNodeWebGPUBackend(),
} satisfies Record<string, () => Promise<Backend>>;

export type BackendName = keyof typeof BACKENDS;

const STEPS = 2;
/** Small batches: what is proved is the same bits, and the evaluating backend is slow. */
const BATCH: Partial<Record<WorkloadName, number>> = { lenet: 2, vgg: 2 };

/**
 * Trains two steps.
 * @param replace gives the plan that is loaded for the `k`-th one that was compiled.
 * @returns the digest.
 */
export async function trainWith(
  workload: WorkloadName,
  backendName: BackendName,
  replace: (plan: Plan, k: number) => Plan,
): Promise<string> {
  const backend = await BACKENDS[backendName]();
  const load = backend.load.bind(backend);
  let loaded = 0;
  Object.assign(backend, {
    load: (plan: Plan, ...rest: [bound: never, onProgress?: never]) => load(replace(plan, loaded++), ...rest),
  });
  setBackend(backend);
  try {
    const { model: make, inputShape: xShape } = WORKLOADS[workload];
    const batchSize = BATCH[workload] ?? 1;
    using model = make(false);
    model.compile({ optimizer: optimizerOf(workload), loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
    const { x, y } = images(xShape, batchSize * STEPS);
    const data = arrayDataset({ name: workload, x, xShape, y: Int32Array.from(y) });
    const history = await model.fit(data, { batchSize, epochs: 1, seed: 7, verbose: 0 });
    return history.digest;
  } finally {
    setBackend(undefined);
    await backend.dispose();
  }
}

/** Trains and keeps each plan in `folder`. */
export function keepPlans(workload: WorkloadName, backend: BackendName, folder: string): Promise<string> {
  return trainWith(workload, backend, (plan, k) => {
    writeFileSync(join(folder, `${k}.json`), planToJson(plan));
    return plan;
  });
}

/** Trains by the plans of `folder` alone. @throws when another count of plans is asked for, or one of another name. */
export async function trainFrom(workload: WorkloadName, backend: BackendName, folder: string): Promise<string> {
  let used = 0;
  const digest = await trainWith(workload, backend, ({ name }, k) => {
    const stored = planFromJson(readFileSync(join(folder, `${k}.json`), 'utf8'), `${k}.json`);
    if (stored.name !== name) throw new Error(`plan ${k} is "${stored.name}"; "${name}" was asked for`);
    used++;
    return stored;
  });
  const kept = readdirSync(folder).length;
  if (used !== kept) throw new Error(`${used} of ${kept} plans were used`);
  return digest;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [workload, backend, folder] = process.argv.slice(2);
  console.log(await trainFrom(workload as WorkloadName, backend as BackendName, folder));
  process.exit(0);
}

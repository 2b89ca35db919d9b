/**
 * Random graphs: CPU = GPU, fused = unfused, planned = unplanned, tuned = untuned, the same bits in every run.
 * `SEED=123` runs one graph and prints it, `FUZZ=500` more of them. That these comparisons find a broken kernel is
 * itself tested at the end.
 */

import { afterAll, beforeAll, expect, test as testOfBoth } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import { printPlan } from '../../src/compile/print-plan.ts';
import { buildGraph, printGraph } from '../../src/core/graph.ts';
import { byPart, longTest, shortTest as test } from '../support/part.ts';
import { runPlan } from '../support/run-plan.ts';
import { checkGraph, planOf, wrongValues } from './check-graph.ts';
import { MUTATIONS, mutatePlan } from './mutate-plan.ts';
import { randomGraph } from './random-graph.ts';

const one = process.env.SEED;
const count = Number(process.env.FUZZ ?? 60);
/** Ten by themselves; the long part has the others. */
const shortSeeds = Array.from({ length: Math.min(10, count) }, (_, k) => k + 1);
const longSeeds = Array.from({ length: Math.max(1, count - 10) }, (_, k) => k + 11);
const seeds = one === undefined ? byPart(shortSeeds, longSeeds) : byPart([Number(one)], []);

let gpu: Backend;
let cpu: Backend;
beforeAll(async () => {
  gpu = await createNodeWebGPUBackend();
  expect(gpu.target.subgroupSize, 'a third of the graphs needs subgroups').not.toBeNull();
  cpu = createCpuBackend({ precision: 'f64' });
});
afterAll(async () => {
  await gpu.dispose();
});

testOfBoth.each(seeds)('seed %i', async (seed) => {
  const graph = randomGraph(seed);
  if (one !== undefined)
    console.error(`${printGraph(buildGraph(graph.spec))}\n${printPlan(planOf(graph, 'fused', gpu))}`);
  const wrong = await checkGraph(graph, gpu, cpu);
  expect(wrong, `SEED=${seed} npx vitest run kernels-test/fuzz`).toBeUndefined();
});

test('other tiles are other plans, in many of the graphs', () => {
  const differ = Array.from({ length: 60 }, (_, k) => randomGraph(k + 1)).filter(
    (graph) => printPlan(planOf(graph, 'fused', gpu)) !== printPlan(planOf(graph, 'tuned', gpu)),
  );
  expect(differ.length).toBeGreaterThan(15);
});

longTest('a kernel with one broken line is found, unless nothing depends on it', async () => {
  const tally = Object.fromEntries(Object.keys(MUTATIONS).map((name) => [name, { broken: 0, found: 0 }]));
  for (let seed = 1; seed <= 12; seed++) {
    const graph = randomGraph(seed);
    const plan = planOf(graph, 'fused', gpu);
    for (const name of Object.keys(MUTATIONS) as (keyof typeof MUTATIONS)[]) {
      for (const { id } of plan.kernels) {
        const broken = mutatePlan(plan, id, name);
        if (broken === null) continue;
        const [run] = await runPlan(gpu, broken, graph.spec, graph.bindings);
        tally[name].broken++;
        if (wrongValues(name, run, graph) !== undefined) tally[name].found++;
      }
    }
  }
  // The rest changes nothing that is read: a maximum that softmax only shifts by, neighbours that are equal, a first
  // element that is not the largest.
  const total = { broken: 0, found: 0 };
  for (const [name, { broken, found }] of Object.entries(tally)) {
    expect(broken, name).toBeGreaterThan(3);
    expect(found / broken, `${name}: ${found} of ${broken} found`).toBeGreaterThan(0.4);
    total.broken += broken;
    total.found += found;
  }
  expect(total.found / total.broken, `${total.found} of ${total.broken} found`).toBeGreaterThan(0.65);
});

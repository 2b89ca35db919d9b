/** Contractions taken out of a graph: the kernels that the graph's own plan has, in plans that hold to the rules. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createNullBackend } from '../../src/backend/null.ts';
import { fuseGraph } from '../../src/compile/fuse/fuse-graph.ts';
import { compileGraph } from '../../src/compile/index.ts';
import { isolateContractions } from '../../src/compile/isolate.ts';
import { type PlanLimits, withTiles } from '../../src/compile/plan.ts';
import { buildPlan } from '../../src/compile/plan-builder.ts';
import { planWaves } from '../../src/compile/schedule/waves.ts';
import { defaultTile, type Tile } from '../../src/compile/tiles.ts';
import { verifyPlan } from '../../src/compile/verify-plan.ts';
import type { GraphSpec } from '../../src/core/graph.ts';
import { digits } from '../../src/data/sets/digits.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { tileCandidates } from '../../src/tune/candidates.ts';
import { lenet5, mlpBatchNorm, type ZooModel } from '../../src/zoo/index.ts';
import { CPU_ADAPTER } from '../support/graphs.ts';
import { textOf } from '../support/kernels.ts';
import { GRAPHS } from './graphs.ts';

const ADAPTERS = { cpu: CPU_ADAPTER, gpu: { ...CPU_ADAPTER, adapterClass: 'gpu' as const } };

/** The texts of a graph's kernels, each in a dispatch of its own. */
function kernelTexts(graph: GraphSpec, limits: PlanLimits): Set<string> {
  const { fused, scheduled } = fuseGraph(graph, limits, true);
  const { waves } = planWaves(fused, scheduled, limits, false);
  return new Set(buildPlan(fused, scheduled, waves, limits, true).kernels.map(textOf));
}

/** Graphs of a step and an evaluation. */
async function modelGraphs(model: ZooModel, optimizer: 'adam' | 'sgd'): Promise<readonly GraphSpec[]> {
  model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  const { train } = digits({ train: 100, test: 1 });
  const { full, last } = await model.tuningGraphs(train, 64);
  model.dispose();
  return [...full, ...last];
}

const graphs: Record<string, readonly GraphSpec[]> = {};
beforeAll(async () => {
  setBackend(createNullBackend(CPU_ADAPTER));
  graphs.ops = Object.values(GRAPHS);
  graphs.lenet = await modelGraphs(lenet5(), 'adam');
  graphs['mlp with batch norm'] = await modelGraphs(mlpBatchNorm({ inputShape: [28, 28, 1] }), 'sgd');
});
afterAll(() => setBackend(undefined));

describe.each(Object.entries(ADAPTERS))('planned for a %s', (_class, limits) => {
  test.each(['ops', 'lenet', 'mlp with batch norm'])('the kernels of %s', (name) => {
    for (const graph of graphs[name]) {
      const texts = kernelTexts(graph, limits);
      const found = isolateContractions(graph, limits);
      expect(found.length).toBeGreaterThan(2);
      for (const { label, spec, rows, plan } of found) {
        const alone = plan(defaultTile(spec, rows, limits));
        expect(alone.kernels.length, label).toBeGreaterThan(0);
        for (const kernel of alone.kernels) expect(texts.has(textOf(kernel)), label).toBe(true);
      }
    }
  });

  test('every plan holds to the rules, with every candidate', () => {
    for (const graph of graphs.lenet) {
      for (const { spec, rows, plan } of isolateContractions(graph, limits)) {
        for (const tile of tileCandidates(spec, rows, limits)) verifyPlan(plan(tile), limits);
      }
    }
  });
});

test('a chosen tile reaches the plan of the graph, and its kernel is the isolated one', () => {
  const limits = CPU_ADAPTER;
  for (const graph of Object.values(GRAPHS)) {
    for (const { key, spec, rows, plan } of isolateContractions(graph, limits)) {
      const tile = tileCandidates(spec, rows, limits).at(-1) as Tile;
      const tuned = withTiles(limits, { get: (wanted) => (wanted === key ? tile : undefined) });
      const texts = kernelTexts(graph, tuned);
      for (const kernel of plan(tile).kernels) expect(texts.has(textOf(kernel))).toBe(true);
      verifyPlan(compileGraph(graph, tuned), tuned);
    }
  }
});

test('an evaluation has keys of the training step, a smaller batch has others', async () => {
  const [step, evaluation, last] = graphs.lenet.map((graph) =>
    isolateContractions(graph, CPU_ADAPTER).map(({ key }) => key),
  );
  expect(step).toHaveLength(14);
  expect(evaluation).toHaveLength(5);
  expect(step).toEqual(expect.arrayContaining(evaluation));
  expect(last).toHaveLength(14);
  expect(last.filter((key) => step.includes(key))).toEqual([]);
});

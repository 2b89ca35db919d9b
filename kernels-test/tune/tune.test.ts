/**
 * The tuner: what it chooses among, what it refuses, when it ends. Never how fast anything is: a test that times would
 * fail by chance.
 */

import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import { compileGraph } from '../../src/compile/index.ts';
import { type IsolatedContraction, isolateContractions } from '../../src/compile/isolate.ts';
import type { Tile } from '../../src/compile/tile.ts';
import { defaultTile } from '../../src/compile/tiles.ts';
import { digits } from '../../src/data/sets/digits.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { tune } from '../../src/train/loop/tune.ts';
import { sequential } from '../../src/train/model/sequential.ts';
import { tileCandidates } from '../../src/tune/candidates.ts';
import { type TuneProgress, tuneContractions, tuneGraphs } from '../../src/tune/tune.ts';
import { applyTuning, makeTuning, removeTuning } from '../../src/tune/tuning.ts';
import { expectRefusal } from '../data/refusal.ts';
import { mutatePlan } from '../fuzz/mutate-plan.ts';
import { edited, textOf } from '../support/kernels.ts';
import { longTest, shortDescribe, shortTest as test } from '../support/part.ts';
import { matmulGraph } from './graphs.ts';

const graph = matmulGraph([40, 24], [24, 20]);

let gpu: Backend;
beforeAll(async () => {
  gpu = await createNodeWebGPUBackend();
});
afterAll(() => gpu.dispose());

describe('tuneGraphs', () => {
  longTest('chooses a candidate for every contraction, and plans take it once it is applied', async () => {
    const { tuning, kernels, total } = await tuneGraphs(gpu, [graph, graph]);
    expect(total).toBe(3);
    expect(kernels).toHaveLength(3);
    const isolated = isolateContractions(graph, gpu.target);
    expect(Object.keys(tuning.entries).sort()).toEqual(isolated.map(({ key }) => key).sort());
    for (const { key, spec, rows } of isolated) {
      const { tile, ms, defaultMs, timed, dropped } = kernels.find((kernel) => kernel.key === key)!;
      const candidates = tileCandidates(spec, rows, gpu.target);
      expect(candidates).toContainEqual(tile);
      expect(timed).toBe(candidates.length);
      expect(dropped).toEqual([]);
      expect(ms).toBeGreaterThan(0);
      expect(ms).toBeLessThanOrEqual(defaultMs);
    }

    const texts = () => compileGraph(graph, gpu.target).kernels.map(textOf);
    const before = texts();
    const [{ key, spec, rows }] = isolated;
    const other = tileCandidates(spec, rows, gpu.target)[1];
    applyTuning(gpu, { ...tuning, entries: { [key]: { tile: other, ms: 1, defaultMs: 1, label: '' } } });
    expect(gpu.target.tiles?.get(key)).toEqual(other);
    expect(texts()).not.toEqual(before);
    // What is in use is not what candidates are compared with.
    const again = await tuneGraphs(gpu, [graph]);
    expect(again.kernels.find((kernel) => kernel.key === key)?.defaultTile).toEqual(
      defaultTile(spec, rows, gpu.target),
    );
    removeTuning(gpu);
    expect(texts()).toEqual(before);
  });

  test('without a budget nothing is reached, and everything keeps its default', async () => {
    const progress: TuneProgress[] = [];
    const report = await tuneGraphs(gpu, [graph], { budgetMs: 0, onProgress: (now) => progress.push(now) });
    expect(report).toMatchObject({ kernels: [], total: 3, tuning: { entries: {} } });
    expect(progress).toEqual([{ done: 0, total: 3, label: undefined }]);
  });

  test('a signal ends it after the kernel under way, which is chosen from what was timed', async () => {
    const stop = new AbortController();
    const labels: (string | undefined)[] = [];
    const report = await tuneGraphs(gpu, [graph], {
      signal: stop.signal,
      onProgress: ({ label }) => {
        labels.push(label);
        stop.abort();
      },
    });
    expect(labels).toEqual([expect.stringContaining('matmul'), undefined]);
    expect(report.kernels).toHaveLength(1);
    expect(report.kernels[0]).toMatchObject({ timed: 1, tile: report.kernels[0].defaultTile });
  });

  test('a search that ends early still tries what was chosen before', async () => {
    const [kernel] = [...isolateContractions(graph, gpu.target)].sort((a, b) => b.flops - a.flops);
    const known = tileCandidates(kernel.spec, kernel.rows, gpu.target).at(-1)!;
    const entry = { tile: known, ms: 1, defaultMs: 2, label: kernel.label };
    const earlier = makeTuning(gpu, { [kernel.key]: entry });
    const controller = new AbortController();
    // Once the first kernel is announced, nothing further is to be tried.
    const options = { signal: controller.signal, onProgress: () => controller.abort() };
    const [without] = (await tuneGraphs(gpu, [graph], options)).kernels;
    expect([without.key, without.timed]).toEqual([kernel.key, 1]);
    const again = new AbortController();
    const [found] = (await tuneGraphs(gpu, [graph], { signal: again.signal, onProgress: () => again.abort(), earlier }))
      .kernels;
    expect(found.key).toBe(kernel.key);
    expect(found.timed).toBeGreaterThan(1);
  });

  test('refuses what it cannot do', async () => {
    await expectRefusal(() => tuneGraphs(createCpuBackend(), [graph]), 'device', /nothing to tune on CPU \(f32\)/);
    await expectRefusal(() => tuneGraphs(gpu, [graph], { budgetMs: Number.NaN }), 'argument', /budgetMs/);
  });

  longTest('frees everything', async () => {
    const { liveBuffers, liveBytes } = gpu.counters;
    await tuneGraphs(gpu, [graph]);
    expect(gpu.counters).toMatchObject({ liveBuffers, liveBytes });
  });
});

shortDescribe('a candidate that is no good', () => {
  /** The first contraction, all of whose candidates but the default one are made by `spoil`. */
  function spoiled(spoil: (plan: ReturnType<IsolatedContraction['plan']>) => unknown): IsolatedContraction {
    const [kernel] = isolateContractions(graph, gpu.target);
    const first = JSON.stringify(defaultTile(kernel.spec, kernel.rows, gpu.target));
    return {
      ...kernel,
      plan: (tile: Tile) => {
        const plan = kernel.plan(tile);
        return JSON.stringify(tile) === first ? plan : (spoil(plan) as typeof plan);
      },
    };
  }

  const choose = async (kernel: IsolatedContraction) => {
    const { liveBuffers } = gpu.counters;
    const { kernels } = await tuneContractions(gpu, gpu.target, [kernel]);
    expect(gpu.counters.liveBuffers).toBe(liveBuffers);
    expect(kernels[0].tile).toEqual(kernels[0].defaultTile);
    expect(kernels[0].timed).toBe(1);
    const { length } = tileCandidates(kernel.spec, kernel.rows, gpu.target);
    expect(kernels[0].dropped).toHaveLength(length - 1);
    return kernels[0].dropped.map(({ why }) => why);
  };

  test('because it computes something else is dropped and named', async () => {
    const reasons = await choose(spoiled((plan) => mutatePlan(plan, 0, 'the last factor of a run left out')));
    for (const why of reasons)
      expect(why).toMatch(/^other results than the default tile's: element \d+ of result 0 is/);
  });

  const returningAtOnce = (head: string) => `${head} if (params[0].x < 0xffffffffu) { return; }`;

  test('because it does nothing, and would be the fastest', async () => {
    const empty = spoiled((plan) => ({
      ...plan,
      kernels: plan.kernels.map((kernel) =>
        edited(kernel, (wgsl) => wgsl.replace(/fn main\([^{]*\{/, returningAtOnce)),
      ),
    }));
    for (const why of await choose(empty)) expect(why).toMatch(/^other results/);
  });

  test('because the device refuses it', async () => {
    const wrong = spoiled((plan) => ({
      ...plan,
      kernels: plan.kernels.map((kernel) => edited(kernel, (wgsl) => `${wgsl}\nfn broken() { missing(); }`)),
    }));
    for (const why of await choose(wrong)) expect(why).toMatch(/its WGSL was refused/);
  });
});

const small = () =>
  sequential(
    [
      layers.flatten(),
      layers.dense({ units: 12, activation: 'relu' }),
      layers.dense({ units: 10, activation: 'softmax' }),
    ],
    { seed: 1 },
  );

test('tune: the step of a model, with the tiles of a last, smaller batch; its losses stay what they were', async () => {
  setBackend(gpu);
  const { train } = digits({ train: 40, test: 1 });
  const losses = async () => {
    using model = small();
    model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' });
    return (await model.fit(train, { epochs: 2, batchSize: 16, verbose: 0, seed: 3 })).lossHistory;
  };
  const before = await losses();
  using model = small();
  await expectRefusal(() => tune(model, train), 'state', /tune: model .* is not compiled/);
  model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' });
  await expectRefusal(() => tune(model, train, { budget: 3 } as never), 'argument', /tune: unknown option "budget"/);

  const { tuning, kernels } = await tune(model, train, { batchSize: 16 });
  const { full, last } = await model.tuningGraphs(train, 16);
  const keys = [...full, ...last].flatMap((spec) => isolateContractions(spec, gpu.target).map(({ key }) => key));
  expect(Object.keys(tuning.entries).sort()).toEqual([...new Set(keys)].sort());
  expect(Object.keys(tuning.entries).length).toBeGreaterThan(kernels.length);

  const [tuned, again] = [await losses(), await losses()];
  expect(tuned).toEqual(again);
  tuned.forEach((loss, step) => {
    expect(Math.abs(loss - before[step]), `step ${step}`).toBeLessThan(1e-3 * before[step]);
  });
  const { x, y } = train;
  const sides = { x: { data: x, shape: [40, ...train.xShape] }, y: { data: y, shape: [40] } };
  const given = await model.tuningGraphs(sides as never, 16);
  expect(given.full.map(({ name }) => name)).toEqual(full.map(({ name }) => name));
  removeTuning(gpu);
  setBackend(undefined);
});

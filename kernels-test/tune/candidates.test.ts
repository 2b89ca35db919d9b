/**
 * Candidates: valid by the device's limits, no two alike, the default first, and all of them compute what the reference
 * does, in the same bits in every run.
 */

import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import { isolateContractions } from '../../src/compile/isolate.ts';
import { DEFAULT_TARGET, SOFTWARE_TARGET, type Target, withAdapterType } from '../../src/compile/target.ts';
import type { Tile } from '../../src/compile/tile.ts';
import { defaultTile } from '../../src/compile/tiles.ts';
import type { GraphSpec } from '../../src/core/graph.ts';
import { MOST, tileCandidates, tileProblem } from '../../src/tune/candidates.ts';
import { differenceOf } from '../../src/tune/compare.ts';
import { Trial, TrialInputs } from '../../src/tune/trial.ts';
import { longTest, shortDescribe, shortTest as test } from '../support/part.ts';
import { convGraph, GRAPHS, matmulGraph, STAGED_GRAPHS } from './graphs.ts';

const ADAPTERS: Readonly<Record<string, Target>> = {
  gpu: DEFAULT_TARGET,
  'gpu with subgroups of 32': { ...DEFAULT_TARGET, subgroupSize: 32 },
  'gpu of few invocations': { ...DEFAULT_TARGET, maxComputeInvocationsPerWorkgroup: 128 },
  'software without subgroups': SOFTWARE_TARGET,
  'software with subgroups of 4': { ...SOFTWARE_TARGET, subgroupSize: 4 },
  'software with subgroups of 8': { ...SOFTWARE_TARGET, subgroupSize: 8 },
};

shortDescribe.each(Object.entries(ADAPTERS))('%s', (_name, limits) => {
  const large = { 'large matmul': matmulGraph([512, 512], [512, 512]), 'one column': matmulGraph([64, 9], [9, 1]) };
  const layers = { 'first layer': convGraph([64, 28, 28, 1], [5, 5, 1, 6], { padding: 'same' }) };

  test.each(Object.entries({ ...GRAPHS, ...large, ...layers }))('candidates of %s', (_graph, graph) => {
    for (const { spec, rows, label } of isolateContractions(graph, limits)) {
      const tiles = tileCandidates(spec, rows, limits);
      // A device of few invocations may not be able to run the default, which then is no candidate.
      const first = defaultTile(spec, rows, limits);
      if (tileProblem(first, spec, rows, limits) === undefined) expect(tiles[0], label).toEqual(first);
      expect(tiles.length, label).toBeGreaterThan(0);
      expect(tiles.length, label).toBeLessThanOrEqual(MOST);
      expect(new Set(tiles.map((tile) => JSON.stringify(tile))).size, label).toBe(tiles.length);
      expect(
        tiles.flatMap((tile) => tileProblem(tile, spec, rows, limits) ?? []),
        label,
      ).toEqual([]);
      if (limits.subgroupSize === null) expect(tiles.some(({ variant }) => variant === 'broadcast')).toBe(false);
    }
  });
});

test('a tile that the device cannot run is told by its reason', () => {
  const [{ spec, rows }] = isolateContractions(GRAPHS['conv, valid'], DEFAULT_TARGET);
  const tile = defaultTile(spec, rows, DEFAULT_TARGET);
  const problem = (change: object, limits: object = {}) =>
    tileProblem({ ...tile, ...change }, spec, rows, { ...DEFAULT_TARGET, ...limits });
  expect(problem({})).toBeUndefined();
  expect(problem({ rowsPerInvocation: 0 })).toBe('rowsPerInvocation is 0; a whole number of at least 1 is needed');
  expect(problem({ chunks: 1.5 })).toMatch(/^chunks is 1.5/);
  expect(problem({ rowsPerInvocation: 64 })).toBe('64 × 4 sums an invocation; at most 128');
  expect(problem({ invocationsM: 1000 })).toMatch(/^4000 invocations a workgroup; the device allows 256/);
  expect(problem({ variant: 'broadcast' })).toMatch(
    /^a broadcast tile of 64 × 4 invocations; the subgroups of the device have no one size/,
  );
  const block = { rowsPerInvocation: 4, columnsPerInvocation: 4, invocationsM: 16, invocationsN: 16 };
  const large = { ...block, variant: 'staged', depth: 8 };
  expect(problem(large)).toBeUndefined();
  expect(problem({ ...large, depth: 0.5 })).toMatch(/^depth is 0.5/);
  expect(problem({ ...large, depth: 3 })).toBe('256 invocations cannot share the copying of 64 × 3 elements evenly');
  expect(problem({ ...large, depth: 64 })).toMatch(/^33280 bytes of workgroup memory; 16384 are guaranteed/);
  expect(problem({ chunks: spec.segments + 1 })).toBe(`${spec.segments + 1} chunks of ${spec.segments} segments`);
  expect(problem({ chunks: 2 }, { maxBufferSize: 1000 })).toMatch(/bytes of partial products; the device allows 1000/);
});

test.each([
  // Rows, columns, segments → rows of an invocation, chunks: halved where that makes two workgroups, cut where it does
  // not.
  [26, 6, 1792, 16, 1],
  [32, 8, 1792, 16, 1],
  [8, 6, 1792, 8, 4],
  [151, 16, 640, 32, 1],
])(
  'software adapters: %i × %i of %i segments, %i rows an invocation, %i chunks',
  (rows, n, segments, rowsPerInvocation, chunks) => {
    const [{ spec }] = isolateContractions(GRAPHS['conv, valid'], DEFAULT_TARGET);
    const limits: Target = { ...SOFTWARE_TARGET, subgroupSize: 8 };
    const tile = defaultTile({ ...spec, batch: 1, n, segments, inner: 1000 }, rows, limits);
    expect(tile).toMatchObject({ rowsPerInvocation, chunks, variant: 'broadcast' });
  },
);

describe('on the device', () => {
  let gpu: Backend;
  beforeAll(async () => {
    gpu = await createNodeWebGPUBackend();
  });
  afterAll(() => gpu.dispose());

  /** Every candidate for `limits` against the f64 reference, and two runs of each. */
  async function checkAll(graph: GraphSpec, limits: Target, wanted = (_: Tile) => true): Promise<number> {
    const cpu = createCpuBackend({ precision: 'f64' });
    let checked = 0;
    for (const { label, spec, rows, plan } of isolateContractions(graph, limits)) {
      const tiles = tileCandidates(spec, rows, limits).filter(wanted);
      if (tiles.length === 0) continue;
      checked += tiles.length;
      const [there, here] = [new TrialInputs(cpu, plan(tiles[0])), new TrialInputs(gpu, plan(tiles[0]))];
      const expected = await (await Trial.load(cpu, plan(tiles[0]), there)).results();
      expect(
        expected.some((values) => Array.from(values).some((value) => value !== values[0])),
        label,
      ).toBe(true);
      for (const tile of tiles) {
        const trial = await Trial.load(gpu, plan(tile), here);
        const results = await trial.results();
        expect(differenceOf(results, expected), `${label}, ${JSON.stringify(tile)}`).toBeUndefined();
        expect(await trial.results()).toEqual(results);
        trial.dispose();
      }
      here.dispose();
    }
    return checked;
  }

  test.each(Object.keys(GRAPHS))('candidates of this adapter agree with the reference: %s', async (graph) => {
    expect(await checkAll(GRAPHS[graph], gpu.target)).toBeGreaterThan(5);
  });

  longTest.each(['matmul', 'conv, clipped and strided'])('so do those of a GPU: %s', async (graph) => {
    const limits: Target = withAdapterType(gpu.target, 'hardware');
    expect(await checkAll(GRAPHS[graph], limits, ({ variant }) => variant !== 'staged')).toBeGreaterThan(5);
  });

  longTest.each(Object.keys(STAGED_GRAPHS))(
    'so do those that stage operands in workgroup memory: %s',
    async (graph) => {
      const limits: Target = withAdapterType(gpu.target, 'hardware');
      expect(await checkAll(STAGED_GRAPHS[graph], limits, ({ variant }) => variant === 'staged')).toBeGreaterThan(5);
    },
  );
});

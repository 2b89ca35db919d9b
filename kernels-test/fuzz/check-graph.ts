/**
 * One random graph through every way to run it: planned and unplanned, fused and unfused, with the
 * default tiles and with others that the tuner could choose, on the device and on the CPU.
 */

import type { Backend } from '../../src/backend/backend.ts';
import { compileGraph } from '../../src/compile/index.ts';
import { isolateContractions } from '../../src/compile/isolate.ts';
import type { Plan } from '../../src/compile/plan.ts';
import { makeTarget, type Target, type TileChoices, withTiles } from '../../src/compile/target.ts';
import { verifyPlan } from '../../src/compile/verify-plan.ts';
import { buildGraph, verifyGraph } from '../../src/core/graph.ts';
import { tileCandidates } from '../../src/tune/candidates.ts';
import { Prng } from '../../src/util/prng.ts';
import { divergenceOf } from '../support/arithmetic-samples.ts';
import { bitsOf, type RunResult, runPlan } from '../support/run-plan.ts';
import type { RandomGraph } from './random-graph.ts';

/** Plans that must compute the same. */
const VARIANTS = {
  fused: { fusion: true, reuse: true },
  unplanned: { fusion: true, reuse: false },
  unfused: { fusion: false, reuse: true },
  tuned: { fusion: true, reuse: true },
} as const;

type Variant = keyof typeof VARIANTS;

/**
 * A plan of the graph within WebGPU's default limits. The graphs get in turn the tiles and chunks of a GPU, which any
 * device can run, those of a software adapter without subgroups, and with those of `backend`.
 */
export function planOf(graph: RandomGraph, variant: Variant, backend: Backend): Plan {
  const { spec, seed } = graph;
  const limits = makeTarget(seed % 3 === 0 ? 'hardware' : 'software', {
    subgroupSize: seed % 3 === 1 ? backend.target.subgroupSize : null,
  });
  const tiles = variant === 'tuned' ? randomTiles(graph, limits) : undefined;
  const plan = compileGraph(spec, withTiles(limits, tiles), VARIANTS[variant]);
  verifyPlan(plan, limits);
  return plan;
}

/** For each contraction of the graph any of its candidates, as if the tuner had chosen it. */
function randomTiles({ spec, seed }: RandomGraph, limits: Target): TileChoices {
  const random = new Prng(seed, 0x71e5);
  return new Map(
    isolateContractions(spec, limits).map(({ key, spec: product, rows }) => {
      const tiles = tileCandidates(product, rows, limits);
      return [key, tiles[random.int(tiles.length)]];
    }),
  );
}

/** What is wrong with the graph on `gpu`, in words; undefined when all agree. `cpu` is the f64 reference backend. */
export async function checkGraph(graph: RandomGraph, gpu: Backend, cpu: Backend): Promise<string | undefined> {
  verifyGraph(buildGraph(graph.spec));
  const plans = {
    fused: planOf(graph, 'fused', gpu),
    unplanned: planOf(graph, 'unplanned', gpu),
    unfused: planOf(graph, 'unfused', gpu),
    tuned: planOf(graph, 'tuned', gpu),
  };
  const run = (backend: Backend, variant: Variant, runs: number) =>
    runPlan(backend, plans[variant], graph.spec, graph.bindings, runs);
  const [fused, again] = await run(gpu, 'fused', 2);
  const [unplanned] = await run(gpu, 'unplanned', 1);
  const [unfused] = await run(gpu, 'unfused', 1);
  const [tuned, tunedAgain] = await run(gpu, 'tuned', 2);
  const [reference] = await run(cpu, 'fused', 1);
  return (
    differentBits('two runs', fused, again) ??
    differentBits('with and without reuse of memory', fused, unplanned) ??
    wrongValues('CPU, fused', reference, graph) ??
    wrongValues('fused', fused, graph) ??
    wrongValues('unfused', unfused, graph) ??
    differentBits('two runs with other tiles', tuned, tunedAgain) ??
    wrongValues('with other tiles', tuned, graph)
  );
}

/** The first value of a run that no sample of the reference explains. */
export function wrongValues(
  what: string,
  { outputs, updates }: RunResult,
  { samples }: RandomGraph,
): string | undefined {
  const divergence = divergenceOf([...outputs, ...updates], samples);
  return divergence === undefined ? undefined : `${what}: ${divergence}`;
}

function differentBits(what: string, a: RunResult, b: RunResult): string | undefined {
  const [bitsA, bitsB] = [bitsOf(a), bitsOf(b)];
  for (const [k, words] of bitsA.entries()) {
    const element = words.findIndex((word, i) => word !== bitsB[k][i]);
    if (element >= 0)
      return `${what} differ in output ${k}, element ${element}: bits ${words[element]}, ${bitsB[k][element]}`;
  }
  return undefined;
}

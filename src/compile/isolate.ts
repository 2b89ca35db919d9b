/**
 * Single contractions of a graph as plans of their own, for timing: the kernels of one fused cluster with all that was
 * fused to the product, over inputs that the caller fills. What else the graph computes is taken as given.
 *
 * Invariant: an isolated kernel has the text that it has in the graph's own plan wherever it is not joined with others
 * there: the same bindings in the same order, results at the same offsets, updates in place.
 */

import type { GraphInput, GraphOutput, GraphSpec, GraphUpdate } from '../core/graph.ts';
import type { Contraction } from '../core/lowering.ts';
import { type Cluster, clusterFlops, clusterLabel } from './fuse/cluster.ts';
import { type FusedGraph, readBy, writtenBy } from './fuse/fused-graph.ts';
import { fuseGraph } from './fuse-graph.ts';
import { outermostOf } from './graph/facts.ts';
import { groupKernels } from './group-kernels.ts';
import { contractRows } from './lower/contract-kernel.ts';
import type { Plan } from './plan.ts';
import { buildPlan } from './plan-builder.ts';
import type { Schedule } from './schedule/schedule.ts';
import type { Target } from './target.ts';
import type { Tile } from './tile.ts';
import { tileKey } from './tiles.ts';

export interface IsolatedContraction {
  /** What tiles are chosen by. */
  readonly key: string;
  /** E.g. `conv2d+add+relu [36864x6x25] conv2d`. */
  readonly label: string;
  readonly spec: Contraction;
  /** Rows of the product, with the row of ones where there is one. */
  readonly rows: number;
  readonly flops: number;
  /** The kernels with this tile. @throws DownhillError `device` when they exceed the limits. */
  plan(tile: Tile): Plan;
}

/** Each distinct contraction of `spec`, by its key, in the order of the plan. */
export function isolateContractions(spec: GraphSpec, target: Target): IsolatedContraction[] {
  const { fused, scheduled } = fuseGraph(spec, target, true);
  const found = new Map<string, IsolatedContraction>();
  for (const cluster of scheduled.order) {
    if (cluster.kind !== 'contract' || cluster.points === 0) continue;
    const { contraction } = cluster;
    const rows = contractRows(cluster);
    const key = tileKey(contraction, rows);
    if (found.has(key)) continue;
    found.set(key, {
      ...{ key, rows, spec: contraction },
      label: clusterLabel(cluster),
      flops: clusterFlops(cluster),
      plan: (tile) => planAlone(cluster, fused, scheduled, { ...target, tiles: { get: () => tile } }),
    });
  }
  return [...found.values()];
}

/** The plan of `cluster` with everything that it reads from memory as an input. */
function planAlone(cluster: Cluster, fused: FusedGraph, { inPlace }: Schedule, target: Target): Plan {
  const { graph, facts } = fused;
  const read = readBy(cluster, fused);
  const written = writtenBy(cluster, fused);
  // Results inside of a larger buffer are updates of it, which only a part is written of; the others are outputs.
  const updates: GraphUpdate[] = [];
  const outputs: GraphOutput[] = [];
  for (const root of written) {
    const whole = inPlace.get(root) ?? (facts.parts.has(root) ? outermostOf(facts, root) : undefined);
    if (whole === undefined) outputs.push({ name: `result ${outputs.length}`, tensor: root });
    else updates.push({ target: whole, value: root });
  }
  const overwritten = new Set(updates.map((update) => update.target));
  // All scalars, because their slots are numbered; of the rest, what the kernels bind.
  const inputs: GraphInput[] = graph.inputs.filter(
    ({ kind, tensor }) => kind === 'scalar' || read.has(tensor) || overwritten.has(tensor),
  );
  const known = new Set(inputs.map(({ tensor }) => tensor));
  for (const tensor of [...read, ...overwritten]) {
    if (known.has(tensor)) continue;
    known.add(tensor);
    inputs.push({ name: `value ${inputs.length}`, kind: 'bound', tensor });
  }
  const scope = { name: graph.name, inputs, outputs, updates };
  const schedule: Schedule = {
    order: [cluster],
    inPlace: new Map([...inPlace].filter(([root]) => written.includes(root))),
    copied: [],
    before: new Map(),
  };
  const { groups } = groupKernels(fused, schedule, target, false);
  return buildPlan({ fused, scope, schedule, groups, target, reuse: true });
}

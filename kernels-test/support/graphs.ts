/**
 * Graphs for tests of the compiler and of devices: placeholders in a line, and the way from tensors to a plan.
 */

import { fuse } from '../../src/compile/fuse/fuse.ts';
import type { FusedGraph } from '../../src/compile/fuse/fused-graph.ts';
import { simplify } from '../../src/compile/graph/simplify.ts';
import { type CompileOptions, compileGraph } from '../../src/compile/index.ts';
import type { Plan } from '../../src/compile/plan.ts';
import { SOFTWARE_TARGET, type Target } from '../../src/compile/target.ts';
import { verifyPlan } from '../../src/compile/verify-plan.ts';
import type { DType } from '../../src/core/dtype.ts';
import {
  buildGraph,
  type Graph,
  type GraphInput,
  type GraphSpec,
  topologicalOrder,
  verifyGraph,
} from '../../src/core/graph.ts';
import { Tensor } from '../../src/core/tensor.ts';
import type { Shape } from '../../src/util/shape.ts';

export { SOFTWARE_TARGET };

/** A placeholder. */
export function input(name: string, shape: Shape, dtype: DType = 'f32'): Tensor {
  return Tensor.placeholder(name, { shape, dtype });
}

export interface Roots {
  readonly outputs?: readonly Tensor[];
  /** Pairs of a bound input and its new value. */
  readonly updates?: readonly (readonly [target: Tensor, value: Tensor])[];
  /** Placeholders that are slots of the scalar block; the others are bound. */
  readonly scalars?: readonly Tensor[];
}

/** The spec of a graph whose inputs are all placeholders that its roots reach, in the order they were made. */
export function specOf(name: string, { outputs = [], updates = [], scalars = [] }: Roots): GraphSpec {
  const roots = [...outputs, ...updates.flat()];
  const leaves = topologicalOrder(roots).filter((tensor) => tensor.leaf?.kind === 'placeholder');
  const inputs = leaves
    .sort((a, b) => a.id - b.id)
    .map((tensor): GraphInput => {
      return { name: tensor.label ?? `input${tensor.id}`, kind: scalars.includes(tensor) ? 'scalar' : 'bound', tensor };
    });
  return {
    name,
    inputs,
    outputs: outputs.map((tensor, k) => ({ name: `y${k}`, tensor })),
    updates: updates.map(([target, value]) => ({ target, value })),
  };
}

/** The graph after simplify. */
export function simplified(roots: Roots): Graph {
  const graph = simplify(buildGraph(specOf('test', roots)));
  verifyGraph(graph);
  return graph;
}

/** The fused graph, at the limits of a default device. */
export function fused(roots: Roots, maxStorageBuffers = 8): FusedGraph {
  return fuse(simplified(roots), { maxStorageBuffers, enabled: true });
}

/** The plan, which is sound by its own rules. */
export function planned(roots: Roots, options: CompileOptions = {}, limits: Target = SOFTWARE_TARGET): Plan {
  const plan = compileGraph(specOf('test', roots), limits, { fusion: true, reuse: true, ...options });
  verifyPlan(plan, limits);
  return plan;
}

/** `max+sub+exp`, one line a kernel, in the order they run. */
export function kernelNames(roots: Roots, options?: CompileOptions): string[] {
  return planned(roots, options).dispatches.map(({ label }) => label.replace(/ \[.*/, ''));
}

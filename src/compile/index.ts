/**
 * The compiler: graph → simplify → fuse → schedule → dispatch groups → memory → Plan. Pure: no GPU object is made and
 * nothing is awaited.
 */

import type { GraphSpec } from '../core/graph.ts';
import { printModule } from '../kernel/print.ts';
import { environment } from '../util/environment.ts';
import { markCompiled } from './compiled-plans.ts';
import { fuseGraph } from './fuse-graph.ts';
import { groupKernels } from './group-kernels.ts';
import type { Plan } from './plan.ts';
import { buildPlan } from './plan-builder.ts';
import type { Target } from './target.ts';
import { DEFAULT_TARGET } from './target.ts';
import { verifyPlan } from './verify-plan.ts';

export interface CompileOptions {
  /** False gives every node a kernel of its own; the default follows `NOFUSE`. */
  readonly fusion?: boolean;
  /** False gives every value a buffer of its own; the default follows `NOPLAN`. */
  readonly reuse?: boolean;
}

/**
 * The plan of `spec` for a device with `target`.
 * @throws DownhillError `device` when a buffer or a kernel exceeds the limits.
 */
export function compileGraph(spec: GraphSpec, target: Target = DEFAULT_TARGET, options: CompileOptions = {}): Plan {
  const debug = environment().debug;
  const fusion = options.fusion ?? !environment().noFuse;
  const { fused, scheduled } = fuseGraph(spec, target, fusion);
  const { groups, reasons } = groupKernels(fused, scheduled, target, fusion);
  if (debug >= 3) for (const reason of reasons) console.error(`not side by side: ${reason}`);
  const reuse = options.reuse ?? !environment().noPlan;
  const plan = markCompiled(buildPlan({ fused, schedule: scheduled, groups, target, reuse }), target);
  verifyPlan(plan, target);
  if (debug >= 2) {
    for (const [k, { label, workgroups }] of plan.dispatches.entries()) console.error(`${k}: ${label} ${workgroups}`);
  }
  if (debug >= 4) for (const kernel of plan.kernels) console.error(`// ${kernel.label}\n${printModule(kernel.module)}`);
  return plan;
}

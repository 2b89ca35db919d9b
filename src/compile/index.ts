/**
 * The compiler: graph → simplify → fuse → schedule → waves → memory → Plan. Pure: no GPU object is made and nothing is awaited.
 */

import type { GraphSpec } from '../core/graph.ts';
import { printModule } from '../kernel/print.ts';
import { environment } from '../util/environment.ts';
import { fuseGraph } from './fuse/fuse-graph.ts';
import type { Plan, PlanLimits } from './plan.ts';
import { DEFAULT_LIMITS } from './plan.ts';
import { buildPlan } from './plan-builder.ts';
import { planWaves } from './schedule/waves.ts';

export interface CompileOptions {
  /** False gives every node a kernel of its own; the default follows `NOFUSE`. */
  readonly fusion?: boolean;
  /** False gives every value a buffer of its own; the default follows `NOPLAN`. */
  readonly reuse?: boolean;
}

/**
 * The plan of `spec` for a device with `limits`.
 * @throws DownhillError `device` when a buffer or a kernel exceeds the limits.
 */
export function compileGraph(spec: GraphSpec, limits: PlanLimits = DEFAULT_LIMITS, options: CompileOptions = {}): Plan {
  const debug = environment().debug;
  const fusion = options.fusion ?? !environment().noFuse;
  const { fused, scheduled } = fuseGraph(spec, limits, fusion);
  const { waves, reasons } = planWaves(fused, scheduled, limits, fusion);
  if (debug >= 3) for (const reason of reasons) console.error(`not side by side: ${reason}`);
  const plan = buildPlan(fused, scheduled, waves, limits, options.reuse ?? !environment().noPlan);
  if (debug >= 2) {
    for (const [k, { label, workgroups }] of plan.dispatches.entries()) console.error(`${k}: ${label} ${workgroups}`);
  }
  if (debug >= 4) for (const kernel of plan.kernels) console.error(`// ${kernel.label}\n${printModule(kernel.module)}`);
  return plan;
}

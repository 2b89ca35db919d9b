/**
 * Which plans the compiler made in this program, and for which limits. Sources verify each when it is made; built packages
 * leave that out (scripts/strip-source.ts) and verify only plans from elsewhere, with a module loaded for the purpose.
 */

import type { Plan, PlanLimits } from './plan.ts';

const compiled = new WeakMap<Plan, PlanLimits>();

/** Notes that `plan` was made here, and gives it back. */
export function markCompiled(plan: Plan, limits: PlanLimits): Plan {
  compiled.set(plan, limits);
  return plan;
}

/** True when the compiler made `plan` for these limits; for any, when none are given. */
export function isCompiled(plan: Plan, limits?: PlanLimits): boolean {
  const made = compiled.get(plan);
  return made !== undefined && (limits === undefined || made === limits);
}

/** @throws DownhillError as `verifyPlan`. */
export async function verifyForeign(plan: Plan, limits?: PlanLimits): Promise<void> {
  const { verifyPlan } = await import('./verify-plan.ts');
  verifyPlan(plan, limits);
}

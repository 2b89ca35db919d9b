/**
 * Which plans the compiler made in this program, and for which target. Sources verify each when it is made; built
 * packages leave that out (scripts/strip-source.ts) and verify only plans from elsewhere, with a module loaded for the
 * purpose.
 */

import type { Plan } from './plan.ts';
import type { Target } from './target.ts';

const compiled = new WeakMap<Plan, Target>();

/** Notes that `plan` was made here, and gives it back. */
export function markCompiled(plan: Plan, target: Target): Plan {
  compiled.set(plan, target);
  return plan;
}

/** True when the compiler made `plan` for these target; for any, when none are given. */
export function isCompiled(plan: Plan, target?: Target): boolean {
  const made = compiled.get(plan);
  return made !== undefined && (target === undefined || made === target);
}

/** @throws DownhillError as `verifyPlan`. */
export async function verifyForeign(plan: Plan, target?: Target): Promise<void> {
  const { verifyPlan } = await import('./verify-plan.ts');
  verifyPlan(plan, target);
}

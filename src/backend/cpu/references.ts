/**
 * The reference functions of ops where records came without. Built packages keep references out of the op records, for
 * only the CPU runs them, and bring them along in a copy of `ops/` that nothing loads before it is needed
 * (docs/adr/0014-bundle-sizes.md). The build sends the import below to that copy; in the sources no record lacks its
 * own.
 */

import type { Plan } from '../../compile/plan.ts';
import { type Op, opOfKey } from '../../core/op.ts';
import { invariant } from '../../util/errors.ts';

/** The ops of `plan` whose records came without their reference. */
export function opsWithoutReference(plan: Plan): Op[] {
  const keys = new Set(plan.dispatches.flatMap(({ reference }) => reference.map(({ op }) => op)));
  return [...keys].map(opOfKey).filter((op) => !('cpu' in op));
}

/** Puts the references, and what they are compared by, into the records of `ops`. */
export async function bringReferences(ops: readonly Op[]): Promise<void> {
  const { allOps } = await import('../../ops/index.ts');
  const whole = new Map(allOps.map((op) => [op.name, op]));
  for (const op of ops) {
    const found = whole.get(op.name);
    invariant(found !== undefined, `no reference of op ${op.name}`);
    const { cpu, tolerance } = found;
    Object.assign(op, { cpu, tolerance });
  }
}

/**
 * Which of the two is wrong when a device leaves the reference: the kernel's text, evaluated on the CPU from the same memory, says
 * whether the device does what it was told.
 */

import type { Plan } from '../../compile/plan.ts';
import type { Target } from '../../compile/target.ts';
import { wordsIn } from '../bookkeeping.ts';
import { createEvaluatingBackend } from '../evaluate.ts';
import { type Contents, checkGroup, type DispatchGroup, type Finding } from './dispatch-group.ts';

/** One clause for the error's message. @param finding what the device got wrong; @param target of the device. */
export async function blame(
  group: DispatchGroup,
  plan: Plan,
  before: Contents,
  finding: Finding,
  target: Target,
): Promise<string> {
  let after: Contents;
  try {
    after = await evaluated(group, before, target);
  } catch (error) {
    return `the kernel cannot be evaluated on the CPU: ${error instanceof Error ? error.message : error}`;
  }
  const own = checkGroup(group, plan, before, after);
  if (own === undefined) {
    return 'the kernel evaluated on the CPU agrees with the reference, so the device or its driver is wrong';
  }
  const same = own.what === finding.what && own.element === finding.element;
  const what = same ? `${own.found} there` : `${own.found} for element ${own.element} of ${own.what}`;
  return `the kernel evaluated on the CPU gives ${what}, so the kernel is wrong`;
}

/** What the group's kernels leave in its buffers, in f32. */
async function evaluated({ plan, buffers: ids, written }: DispatchGroup, before: Contents, target: Target) {
  const backend = createEvaluatingBackend({ precision: 'f32', target });
  const buffers = plan.buffers.map((planned) => {
    const buffer = backend.createBuffer(wordsIn(planned), 'u32', planned.label);
    const bits = before.get(ids[planned.id]);
    if (bits !== undefined) backend.write(buffer, bits);
    return buffer;
  });
  const program = await backend.load(plan, buffers);
  program.run();
  const results = await Promise.all(
    written.map(async (id) => [id, (await backend.read(buffers[ids.indexOf(id)], 'u32')) as Uint32Array] as const),
  );
  return new Map(results);
}

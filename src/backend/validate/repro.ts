/**
 * A divergence as a file: the dispatch with its kernels, the memory it started from and its reference steps, so that
 * it can be run again on another device without the model it came from.
 */

import type { Plan } from '../../compile/plan.ts';
import { printModule } from '../../kernel/print.ts';
import type { Contents, DispatchGroup, Finding } from './dispatch-group.ts';

/** Keeps a file for the user and says where. */
export type ReproWriter = (name: string, text: string) => Promise<string>;

/** JSON text. Buffers hold the bits of their elements as hexadecimal words; non-finite numbers are strings. */
export function reproText(plan: Plan, group: DispatchGroup, finding: Finding, before: Contents): string {
  const { dispatch, at, buffers, plan: part } = group;
  return JSON.stringify(
    {
      plan: plan.name,
      dispatch: at,
      label: dispatch.label,
      finding,
      dispatches: part.dispatches.map(({ label, kernel, uniforms, buffers: ids, workgroups }) => {
        return { label, kernel, uniforms, buffers: ids, workgroups };
      }),
      kernels: part.kernels.map(({ module, ...kernel }) => ({ ...kernel, wgsl: printModule(module) })),
      buffers: part.buffers.map(({ id, elements, label }) => {
        const bits = before.get(buffers[id]);
        return { id, elements, label, ...(bits === undefined ? {} : { before: [...bits].map(hex).join(' ') }) };
      }),
      reference: dispatch.reference.map(({ op, attrs, inputs, shape, dtype, output }) => {
        return { op: op.name, attrs, inputs, shape, dtype, output };
      }),
    },
    (_, value) => (typeof value === 'number' && !Number.isFinite(value) ? String(value) : value),
    1,
  );
}

/** `lenet-step-dispatch-7.json`. */
export function reproName(plan: Plan, { at }: DispatchGroup): string {
  const stem = plan.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  return `${stem}-dispatch-${at}.json`;
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0');
}

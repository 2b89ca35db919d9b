/**
 * A plan as text, complete but for the contents of constants: what the goldens store and what a person reads when a
 * kernel is not what was expected. Equal plans give equal text, and no line depends on the one before it, so that a
 * diff of two texts is a diff of two plans.
 */

import { printModule } from '../kernel/print.ts';
import type { Module } from '../kernel/tree.ts';
import { formatShape } from '../util/shape.ts';
import { formatBytes } from '../util/text.ts';
import type { Dispatch, PlacedValue, Plan, PlanKernel } from './plan.ts';

export interface PrintOptions {
  /** Append every kernel, as WGSL or as this function prints it. True when left out. */
  readonly kernels?: boolean | ((module: Module) => string);
}

/** `plan` as lines of text; see the file comment. */
export function printPlan(plan: Plan, { kernels = true }: PrintOptions = {}): string {
  return [
    `plan ${plan.name}: ${countsOf(plan)}`,
    'buffers',
    ...plan.buffers.map(({ id, role, bytes, label }) => `  b${id} ${role} ${bytes} bytes "${label}"`),
    'inputs',
    ...plan.inputs.map((input) => {
      return `  "${input.name}" ${placed(input)} ${input.kind}${input.updated ? ', updated' : ''}`;
    }),
    'outputs',
    ...plan.outputs.map((output) => `  "${output.name}" ${placed(output)}`),
    'dispatches',
    ...plan.dispatches.map((dispatch) => `  ${printDispatch(dispatch, plan.kernels[dispatch.kernel])}`),
    ...(kernels === false
      ? []
      : plan.kernels.map((kernel) => printKernel(kernel, kernels === true ? printModule : kernels))),
  ].join('\n');
}

/** `3 dispatches, 2 kernels, 1.5 KiB own, 640 B bound`. */
export function countsOf({ dispatches, kernels, planBytes, boundBytes }: Plan): string {
  const bytes = `${formatBytes(planBytes)} own, ${formatBytes(boundBytes)} bound`;
  return `${dispatches.length} dispatches, ${kernels.length} kernels, ${bytes}`;
}

/** `k1 [8,1,1] (b0, b2) -> b3 {64, 10} "max+sub+exp dense \"fc1\""`; what is written is behind the arrow. */
function printDispatch({ label, kernel, uniforms, buffers, workgroups }: Dispatch, { access }: PlanKernel): string {
  const bound = (kind: PlanKernel['access'][number]) =>
    buffers.flatMap((id, k) => (access[k] === kind ? [`b${id}`] : [])).join(', ');
  const words = uniforms.map(printWord).join(', ');
  const grid = formatShape(workgroups);
  return `k${kernel} ${grid} (${bound('read')}) -> ${bound('read_write')} {${words}} ${JSON.stringify(label)}`;
}

function printKernel({ id, label, module, workgroupSize }: PlanKernel, print: (module: Module) => string): string {
  return `\n// k${id}: workgroups of ${workgroupSize}, ${JSON.stringify(label)}\n${print(module)}`;
}

/** Counts in decimal; what must be the bits of a float in hexadecimal. */
function printWord(word: number): string {
  return word < 0x0080_0000 ? String(word) : `0x${word.toString(16)}`;
}

function placed({ buffer, offset, shape, dtype }: PlacedValue): string {
  return `${dtype}${formatShape(shape)} b${buffer}${offset === 0 ? '' : `+${offset}`}`;
}

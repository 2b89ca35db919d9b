/**
 * Plans with one broken kernel: what the fuzzer's comparisons must find, or they prove nothing.
 */

import type { Plan } from '../../src/compile/plan.ts';
import { edited, textOf } from '../support/kernels.ts';

/** An index between brackets, which may itself contain `params[0u]`. */
const INDEX = String.raw`\[((?:[^[\]]|\[[^\]]*\])*)\]`;

/** One line of a kernel text made wrong; null where the text has no such line. */
export const MUTATIONS = {
  'a thousandth too large': (wgsl) => edit(wgsl, `^( *b\\d+)${INDEX} = (.+);$`, '$1[$2] = ($3) * 1.001;', isFloat),
  'stored beside its place': (wgsl) => edit(wgsl, `^( *b\\d+)${INDEX} = `, '$1[($2) ^ 1u] = '),
  'read beside its place': (wgsl) => edit(wgsl, `(= .*\\b)(b\\d+)${INDEX}`, '$1$2[($3) + 1u]'),
  'the first element of a reduction left out': (wgsl) => edit(wgsl, String.raw`for \(var r = 0u;`, 'for (var r = 1u;'),
  'the last factor of a run left out': (wgsl) => edit(wgsl, String.raw`kk < stop; kk \+= 1`, 'kk < stop - 1; kk += 1'),
} as const satisfies Record<string, (wgsl: string) => string | null>;

/** `plan` with kernel `k` broken; null where the mutation does not apply. */
export function mutatePlan(plan: Plan, k: number, mutation: keyof typeof MUTATIONS): Plan | null {
  const wgsl = MUTATIONS[mutation](textOf(plan.kernels[k]));
  if (wgsl === null) return null;
  return { ...plan, kernels: plan.kernels.map((kernel) => (kernel.id === k ? edited(kernel, () => wgsl) : kernel)) };
}

function edit(
  wgsl: string,
  pattern: string,
  replacement: string,
  applies: (match: RegExpExecArray, wgsl: string) => boolean = () => true,
): string | null {
  const expression = new RegExp(pattern, 'm');
  const match = expression.exec(wgsl);
  return match !== null && applies(match, wgsl) ? wgsl.replace(expression, replacement) : null;
}

/** True when the store that was found writes floats. */
function isFloat([, binding]: RegExpExecArray, wgsl: string): boolean {
  return wgsl.includes(`read_write> ${binding.trim()}: array<f32>`);
}

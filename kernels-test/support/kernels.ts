/** Kernels of plans as text, and kernels from text, for tests that write or break them. */

import type { PlanKernel } from '../../src/compile/plan.ts';
import { parseModule } from '../../src/kernel/parse.ts';
import { printModule } from '../../src/kernel/print.ts';
import type { Module } from '../../src/kernel/tree.ts';

export function textOf({ module }: { readonly module: Module }): string {
  return printModule(module);
}

export function moduleOf(wgsl: string): Module {
  return parseModule(wgsl, 'the kernel of a test');
}

/** `kernel` with its text changed. */
export function edited(kernel: PlanKernel, change: (wgsl: string) => string): PlanKernel {
  return { ...kernel, module: moduleOf(change(textOf(kernel))) };
}

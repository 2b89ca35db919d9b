/**
 * A backend that runs plans on the CPU by their kernels: the evaluator runs the very WGSL that a GPU would get, fused,
 * joined and tiled, in f64 or f32 and without a device. So a wrong kernel is told from a wrong driver.
 *
 * It is the CPU backend with its memory and rules, but for who computes a dispatch. Slow: for tests and VALIDATE=1.
 */

import type { PlacedValue, Plan, PlanKernel } from '../compile/plan.ts';
import { SOFTWARE_TARGET, type Target } from '../compile/target.ts';
import { type CpuData, isFloat, type Precision } from '../core/dtype.ts';
import { checkModule } from '../kernel/check.ts';
import { EvaluatedKernel } from '../kernel/evaluate/index.ts';
import { printModule } from '../kernel/print.ts';
import { DownhillError } from '../util/errors.ts';
import type { DispatchSite, Executor } from './cpu/program.ts';
import { CpuBackend } from './cpu.ts';

export interface EvaluatingOptions {
  readonly precision: Precision;
  /** What plans are made for, subgroups included; WebGPU's defaults on a software adapter when left out. */
  readonly target?: Target;
  /**
   * Compares every dispatch with the references of its ops, started from the same memory, and throws where they differ
   * by more than this part of the largest value of the result; whole numbers must be equal.
   */
  readonly agreeing?: { readonly relative: number };
}

/**
 * @throws DownhillError `internal` from `run`, for an index outside of a buffer, or where kernel and reference differ.
 */
export function createEvaluatingBackend({ target = SOFTWARE_TARGET, ...options }: EvaluatingOptions): CpuBackend {
  return new EvaluatingBackend(options, target);
}

class EvaluatingBackend extends CpuBackend {
  override readonly description: string;

  constructor(options: EvaluatingOptions, target: Target) {
    super(options.precision, target, evaluatingExecutor(options, target.subgroupSize ?? 1));
    this.description = `CPU (kernels evaluated in ${options.precision})`;
  }
}

function evaluatingExecutor({ precision, agreeing }: EvaluatingOptions, subgroupSize: number): Executor {
  const kernels = new Map<string, EvaluatedKernel>();
  const compiled = ({ module, label }: PlanKernel) => {
    const text = printModule(module);
    const known = kernels.get(text);
    if (known !== undefined) return known;
    const made = new EvaluatedKernel(checkModule(module, `kernel "${label}"`), label, { precision, subgroupSize });
    kernels.set(text, made);
    return made;
  };
  return (site) => {
    const { uniforms, workgroups, kernel: id, buffers } = site.plan.dispatches[site.at];
    const kernel = compiled(site.plan.kernels[id]);
    // Asked for now: a buffer's contents are set for the types that somebody looks at.
    const storage = buffers.map((buffer, k) => site.whole(buffer, kernel.bindings[k]));
    const run = () => {
      try {
        kernel.run({ uniforms, storage, workgroups });
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        throw new DownhillError('internal', `${nameOf(site.plan, site.at)} reads or writes ${error.message}`);
      }
    };
    return agreeing === undefined ? run : () => compare(site, run, agreeing.relative);
  };
}

const nameOf = ({ name, dispatches }: Plan, at: number) => `"${name}", dispatch ${at} "${dispatches[at].label}"`;

/**
 * The attributes with the constants that kernels get: the uniform block holds f32, so 0.1 is 0.100000001 there, which
 * f64 tells apart. (An op that computes a constant of two attributes rounds once, after it: both ways are right.)
 */
function storedConstants(attrs: unknown): unknown {
  if (typeof attrs === 'number') return Number.isInteger(attrs) ? attrs : Math.fround(attrs);
  if (Array.isArray(attrs)) return attrs.map(storedConstants);
  if (attrs === null || typeof attrs !== 'object') return attrs;
  return Object.fromEntries(Object.entries(attrs).map(([key, each]) => [key, storedConstants(each)]));
}

/** Runs the dispatch both ways from the same memory. @throws DownhillError `internal` when they differ. */
function compare(site: DispatchSite, run: () => void, relative: number): void {
  const { plan, at } = site;
  const results = plan.dispatches[at].reference.flatMap(({ op, output }) =>
    output === undefined ? [] : [{ op, output }],
  );
  const stored = () => results.map(({ output }) => site.view(output).data.slice());
  const restore = (contents: readonly CpuData[]) => {
    results.forEach(({ output }, k) => {
      site.view(output).data.set(contents[k]);
    });
  };
  const before = stored();
  run();
  const found = stored();
  const differences = [storedConstants, (attrs: unknown) => attrs].map((attributes) => {
    restore(before);
    site.references(attributes);
    const expected = stored();
    for (const [k, { op, output }] of results.entries()) {
      const element = firstDifference(found[k], expected[k], output, relative);
      if (element !== undefined) return { element, op, found: found[k][element], expected: expected[k][element] };
    }
    return undefined;
  });
  restore(found);
  const [first, second] = differences;
  if (first === undefined || second === undefined) return;
  throw new DownhillError(
    'internal',
    `${nameOf(plan, at)}: element ${first.element} of ${first.op} is ${first.found} by the kernel, ` +
      `${first.expected} by the reference`,
  );
}

function firstDifference(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  { dtype }: PlacedValue,
  relative: number,
): number | undefined {
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    if (Number.isFinite(expected[i])) largest = Math.max(largest, Math.abs(expected[i]));
  }
  const accepted = isFloat(dtype) ? relative * largest : 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [found[i], expected[i]];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b)) || Math.abs(a - b) <= accepted) continue;
    return i;
  }
  return undefined;
}

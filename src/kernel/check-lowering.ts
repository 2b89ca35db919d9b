/**
 * Checks the WGSL of an op's record for one call, without a kernel around it: every snippet is parsed and typed as the
 * compiler will use it, so that an unknown name or a wrong type is said with the op's name and not with a kernel's.
 *
 * For tests and tools; nothing on a page needs it.
 */

import { type DType, storageType } from '../core/dtype.ts';
import type { Contraction, EmitContext, IndexContext, ReduceLowering } from '../core/lowering.ts';
import type { Aval, Op } from '../core/tensor.ts';
import { readModule } from './check.ts';
import type { Module } from './tree.ts';

/**
 * The module that the snippets of `op` make for operands `inputs`; null where the record has none (views, composites).
 * @param library the text of `shaders/<name>.wgsl`. @throws DownhillError `internal` that names the op and the line.
 */
export function checkLowering(
  op: Op,
  inputs: readonly Aval[],
  attrs: unknown,
  library: (name: string) => string,
): Module | null {
  const output = op.infer(inputs, attrs);
  const libraries = new Set<string>();
  let words = 0;
  const word = () => `words[${words++ % WORDS}]`;
  const context: EmitContext<unknown> = {
    ...{ attrs, inputs, output, count: word, size: word },
    scalar: () => `bitcast<f32>(${word()})`,
    use: (name) => libraries.add(name),
  };
  const text = textOf(op, context);
  if (text === null) return null;
  const loads = inputs.map(({ dtype }, k) => `fn load_${k}(i: u32) -> ${dtype} { return ${zero(dtype)}; }`);
  const head = `var<private> words: array<u32, ${WORDS}>;`;
  // The snippets come first, so that lines count from theirs.
  return readModule([text, head, ...loads, ...[...libraries].map(library)].join('\n'), `op "${op.name}"`);
}

/** Uniform words of a snippet; more share them. */
const WORDS = 64;

function zero(dtype: DType): string {
  return dtype === 'bool' ? 'false' : `${storageType(dtype)}(0)`;
}

function textOf({ lower }: Op, context: EmitContext<unknown>): string | null {
  const { inputs, output } = context;
  switch (lower.kind) {
    case 'map': {
      const names = inputs.map((_, k) => `x${k}`);
      const parameters = inputs.map(({ dtype }, k) => `x${k}: ${dtype}`).join(', ');
      return `fn value(${parameters}) -> ${output.dtype} { return ${lower.wgsl(names, context)}; }`;
    }
    case 'index': {
      const index: IndexContext<unknown> = { ...context, i: 'i', load: (k, at) => `load_${k}(${at})` };
      return `fn value(i: u32) -> ${output.dtype} { ${lower.wgsl(index)} }`;
    }
    case 'reduce':
      return reduction(lower, context);
    case 'contract':
      return contraction(lower.contraction(inputs, output, context.attrs), context);
    default:
      return null;
  }
}

function reduction({ chain, runs }: ReduceLowering<unknown>, context: EmitContext<unknown>): string {
  const { inputs, output } = context;
  const [element, result] = [inputs[0].dtype, output.dtype];
  const parts: string[] = [];
  if (chain !== undefined) {
    const state = chain.state(context);
    const finish = chain.finish?.('acc', 'count', context) ?? 'acc';
    parts.push(
      `fn chain_init() -> ${state} { return ${chain.init(context)}; }`,
      `fn chain_step(acc: ${state}, x: ${element}, r: u32) -> ${state} {`,
      `  return ${chain.step('acc', 'x', 'r', context)};`,
      '}',
      `fn chain_finish(acc: ${state}, count: u32) -> ${result} { return ${finish}; }`,
    );
    if (chain.merge !== null) {
      parts.push(`fn chain_merge(a: ${state}, b: ${state}) -> ${state} { return ${chain.merge('a', 'b', context)}; }`);
    }
  }
  if (runs !== undefined && inputs[0].dtype === 'f32') {
    context.use(runs.library);
    const { state, run } = runs;
    const place = { turn: 'turn', before: 'before', count: 'count' };
    const at = 'turn: u32, before: u32, count: u32';
    const [step, close] = [runs.step('run', 'x', 'acc'), runs.close('acc', 'run', place)];
    const words = runs.words('acc');
    parts.push(
      `fn runs_init() -> ${state} { return ${runs.init}; }`,
      `fn run_init() -> ${run.state} { return ${run.init}; }`,
      `fn runs_step(run: ${run.state}, x: ${element}, acc: ${state}) -> ${run.state} { return ${step}; }`,
      `fn runs_close(acc: ${state}, run: ${run.state}, ${at}) -> ${state} { return ${close}; }`,
      ...words.map((word, k) => `fn runs_word_${k}(acc: ${state}) -> f32 { return ${word}; }`),
      `fn runs_restore(acc: ${state}) -> ${state} { return ${runs.restore(words)}; }`,
      `fn runs_merge(acc: ${state}, chunk: ${state}, ${at}) -> ${state} {`,
      `  return ${runs.merge('acc', 'chunk', place)};`,
      '}',
      `fn runs_finish(acc: ${state}, count: u32) -> ${result} { return ${runs.finish('acc', 'count')}; }`,
    );
  }
  return parts.join('\n');
}

function contraction(spec: Contraction, context: EmitContext<unknown>): string {
  return `struct Run { base: i32, lo: i32, hi: i32 }
fn row(m: u32, product: u32) -> vec3i { ${spec.row(context)} }
fn segment(s: u32) -> vec3i { ${spec.segment(context)} }
fn a_run(r: vec3i, s: vec3i) -> Run { ${spec.aRun(context)} }
fn b_base(n: u32, s: vec3i, product: u32) -> i32 { ${spec.bBase(context)} }
fn out_row(m: u32) -> u32 { ${spec.outRow?.(context) ?? 'return m;'} }`;
}

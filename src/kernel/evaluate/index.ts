/**
 * The evaluator: runs a checked kernel on the CPU, in f64 or f32, invocation by invocation. Written to be read and to
 * be right: an index outside of a buffer is an error here, where WebGPU would read something else.
 *
 * Kernels become JavaScript functions (`new Function`), which a page with a strict content policy refuses: this is for
 * tests and for VALIDATE=1. Invocations that meet (barriers, subgroups) are generators that run in step.
 */

import { DownhillError } from '../../util/errors.ts';
import { builtin } from '../builtins.ts';
import { constantOf } from '../constants.ts';
import type { FunctionTree, Module, Variable } from '../tree.ts';
import { calledBy } from '../walk.ts';
import { EXACT } from './exact.ts';
import { expressionText, type Writing, zeroText } from './expressions.ts';
import { Names } from './names.ts';
import { runtime } from './runtime.ts';
import { functionText } from './statements.ts';

export interface EvaluatorOptions {
  readonly precision: 'f32' | 'f64';
  /** Invocations of a subgroup. */
  readonly subgroupSize: number;
}

/** What a storage binding reads and writes: by its WGSL type, f32 as wide as the evaluator computes. */
export type Storage = Float64Array | Float32Array | Uint32Array | Int32Array;

export interface Launch {
  /** Words of the uniform block. */
  readonly uniforms: readonly number[];
  /** In the order of the bindings, from binding 1. */
  readonly storage: readonly Storage[];
  readonly workgroups: readonly [number, number, number];
}

/** One invocation's copy of the kernel: its private variables, and the entry point. */
interface Instance {
  bind(uniforms: readonly number[][], storage: readonly Storage[]): void;
  /** Private variables to zero; workgroup memory shared with others. */
  reset(shared: Readonly<Record<string, unknown>>): void;
  main(...args: unknown[]): Generator<Meeting, void, unknown> | undefined;
}

/** What an invocation hands over where all meet. */
type Meeting = readonly [kind: 'barrier' | 'broadcast' | 'min' | 'max' | 'add', value?: number, lane?: number];

export class EvaluatedKernel {
  /** Types of the storage bindings, from binding 1. */
  readonly bindings: readonly ('f32' | 'i32' | 'u32')[];
  readonly #make: () => Instance;
  readonly #main: FunctionTree;
  readonly #pausing: boolean;
  readonly #size: number;
  readonly #shared: readonly { readonly name: string; zero(): unknown }[];

  /** @param module checked. @throws DownhillError `internal` when it has no entry point. */
  constructor(
    module: Module,
    where: string,
    private readonly options: EvaluatorOptions,
  ) {
    const main = module.declarations.find(
      (each): each is FunctionTree => each.kind === 'function' && each.workgroupSize !== null,
    );
    if (main === undefined) throw new DownhillError('internal', `${where} has no entry point`);
    this.#main = main;
    this.#size = workgroupSize(main, module);
    const pausing = pausingFunctions(module);
    this.#pausing = pausing.has(main.name);
    const variables = module.declarations.filter((each): each is Variable => each.kind === 'variable');
    const bound = variables
      .filter(({ space }) => space === 'storage')
      .sort((a, b) => Number(a.binding) - Number(b.binding));
    this.bindings = bound.map(({ type }) => (type as { element: { name: 'f32' | 'i32' | 'u32' } }).element.name);
    this.#shared = variables
      .filter(({ space }) => space === 'workgroup')
      .map(({ name, type }) => ({ name, zero: new Function(`return ${zeroText(type)}`) as () => unknown }));
    const text = moduleText(module, main, pausing, bound, variables, options.precision);
    const factory = new Function('r', 'f', 'exact', text) as (r: unknown, f: unknown, exact: unknown) => Instance;
    this.#make = () => factory(runtime, runtime.functions, EXACT);
  }

  /** Runs all workgroups. @throws RangeError for an index outside of a buffer. */
  run({ uniforms, storage, workgroups }: Launch): void {
    const block: number[][] = [];
    for (let k = 0; k < uniforms.length; k += 4) block.push(uniforms.slice(k, k + 4));
    const lanes = Array.from({ length: this.#pausing ? this.#size : 1 }, this.#make);
    for (const lane of lanes) lane.bind(block, storage);
    const [width, height, depth] = workgroups;
    for (let z = 0; z < depth; z++) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) this.#workgroup([x, y, z], workgroups, lanes);
      }
    }
  }

  #workgroup(group: readonly number[], groups: readonly number[], instances: readonly Instance[]): void {
    const shared = Object.fromEntries(this.#shared.map(({ name, zero }) => [name, zero()]));
    const running: (Generator<Meeting, void, unknown> | null)[] = [];
    for (let lane = 0; lane < this.#size; lane++) {
      const instance = instances[this.#pausing ? lane : 0];
      instance.reset(shared);
      const args = this.#main.parameters.map(({ builtin: name }) => this.#entryValue(name, lane, group, groups));
      running.push(instance.main(...args) ?? null);
    }
    if (this.#pausing) this.#inStep(running);
  }

  #entryValue(name: string | null, lane: number, group: readonly number[], groups: readonly number[]): unknown {
    switch (name) {
      case 'workgroup_id':
        return [...group];
      case 'num_workgroups':
        return [...groups];
      case 'local_invocation_id':
        return [lane, 0, 0];
      case 'global_invocation_id':
        return [group[0] * this.#size + lane, group[1], group[2]];
      case 'subgroup_invocation_id':
        return lane % this.options.subgroupSize;
      case 'subgroup_size':
        return this.options.subgroupSize;
      default:
        return lane;
    }
  }

  /** Lets all invocations of a workgroup run from one meeting to the next. */
  #inStep(running: (Generator<Meeting, void, unknown> | null)[]): void {
    let answers: unknown[] = running.map(() => undefined);
    while (running.some((lane) => lane !== null)) {
      const meetings = running.map((lane, k): Meeting | null => {
        const step = lane?.next(answers[k]);
        if (step !== undefined && !step.done) return step.value;
        running[k] = null;
        return null;
      });
      const kinds = new Set(meetings.flatMap((meeting) => (meeting === null ? [] : [meeting[0]])));
      if (kinds.size > 1) throw new DownhillError('internal', `invocations meet at ${[...kinds].join(' and ')}`);
      answers = [...kinds][0] === 'barrier' ? [] : this.#exchanged(meetings);
    }
  }

  /** What each invocation gets back from its subgroup. */
  #exchanged(meetings: readonly (Meeting | null)[]): unknown[] {
    const answers: unknown[] = [];
    for (let first = 0; first < meetings.length; first += this.options.subgroupSize) {
      const subgroup = meetings.slice(first, first + this.options.subgroupSize);
      const values = subgroup.flatMap((meeting) => (meeting === null ? [] : [meeting[1] as number]));
      const kind = subgroup.find((meeting) => meeting !== null)?.[0];
      for (const meeting of subgroup) {
        if (meeting === null) answers.push(undefined);
        else if (kind === 'broadcast') answers.push(broadcast(subgroup, meeting[2] as number));
        else if (kind === 'add') answers.push(values.reduce((sum, value) => sum + value, 0));
        else answers.push(kind === 'min' ? Math.min(...values) : Math.max(...values));
      }
    }
    return answers;
  }
}

function broadcast(subgroup: readonly (Meeting | null)[], from: number): unknown {
  const source = subgroup[from];
  if (!source) throw new DownhillError('internal', `broadcast from invocation ${from}, which does not take part`);
  return source[1];
}

function workgroupSize(main: FunctionTree, module: Module): number {
  const values = new Map(
    module.declarations.flatMap((each) => (each.kind === 'constant' ? [[each.name, each.value] as const] : [])),
  );
  const lookUp = (name: string): number | boolean | undefined => {
    const value = values.get(name);
    return value === undefined ? undefined : constantOf(value, lookUp);
  };
  return Number(main.workgroupSize === null ? 1 : constantOf(main.workgroupSize, lookUp));
}

/** Functions in which an invocation may wait for others, and those that call them. */
function pausingFunctions(module: Module): Set<string> {
  const functions = module.declarations.filter((each): each is FunctionTree => each.kind === 'function');
  const pausing = new Set<string>();
  for (let before = -1; before !== pausing.size; ) {
    before = pausing.size;
    for (const { name, body } of functions) {
      const called = calledBy(body);
      if ([...called].some((callee) => pausing.has(callee) || builtin(callee)?.collective !== undefined))
        pausing.add(name);
    }
  }
  return pausing;
}

function moduleText(
  module: Module,
  main: FunctionTree,
  pausing: ReadonlySet<string>,
  bound: readonly Variable[],
  variables: readonly Variable[],
  precision: 'f32' | 'f64',
): string {
  const names = new Names(null);
  const writing: Writing = { precision, names, pausing };
  for (const each of module.declarations) if (each.kind !== 'struct') names.declare(each.name);
  const lines = ['"use strict"; const { fround, imul } = Math; const { within } = r;'];
  for (const each of module.declarations) {
    if (each.kind === 'constant')
      lines.push(`const ${names.find(each.name)} = ${expressionText(each.value, writing)};`);
    if (each.kind === 'variable') lines.push(`let ${names.find(each.name)};`);
    if (each.kind === 'function') lines.push(functionText(each, writing));
  }
  const block = variables.find(({ space }) => space === 'uniform');
  const binds = [
    // An array of vectors, or a single one.
    ...(block === undefined
      ? []
      : [`${names.find(block.name)} = uniforms${block.type.kind === 'vector' ? '[0]' : ''};`]),
    ...bound.map(({ name }, k) => `${names.find(name)} = storage[${k}];`),
  ];
  const resets = variables.flatMap(({ space, name, type, value }) => {
    const start = value === null ? zeroText(type) : expressionText(value, writing);
    if (space === 'private') return [`${names.find(name)} = ${start};`];
    return space === 'workgroup' ? [`${names.find(name)} = shared.${name};`] : [];
  });
  lines.push(
    'return {',
    `bind(uniforms, storage) { ${binds.join(' ')} },`,
    `reset(shared) { ${resets.join(' ')} },`,
    `main: ${names.find(main.name)},`,
    '};',
  );
  return lines.join('\n');
}

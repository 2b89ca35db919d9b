/**
 * KernelWriter: the functions, the uniform block and the bindings of one kernel while it is being written.
 *
 * Names are numbered in the order of first use and never taken from a tensor, and sizes that vary go through the
 * uniform block: two kernels of the same structure are equal, hence one pipeline.
 */

import type { DType } from '../../core/dtype.ts';
import { storageType } from '../../core/dtype.ts';
import type { Declaration } from '../../kernel/tree.ts';
import type { Location, PlanLimits } from '../plan.ts';
import { storageBinding, uniformBlock } from './bindings.ts';
import { shaderTree } from './shader-trees.ts';
import { uniformWord } from './uniforms.ts';

interface Binding {
  readonly buffer: number;
  readonly type: 'f32' | 'i32' | 'u32';
  written: boolean;
}

export class KernelWriter {
  readonly uniforms: number[] = [];
  private readonly bindings: Binding[] = [];
  private readonly functions: Declaration[] = [];
  private readonly libraries = new Set<string>();
  private names = 0;

  /** @param scalarBuffer its binding is declared u32, because scalars of several types share it. */
  constructor(
    private readonly scalarBuffer: number | null,
    readonly limits: PlanLimits,
  ) {}

  /** A fresh identifier. */
  name(prefix: string): string {
    const name = `${prefix}${this.names++}`;
    // Types of WGSL: a function of that name would call itself wherever the type is meant.
    return name === 'f16' || name === 'f32' ? this.name(prefix) : name;
  }

  /** u32 expression that reads `value` from the uniform block. */
  count(value: number): string {
    this.uniforms.push(value >>> 0);
    return uniformWord(this.uniforms.length - 1, this.limits);
  }

  /** u32 expression for an inner extent, see EmitContext. */
  size(value: number): string {
    return this.limits.adapterClass === 'gpu' ? `${value}u` : this.count(value);
  }

  /** f32 expression that reads `value`, rounded to f32, from the uniform block. */
  scalar(value: number): string {
    return `bitcast<f32>(${this.count(new Uint32Array(new Float32Array([value]).buffer)[0])})`;
  }

  /** Adds the library `shaders/<name>.wgsl`. */
  use(name: string): void {
    this.libraries.add(name);
  }

  addFunctions(declarations: readonly Declaration[]): void {
    this.functions.push(...declarations);
  }

  /** Expression of type `dtype` for element `index` of the value at `location`, plus `shift` elements. */
  load(location: Location, dtype: DType, index: string, shift = 0): string {
    const binding = this.bind(location.buffer, dtype, false);
    const element = `${this.bindingName(binding)}[${this.shifted(index, location.offset + shift)}]`;
    if (dtype === 'bool') return `(${element} != 0u)`;
    return binding.type === storageType(dtype) ? element : `bitcast<${dtype}>(${element})`;
  }

  /** Statement that stores `value` of type `dtype` as element `index` of the value at `location`. */
  store(location: Location, dtype: DType, index: string, value: string): string {
    const binding = this.bind(location.buffer, dtype, true);
    const word = dtype === 'bool' ? `select(0u, 1u, ${value})` : value;
    const converted = binding.type === storageType(dtype) ? word : `bitcast<${binding.type}>(${word})`;
    return `${this.bindingName(binding)}[${this.shifted(index, location.offset)}] = ${converted};`;
  }

  get buffers(): number[] {
    return this.bindings.map((binding) => binding.buffer);
  }

  get access(): ('read' | 'read_write')[] {
    return this.bindings.map((binding) => (binding.written ? 'read_write' : 'read'));
  }

  /** Words of the uniform block, padded to whole vec4s. */
  get uniformWords(): number[] {
    const words = [...this.uniforms];
    while (words.length === 0 || words.length % 4 !== 0) words.push(0);
    return words;
  }

  /** Declarations of the uniform block and of the storage bindings. */
  declarations(): Declaration[] {
    return [
      uniformBlock(this.uniformWords.length),
      ...this.bindings.map(({ type, written }, k) => storageBinding(k, type, written ? 'read_write' : 'read')),
    ];
  }

  /** Libraries first, then the functions in the order they were finished. */
  helpers(): Declaration[] {
    return [...[...this.libraries].flatMap((name) => shaderTree(name, this.limits).declarations), ...this.functions];
  }

  private bind(buffer: number, dtype: DType, write: boolean): Binding {
    let binding = this.bindings.find((candidate) => candidate.buffer === buffer);
    if (binding === undefined) {
      binding = { buffer, type: buffer === this.scalarBuffer ? 'u32' : storageType(dtype), written: false };
      this.bindings.push(binding);
    }
    binding.written ||= write;
    return binding;
  }

  private bindingName(binding: Binding): string {
    return `b${this.bindings.indexOf(binding)}`;
  }

  private shifted(index: string, offset: number): string {
    return offset === 0 ? index : `${index} + ${this.count(offset)}`;
  }
}

/**
 * StepProgram: a step's graph, compiled and loaded, with its scalar block. A run fills in the scalars by name, submits,
 * and creates nothing.
 */

import type { Backend, BackendBuffer, OutputRecord, Program } from '../../backend/backend.ts';
import { wordsIn } from '../../backend/bookkeeping.ts';
import type { DispatchTime } from '../../backend/profile.ts';
import { compileGraph } from '../../compile/index.ts';
import type { Plan, PlanInput } from '../../compile/plan.ts';
import type { TypedArray } from '../../core/dtype.ts';
import type { GraphSpec } from '../../core/graph.ts';
import { invariant } from '../../util/errors.ts';
import { sizeOf } from '../../util/shape.ts';

/** Values of scalar inputs by name; more may be given than a step uses. */
export type ScalarValues = ReadonlyMap<string, readonly number[]>;

export class StepProgram {
  private readonly block: Uint32Array | undefined;
  private readonly floats: Float32Array | undefined;
  private readonly scalars: readonly PlanInput[];
  private disposed = false;

  private constructor(private readonly program: Program) {
    const { buffers, inputs } = program.plan;
    const block = buffers.find(({ role }) => role === 'scalars');
    const elements = block && wordsIn(block);
    this.block = elements === undefined ? undefined : new Uint32Array(elements);
    this.floats = this.block && new Float32Array(this.block.buffer);
    this.scalars = inputs.filter(({ kind }) => kind === 'scalar');
  }

  /**
   * @param buffers the buffer of each bound input, by name; more may be given than the step uses.
   * @throws DownhillError as `compileGraph` and `Backend.load` do.
   */
  static async load(
    backend: Backend,
    spec: GraphSpec,
    buffers: ReadonlyMap<string, BackendBuffer>,
    onProgress?: (built: number, total: number) => void,
  ): Promise<StepProgram> {
    const plan = compileGraph(spec, backend.target);
    return new StepProgram(await backend.load(plan, boundBuffers(plan, buffers), onProgress));
  }

  get plan(): Plan {
    return this.program.plan;
  }

  /** Submits one step. @throws DownhillError `device-lost` when the device is gone. */
  run(values: ScalarValues, records?: readonly OutputRecord[]): void {
    for (const input of this.scalars) this.fill(input, values.get(input.name));
    this.program.run(this.block, records);
  }

  /**
   * Device time of each dispatch of a step; each of the `runs` updates what the step updates. @throws as
   * `profileProgram`.
   */
  async profile(values: ScalarValues, runs: number): Promise<DispatchTime[]> {
    const { profileProgram } = await import('../../backend/profile.ts');
    for (const input of this.scalars) this.fill(input, values.get(input.name));
    return profileProgram(this.program, { runs, ...(this.block && { scalars: this.block }) });
  }

  /** Positions of the outputs `names`, for records. */
  outputIndices(names: readonly string[]): number[] {
    return names.map((name) => {
      const index = this.plan.outputs.findIndex((output) => output.name === name);
      invariant(index >= 0, `program "${this.plan.name}" has no output "${name}"`);
      return index;
    });
  }

  /** The outputs `names` as they are after the runs so far. */
  read(names: readonly string[]): Promise<(TypedArray | Float64Array)[]> {
    return Promise.all(this.outputIndices(names).map((index) => this.program.read(index)));
  }

  dispose(): void {
    if (!this.disposed) this.program.dispose();
    this.disposed = true;
  }

  private fill({ name, offset, shape, dtype }: PlanInput, values: readonly number[] | undefined): void {
    invariant(values?.length === sizeOf(shape), `program "${this.plan.name}": scalar "${name}" has no value`);
    const target = dtype === 'f32' ? this.floats : this.block;
    target?.set(values, offset);
  }
}

/** The buffers of `plan`'s bound inputs, in the order in which `load` takes them. */
function boundBuffers(plan: Plan, buffers: ReadonlyMap<string, BackendBuffer>): BackendBuffer[] {
  return plan.buffers
    .filter(({ role }) => role === 'bound')
    .map(({ id }) => {
      const input = plan.inputs.find(({ kind, buffer }) => kind === 'bound' && buffer === id);
      const found = input === undefined ? undefined : buffers.get(input.name);
      invariant(found !== undefined, `program "${plan.name}": nothing to bind as "${input?.name}"`);
      return found;
    });
}

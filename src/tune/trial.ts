/**
 * Trial: a candidate's kernels on the device, over values that all candidates of a contraction share: how long they take,
 * and what they give.
 */

import type { Backend, BackendBuffer, Program } from '../backend/backend.ts';
import { scalarBlock, wordsIn } from '../backend/bookkeeping.ts';
import { timeRuns } from '../backend/time-runs.ts';
import type { PlacedValue, Plan, PlanInput } from '../compile/plan.ts';
import type { TypedArray } from '../core/dtype.ts';
import { Prng } from '../util/prng.ts';

/** Values of a contraction's inputs on the device: the same for every candidate, because so are the inputs. */
export class TrialInputs {
  private readonly buffers: readonly { input: PlanInput; data: TypedArray; buffer: BackendBuffer }[];

  /** @param plan any candidate's. */
  constructor(
    private readonly backend: Backend,
    plan: Plan,
  ) {
    const random = new Prng(1);
    this.buffers = plan.buffers
      .filter(({ role }) => role === 'bound')
      .map((planned) => {
        const elements = wordsIn(planned);
        const input = plan.inputs.find(({ kind, buffer }) => kind === 'bound' && buffer === planned.id)!;
        const buffer = backend.createBuffer(elements, input.dtype, input.name);
        return { input, buffer, data: valuesOf(input, elements, random) };
      });
    this.reset(() => true);
  }

  get bound(): readonly BackendBuffer[] {
    return this.buffers.map(({ buffer }) => buffer);
  }

  /** Undoes what runs have changed. */
  reset(which: (input: PlanInput) => boolean = ({ updated }) => updated): void {
    for (const { input, data, buffer } of this.buffers) if (which(input)) this.backend.write(buffer, data);
  }

  dispose(): void {
    for (const { buffer } of this.buffers) buffer.dispose();
  }
}

/** Floats in [-1, 1]; whole numbers are mostly indices, of which 0 is always one. */
function valuesOf({ dtype }: PlanInput, elements: number, random: Prng): TypedArray {
  if (dtype === 'i32') return new Int32Array(elements);
  if (dtype !== 'f32') return new Uint32Array(elements);
  return Float32Array.from({ length: elements }, () => random.between(-1, 1));
}

export class Trial {
  private constructor(
    private readonly backend: Backend,
    private readonly program: Program,
    private readonly inputs: TrialInputs,
    private readonly scalars: Uint32Array | undefined,
  ) {}

  /** @throws DownhillError as `Backend.load`, when the device refuses the candidate. */
  static async load(backend: Backend, plan: Plan, inputs: TrialInputs): Promise<Trial> {
    const block = scalarBlock(plan);
    const words = block && wordsIn(block);
    const program = await backend.load(plan, inputs.bound);
    return new Trial(backend, program, inputs, words === undefined ? undefined : new Uint32Array(words));
  }

  /** Milliseconds of one run, from `runs` in one pass. */
  time(runs: number): Promise<number> {
    return timeRuns(this.backend, this.program, runs, this.scalars);
  }

  /** All that one run writes, from the inputs as they were at first. */
  async results(): Promise<ArrayLike<number>[]> {
    const { plan } = this.program;
    this.inputs.reset();
    this.program.run(this.scalars);
    return Promise.all(
      writtenBy(plan).map((value) => {
        const output = plan.outputs.findIndex(({ buffer }) => buffer === value.buffer);
        if (output >= 0) return this.program.read(output);
        const bound = plan.buffers.filter(({ role }) => role === 'bound').findIndex(({ id }) => id === value.buffer);
        const elements = value.shape.reduce((a, b) => a * b, 1);
        return this.backend.read(this.inputs.bound[bound], value.dtype, value.offset, elements);
      }),
    );
  }

  dispose(): void {
    this.program.dispose();
  }
}

/** Where the plan leaves its results. */
function writtenBy(plan: Plan): PlacedValue[] {
  const kept = (id: number) => plan.buffers[id].role !== 'temporary';
  return plan.dispatches
    .flatMap(({ reference }) => reference.flatMap(({ output }) => output ?? []))
    .filter(({ buffer }) => kept(buffer));
}

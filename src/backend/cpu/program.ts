/**
 * A plan on the CPU. Views into the plan's buffers and the places of all results are worked out once at load; a run calls
 * the reference functions in order.
 *
 * Invariant: no step of a dispatch sees an output of that dispatch in place of an input. A result whose place overlaps an
 * input that is still to be read goes to scratch memory first, and to its place when the dispatch has ended.
 */

import type { Dispatch, PlacedValue, Plan, PlanBuffer, ReferenceStep } from '../../compile/plan.ts';
import { type CpuData, isFloat, type Precision, type TypedArray } from '../../core/dtype.ts';
import { type CpuTensor, type Op, opOfKey } from '../../core/op.ts';
import { DownhillError, invariant } from '../../util/errors.ts';
import { sizeOf } from '../../util/shape.ts';
import type { BackendBuffer, BackendCounters, OutputRecord, Program } from '../backend.ts';
import { checkBoundAlive, checkScalars, pairBound, scalarBlock, wordsIn } from '../bookkeeping.ts';
import { checkRange, toDeviceBits } from '../host-data.ts';
import { CpuBuffer, ownCpuBuffer } from './memory.ts';

interface PreparedStep {
  readonly op: Op;
  readonly attrs: unknown;
  readonly inputs: readonly CpuTensor[];
  readonly output: CpuTensor;
  /** Where the result belongs in the plan; undefined when only later steps read it. */
  readonly place: PlacedValue | undefined;
  /** View of `place` when `output` is scratch. */
  readonly target: CpuTensor | undefined;
}

/** Where one dispatch runs: its place in the plan, the plan's memory, and the references that stand for it. */
export interface DispatchSite {
  readonly plan: Plan;
  readonly at: number;
  /** The whole of a plan buffer as elements of a type. */
  whole(buffer: number, type: 'f32' | 'i32' | 'u32'): CpuData;
  /** A placed value. */
  view(value: PlacedValue): CpuTensor;
  /** Computes the results by the ops' references and stores them. @param attributes what the ops get for their attributes. */
  references(attributes?: (attrs: unknown) => unknown): void;
}

/** Makes the work of one dispatch; the CPU backend runs `references` when nobody else does. */
export type Executor = (site: DispatchSite) => () => void;

export class CpuProgram implements Program {
  readonly loadMs: number;
  readonly outputs: readonly CpuBuffer[];
  readonly #buffers: Map<number, CpuBuffer>;
  readonly #owned: CpuBuffer[] = [];
  readonly #scalars: PlanBuffer | undefined;
  #dispatches: readonly (() => void)[];
  readonly #scratch: CpuBuffer;
  #disposed = false;

  constructor(
    readonly plan: Plan,
    private bound: readonly CpuBuffer[],
    private readonly counters: BackendCounters,
    private readonly precision: Precision,
    private readonly assertBackend: () => void,
    private readonly executor: Executor = (site) => () => site.references(),
  ) {
    const start = performance.now();
    this.#buffers = pairBound(plan, bound);
    for (const buffer of plan.buffers) {
      if (buffer.role !== 'bound') this.#buffers.set(buffer.id, this.#own(wordsIn(buffer), buffer.label));
    }
    this.#scratch = this.#own(Math.max(0, ...plan.dispatches.map(scratchElements)), 'scratch');
    this.#dispatches = this.#link();
    this.outputs = plan.outputs.map((output) => {
      this.#view(output);
      return this.#buffer(output.buffer);
    });
    // Contents come last: by now each buffer has the planes that its readers look at.
    for (const { id, data } of plan.buffers) {
      if (data !== undefined) this.#buffer(id).setBits(toDeviceBits(data));
    }
    this.#scalars = scalarBlock(plan);
    this.loadMs = performance.now() - start;
  }

  run(scalars?: Uint32Array, records: readonly OutputRecord[] = []): void {
    this.#assertUsable('run');
    checkBoundAlive(this.plan, this.bound);
    checkScalars(this.plan, this.#scalars, scalars);
    if (this.#scalars !== undefined && scalars !== undefined) this.#buffer(this.#scalars.id).setBits(scalars);
    for (const dispatch of this.#dispatches) dispatch();
    for (const record of records) this.#record(record);
    this.counters.submits++;
    this.counters.passes++;
    this.counters.dispatches += this.#dispatches.length;
  }

  bind(bound: readonly BackendBuffer[]): void {
    this.#assertUsable('bind');
    const own = bound.map((buffer) => ownCpuBuffer(this.counters, buffer, `bind "${this.plan.name}"`));
    const pairs = pairBound(this.plan, own);
    if (own.every((buffer, k) => buffer === this.bound[k])) return;
    for (const [id, buffer] of pairs) this.#buffers.set(id, buffer);
    this.bound = own;
    this.#dispatches = this.#link();
  }

  async read(index: number): Promise<TypedArray | Float64Array> {
    this.#assertUsable('read');
    const output = this.plan.outputs[index];
    if (output === undefined) throw new DownhillError('argument', `read: "${this.plan.name}" has no output ${index}`);
    return this.outputs[index].read(output.dtype, output.offset, sizeOf(output.shape));
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const buffer of this.#owned) buffer.dispose();
  }

  /** The work of each dispatch on the present buffers. */
  #link(): (() => void)[] {
    const { plan } = this;
    return plan.dispatches.map((dispatch, at) => {
      const steps = this.#prepare(dispatch, this.#scratch);
      return this.executor({
        plan,
        at,
        whole: (buffer, type) => this.#buffer(buffer).view(type, 0, this.#buffer(buffer).elements),
        view: (value) => this.#view(value),
        references: (attributes) => this.#runReferences(steps, attributes),
      });
    });
  }

  #runReferences(steps: readonly PreparedStep[], attributes = (attrs: unknown) => attrs): void {
    for (const { op, attrs, inputs, output } of steps) {
      output.data.fill(0);
      op.cpu(inputs, output, attributes(attrs));
    }
    for (const { output, target, place } of steps) {
      if (target !== undefined) target.data.set(output.data);
      if (place !== undefined) {
        this.#buffer(place.buffer).spoilOthers(place.dtype, place.offset, sizeOf(place.shape));
      }
    }
  }

  #prepare(dispatch: Dispatch, scratch: CpuBuffer): PreparedStep[] {
    const prepared: PreparedStep[] = [];
    let used = 0;
    dispatch.reference.forEach((step, k) => {
      const inputs = step.inputs.map((input) => ('step' in input ? prepared[input.step].output : this.#view(input)));
      const { shape, dtype } = step;
      const place = step.output;
      const target = place === undefined ? undefined : this.#view({ ...place, shape });
      let output = target;
      if (output === undefined || needsScratch(dispatch, k)) {
        output = { shape, dtype, data: scratch.view(dtype, used, sizeOf(shape)) };
        used += sizeOf(shape);
      }
      prepared.push({
        op: opOfKey(step.op),
        attrs: step.attrs,
        inputs,
        output,
        place,
        target: output === target ? undefined : target,
      });
    });
    return prepared;
  }

  #view(value: PlacedValue): CpuTensor {
    const buffer = this.#buffer(value.buffer);
    invariant(
      buffer.dtype === undefined || this.precision === 'f32' || isFloat(buffer.dtype) === isFloat(value.dtype),
      `plan "${this.plan.name}" reads ${value.dtype} from "${buffer.label}", which was made for ${buffer.dtype}`,
    );
    const { shape, dtype, offset } = value;
    return { shape, dtype, data: buffer.view(dtype, offset, sizeOf(shape)) };
  }

  #record({ output: index, into, offset }: OutputRecord): void {
    const output = this.plan.outputs[index];
    if (output === undefined) throw new DownhillError('argument', `run: "${this.plan.name}" has no output ${index}`);
    const target = ownCpuBuffer(this.counters, into, `record of "${output.name}"`);
    const elements = sizeOf(output.shape);
    checkRange(`record of "${output.name}" in`, target, offset, elements);
    if (target === this.outputs[index]) {
      throw new DownhillError('argument', `run: output "${output.name}" cannot be recorded into its own buffer`);
    }
    target.view(output.dtype, offset, elements).set(this.outputs[index].view(output.dtype, output.offset, elements));
  }

  #own(elements: number, label: string): CpuBuffer {
    const buffer = new CpuBuffer(this.counters, this.precision, elements, `${this.plan.name}/${label}`, undefined);
    this.#owned.push(buffer);
    return buffer;
  }

  #buffer(id: number): CpuBuffer {
    const buffer = this.#buffers.get(id);
    invariant(buffer !== undefined, `plan "${this.plan.name}" has no buffer ${id}`);
    return buffer;
  }

  #assertUsable(action: string): void {
    this.assertBackend();
    if (this.#disposed) throw new DownhillError('state', `${action}: program "${this.plan.name}" was disposed`);
  }
}

/** Elements of the results of `dispatch` that cannot be made in place. */
function scratchElements(dispatch: Dispatch): number {
  let elements = 0;
  dispatch.reference.forEach((step, k) => {
    if (needsScratch(dispatch, k)) elements += sizeOf(step.shape);
  });
  return elements;
}

/** True when step `k` has no place, or one that it or a later step still reads. */
function needsScratch({ reference }: Dispatch, k: number): boolean {
  const { output } = reference[k];
  return (
    output === undefined || reference.slice(k).some((step) => step.inputs.some((input) => overlaps(input, output)))
  );
}

function overlaps(input: ReferenceStep['inputs'][number], output: PlacedValue): boolean {
  if ('step' in input || input.buffer !== output.buffer) return false;
  return input.offset < output.offset + sizeOf(output.shape) && output.offset < input.offset + sizeOf(input.shape);
}

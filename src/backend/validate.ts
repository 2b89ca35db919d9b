/**
 * VALIDATE=1: a backend that runs every dispatch of a plan by itself and compares it with the CPU reference, started
 * from the device's own memory, so that errors do not add up over a plan and the first wrong dispatch is the culprit.
 * It stops there with an error that names plan, dispatch, element and both values, and leaves a repro.
 *
 * Invariant: operations take effect in the order of the calls. Comparing needs reads, which are asynchronous, so each
 * call joins one queue; a divergence is thrown by whatever is called next or awaited (`read`, `finish`).
 */

import type { Plan } from '../compile/plan.ts';
import type { Target, TileChoices } from '../compile/target.ts';
import type { DType, TypedArray } from '../core/dtype.ts';
import { DownhillError } from '../util/errors.ts';
import { sizeOf } from '../util/shape.ts';
import type { Backend, BackendBuffer, BackendCounters, OutputRecord, Program } from './backend.ts';
import { checkScalars, pairBound, scalarBlock, wordsIn } from './bookkeeping.ts';
import { bringReferences, opsWithoutReference } from './cpu/references.ts';
import { checkHostData, checkRange, type HostData, toDeviceBits } from './host-data.ts';
import { ValidatedBuffer } from './validate/buffer.ts';
import { type Contents, checkGroup, type DispatchGroup, dispatchGroups } from './validate/dispatch-group.ts';
import { type ReproWriter, reproName, reproText } from './validate/repro.ts';

export interface ValidationOptions {
  /** Where repros go; left out, none is written. */
  readonly writeRepro?: ReproWriter;
}

/** `backend` with every dispatch checked. Owns `backend` from now on: disposing one disposes the other. */
export function validatingBackend(backend: Backend, options: ValidationOptions = {}): Backend {
  return new ValidatingBackend(backend, options);
}

class ValidatingBackend implements Backend {
  readonly kind: Backend['kind'];
  readonly description: string;
  #queue: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  constructor(
    readonly inner: Backend,
    private readonly options: ValidationOptions,
  ) {
    this.kind = inner.kind;
    this.description = `${inner.description}, every dispatch validated`;
  }

  get target(): Target {
    return this.inner.target;
  }

  useTiles(tiles: TileChoices | undefined): void {
    this.inner.useTiles(tiles);
  }

  get counters(): BackendCounters {
    return this.inner.counters;
  }

  createBuffer(elements: number, dtype: DType, label: string): ValidatedBuffer {
    this.assertSound();
    return new ValidatedBuffer(this, this.inner.createBuffer(elements, dtype, label), dtype);
  }

  write(buffer: BackendBuffer, data: HostData, offset = 0): void {
    const target = this.own(buffer, 'write');
    if (target.dtype !== undefined) checkHostData(data, target.dtype, target.label);
    checkRange('write to', target, offset, data.length);
    const copied = data.slice();
    this.enqueue(() => this.inner.write(target.inner, copied, offset));
  }

  copy(from: BackendBuffer, fromOffset: number, to: BackendBuffer, toOffset: number, elements: number): void {
    const [source, target] = [this.own(from, 'copy'), this.own(to, 'copy')];
    checkRange('copy from', source, fromOffset, elements);
    checkRange('copy to', target, toOffset, elements);
    this.enqueue(() => this.inner.copy(source.inner, fromOffset, target.inner, toOffset, elements));
  }

  read(
    buffer: BackendBuffer,
    dtype: DType,
    offset = 0,
    elements = buffer.elements - offset,
  ): Promise<TypedArray | Float64Array> {
    return this.ask(() => {
      const source = this.own(buffer, 'read');
      return () => this.inner.read(source.inner, dtype, offset, elements);
    });
  }

  async load(
    plan: Plan,
    bound: readonly BackendBuffer[],
    onProgress?: (built: number, total: number) => void,
  ): Promise<Program> {
    const start = performance.now();
    const own = bound.map((buffer) => this.own(buffer, `load "${plan.name}"`));
    const buffers = pairBound(plan, own);
    for (const buffer of plan.buffers) {
      const { id, role, label, data } = buffer;
      if (role === 'bound') continue;
      const inner = this.inner.createBuffer(wordsIn(buffer), 'u32', `${plan.name}/${label}`);
      if (data !== undefined) this.inner.write(inner, toDeviceBits(data));
      buffers.set(id, new ValidatedBuffer(this, inner, undefined));
    }
    const bare = opsWithoutReference(plan);
    if (bare.length > 0) await bringReferences(bare);
    // The whole plan is loaded too, so that it is refused in the backend's own words, and all pipelines at once.
    const innerBound = own.map(({ inner }) => inner);
    (await this.inner.load(plan, innerBound, onProgress)).dispose();
    const parts = await Promise.all(
      dispatchGroups(plan).map(async (group): Promise<Part> => {
        const ids = group.buffers.map((id) => (buffers.get(id) as ValidatedBuffer).inner);
        return { group, program: await this.inner.load(group.plan, ids) };
      }),
    );
    return new ValidatedProgram(plan, this, buffers, parts, this.options, performance.now() - start);
  }

  finish(): Promise<void> {
    return this.ask(() => () => this.inner.finish());
  }

  async dispose(): Promise<void> {
    await this.#queue;
    await this.inner.dispose();
  }

  /** Queues what may follow only if all before it went well. */
  enqueue(work: () => void | Promise<void>): void {
    this.assertSound();
    this.#queue = this.#queue.then(async () => {
      if (this.#failure !== undefined) return;
      try {
        await work();
      } catch (error) {
        this.#failure = { error };
      }
    });
  }

  /** Queues what must happen in any case. */
  afterwards(work: () => void): void {
    this.#queue = this.#queue.then(work);
  }

  /**
   * What a question gives once everything before it is done. @param prepare checks now and returns the question.
   * Nobody need look at the promise: a divergence that it rejects with is thrown by the next call as well.
   */
  ask<T>(prepare: () => () => Promise<T>): Promise<T> {
    const answer = this.#ask(prepare);
    answer.catch(() => undefined);
    return answer;
  }

  async #ask<T>(prepare: () => () => Promise<T>): Promise<T> {
    const question = prepare();
    let answer: Promise<T> | undefined;
    // Only the asking is queued: later calls need not wait for the answer.
    this.enqueue(() => {
      answer = question();
      answer.catch(() => undefined);
    });
    await this.#queue;
    this.assertSound();
    return answer as Promise<T>;
  }

  /** Throws the divergence that was found, if any. */
  assertSound(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  own(buffer: BackendBuffer, action: string): ValidatedBuffer {
    this.assertSound();
    if (!(buffer instanceof ValidatedBuffer) || buffer.owner !== this) {
      throw new DownhillError('argument', `${action}: buffer "${buffer?.label}" belongs to another backend`);
    }
    if (buffer.disposed) throw new DownhillError('state', `${action}: buffer "${buffer.label}" was disposed`);
    return buffer;
  }
}

/** A group and its program. */
interface Part {
  readonly group: DispatchGroup;
  readonly program: Program;
}

class ValidatedProgram implements Program {
  readonly outputs: readonly ValidatedBuffer[];
  #disposed = false;

  constructor(
    readonly plan: Plan,
    private readonly backend: ValidatingBackend,
    private readonly buffers: Map<number, ValidatedBuffer>,
    private readonly parts: readonly Part[],
    private readonly options: ValidationOptions,
    readonly loadMs: number,
  ) {
    this.outputs = plan.outputs.map(({ buffer }) => this.#buffer(buffer));
  }

  run(scalars?: Uint32Array, records: readonly OutputRecord[] = []): void {
    this.#assertUsable('run');
    const block = scalarBlock(this.plan);
    checkScalars(this.plan, block, scalars);
    const words = scalars?.slice();
    const copies = records.map(({ output, into, offset }) => {
      const target = this.backend.own(into, `record of "${this.#output(output).name}"`);
      const elements = sizeOf(this.#output(output).shape);
      checkRange(`record of "${this.#output(output).name}" in`, target, offset, elements);
      return { from: this.outputs[output], fromOffset: this.#output(output).offset, target, offset, elements };
    });
    this.backend.enqueue(async () => {
      const { inner } = this.backend;
      if (block !== undefined && words !== undefined) inner.write(this.#buffer(block.id).inner, words);
      for (const part of this.parts) await this.#check(part);
      for (const { from, fromOffset, target, offset, elements } of copies) {
        inner.copy(from.inner, fromOffset, target.inner, offset, elements);
      }
    });
  }

  bind(bound: readonly BackendBuffer[]): void {
    this.#assertUsable('bind');
    const own = bound.map((buffer) => this.backend.own(buffer, `bind "${this.plan.name}"`));
    const pairs = pairBound(this.plan, own);
    // Runs that were queued before still use the old ones.
    this.backend.enqueue(() => {
      for (const [id, buffer] of pairs) this.buffers.set(id, buffer);
      for (const { group, program } of this.parts) program.bind(group.buffers.map((id) => this.#buffer(id).inner));
    });
  }

  read(index: number): Promise<TypedArray | Float64Array> {
    return this.backend.ask(() => {
      this.#assertUsable('read');
      const { dtype, offset, shape } = this.#output(index);
      return () => this.backend.inner.read(this.outputs[index].inner, dtype, offset, sizeOf(shape));
    });
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const { id, role } of this.plan.buffers) if (role !== 'bound') this.#buffer(id).dispose();
    this.backend.afterwards(() => {
      for (const { program } of this.parts) program.dispose();
    });
  }

  /** Runs one group. @throws DownhillError `internal` when it diverges. */
  async #check({ group, program }: Part): Promise<void> {
    const before = await this.#contents(group.read);
    program.run();
    const after = await this.#contents(group.written);
    const finding = checkGroup(group, this.plan, before, after);
    if (finding === undefined) return;
    const { what, element, found, expected, accepted } = finding;
    const path = await this.options.writeRepro?.(
      reproName(this.plan, group),
      reproText(this.plan, group, finding, before),
    );
    // Loaded now: whoever never meets a wrong kernel needs neither WGSL's front end nor the evaluator.
    const { blame } = await import('./validate/blame.ts');
    const blamed = await blame(group, this.plan, before, finding, this.backend.target);
    throw new DownhillError(
      'internal',
      `validate "${this.plan.name}": dispatch ${group.at} "${group.dispatch.label}", ${what}, element ${element}: ` +
        `the device has ${found}, the reference ${expected} (accepted difference ${accepted.toPrecision(2)}); ${blamed}` +
        (path === undefined ? '' : `; repro in ${path}`),
    );
  }

  async #contents(ids: readonly number[]): Promise<Contents> {
    const { inner } = this.backend;
    const read = async (id: number) => {
      const elements = wordsIn(this.plan.buffers[id]);
      return [id, (await inner.read(this.#buffer(id).inner, 'u32', 0, elements)) as Uint32Array] as const;
    };
    return new Map(await Promise.all(ids.map(read)));
  }

  #output(index: number) {
    const output = this.plan.outputs[index];
    if (output === undefined) throw new DownhillError('argument', `"${this.plan.name}" has no output ${index}`);
    return output;
  }

  #buffer(id: number): ValidatedBuffer {
    return this.buffers.get(id) as ValidatedBuffer;
  }

  #assertUsable(action: string): void {
    if (this.#disposed) throw new DownhillError('state', `${action}: program "${this.plan.name}" was disposed`);
    this.backend.assertSound();
  }
}

/**
 * Weights as safetensors bytes, and back. Optimizer slots are in the same file under `optimizer/…`, so that a model can
 * go on training where it stopped.
 *
 * Invariant: a file is read completely and checked against the model before any weight is changed.
 */

import type { Optimizer } from '../../nn/optimizers/optimizer.ts';
import { DownhillError, nearestName } from '../../util/errors.ts';
import { formatShape, type Shape, sameShape } from '../../util/shape.ts';
import { show } from '../../util/show.ts';
import { type SlotValue, slotKey } from './optimizer-slots.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';
import { isTrained, type Weight } from './weight-layout.ts';
import type { WeightArray, WeightStore, WeightValue } from './weight-store.ts';

const OPTIMIZER_PREFIX = 'optimizer/';
const ITERATIONS = 'iterations';

/** What a file holds beside the weights. */
export interface OptimizerState {
  /** By `slot:weight`. */
  readonly slots: readonly WeightValue[];
  /** Updates made so far. */
  readonly iterations: number;
}

/** The bytes of a weights file. f64 values are rounded to f32. */
export function encodeWeights(weights: readonly WeightValue[], optimizer?: OptimizerState): Uint8Array {
  const entry = ({ name, shape, data }: WeightValue, prefix = '') =>
    [prefix + name, { shape, data: data instanceof Float32Array ? data : Float32Array.from(data) }] as const;
  const metadata = new Map([['format', 'downhill']]);
  if (optimizer !== undefined) metadata.set(ITERATIONS, String(optimizer.iterations));
  const slots = (optimizer?.slots ?? []).map((slot) => entry(slot, OPTIMIZER_PREFIX));
  return writeSafetensors([...weights.map((weight) => entry(weight)), ...slots], metadata);
}

/**
 * A weights file, by name.
 * @throws DownhillError `file` for bytes that are none, and for an optimizer's state without its count of updates.
 */
export function decodeWeights(
  bytes: Uint8Array,
  file: string,
): { weights: WeightValue[]; optimizer: OptimizerState | undefined } {
  const { tensors, metadata } = readSafetensors(bytes, file);
  const weights: WeightValue[] = [];
  const slots: WeightValue[] = [];
  for (const [name, { dtype, shape, data }] of tensors) {
    if (!(data instanceof Float32Array || data instanceof Float64Array)) {
      throw new DownhillError('file', `${file}: tensor "${name}" is ${dtype}; weights are floats`);
    }
    if (name.startsWith(OPTIMIZER_PREFIX)) slots.push({ name: name.slice(OPTIMIZER_PREFIX.length), shape, data });
    else weights.push({ name, shape, data });
  }
  const given = metadata.get(ITERATIONS);
  if (given === undefined && slots.length === 0) return { weights, optimizer: undefined };
  const iterations = given !== undefined && /^\d+$/.test(given) ? Number(given) : Number.NaN;
  if (Number.isSafeInteger(iterations)) return { weights, optimizer: { slots, iterations } };
  // Without the count, the state would be lost without a word, or corrected for the wrong number of updates.
  throw new DownhillError(
    'file',
    `${file}: "${ITERATIONS}" of the metadata is ${show(given)}; ` +
      `the state of an optimizer (${slots.length} tensors) needs ` +
      `the count of updates, a whole number as text`,
  );
}

/**
 * The values by name, checked: every expected name once, with its shape, and no other.
 * @param source what errors call the values. @throws DownhillError `code` naming the first that does not fit.
 */
export function matchWeights(
  source: string,
  expected: readonly { readonly name: string; readonly shape: Shape }[],
  values: readonly WeightValue[],
  code: 'file' | 'argument' = 'file',
): Map<string, WeightArray> {
  if (!Array.isArray(values)) {
    throw new DownhillError(code, `${source}: expected an array of ${WEIGHT}, found ${show(values)}`);
  }
  const shapes = new Map(expected.map(({ name, shape }) => [name, shape]));
  const found = new Map<string, WeightArray>();
  for (const [k, value] of values.entries()) {
    const { name, shape, data } = checkWeight(source, k, value, code);
    const wanted = shapes.get(name);
    if (wanted === undefined) {
      const near = nearestName(name, [...shapes.keys()]);
      const hint = near === undefined ? '' : `; the model's nearest is "${near}"`;
      throw new DownhillError(code, `${source}: "${name}" is not a weight of the model${hint}`);
    }
    if (found.has(name)) throw new DownhillError(code, `${source}: "${name}" comes twice`);
    if (!sameShape(wanted, shape) || data.length !== wanted.reduce((product, d) => product * d, 1)) {
      const sizes = `${formatShape(shape)} with ${data.length} values`;
      throw new DownhillError(code, `${source}: "${name}" is ${sizes}; the model has ${formatShape(wanted)}`);
    }
    found.set(name, data);
  }
  const missing = expected.filter(({ name }) => !found.has(name)).map(({ name }) => `"${name}"`);
  if (missing.length > 0) {
    throw new DownhillError(code, `${source}: ${missing.join(', ')} missing; the model has ${expected.length} weights`);
  }
  return found;
}

const WEIGHT = '{ name, shape, data } as getWeights() gives them';

/** Entry `k`, its data as floats: a list of numbers and whole numbers are converted. */
function checkWeight(source: string, k: number, value: unknown, code: 'file' | 'argument'): WeightValue {
  const { name, shape, data } = (value ?? {}) as Partial<Record<keyof WeightValue, unknown>>;
  if (typeof name !== 'string' || !Array.isArray(shape)) {
    const found = Array.isArray(value) || ArrayBuffer.isView(value) ? `${show(value)}, which has no name` : show(value);
    throw new DownhillError(code, `${source}: entry ${k} must be one of ${WEIGHT}, found ${found}`);
  }
  if (data instanceof Float32Array || data instanceof Float64Array) return { name, shape, data };
  const list = Array.isArray(data) || (ArrayBuffer.isView(data) && !(data instanceof DataView));
  const numbers = list ? Array.from(data as ArrayLike<unknown>) : [];
  if (list && numbers.every((number) => typeof number === 'number')) {
    return { name, shape, data: Float32Array.from(numbers as number[]) };
  }
  throw new DownhillError(code, `${source}: data of "${name}" must be a Float32Array, found ${show(data)}`);
}

/**
 * Puts the contents of a weights file into `store`.
 * @param optimizer of a model that is compiled; its state is taken over if the file has it.
 * @throws DownhillError `file` for bytes that are not weights of this model; nothing is changed then.
 */
export function restoreWeights(
  store: WeightStore,
  weights: readonly Weight[],
  optimizer: Optimizer | undefined,
  bytes: Uint8Array,
  file: string,
): void {
  const decoded = decodeWeights(bytes, file);
  const expected = weights.map(({ path, spec }) => ({ name: path, shape: spec.shape }));
  const values = matchWeights(file, expected, decoded.weights);
  if (decoded.optimizer !== undefined && optimizer !== undefined) {
    const { iterations, slots: saved } = decoded.optimizer;
    const trained = store.weights.filter(isTrained);
    const slots = trained.flatMap(({ path, rule = '', spec: { shape } }) =>
      optimizer.slotsOf(rule).map((slot) => ({ name: slotKey(slot, path), shape, slot, path })),
    );
    // Before the first update there may be no slots yet.
    const none = iterations === 0 && saved.length === 0;
    const found = none ? new Map<string, WeightArray>() : matchWeights(file, slots, saved);
    const known = slots.filter(({ name }) => found.has(name));
    store.writeSlots(
      new Map(known.map(({ name, slot, path }): [string, SlotValue] => [name, { slot, path, data: found.get(name)! }])),
      iterations,
    );
  }
  store.write(values);
}

/**
 * Plans as JSON: what another process needs to run a plan to the same bits. Kernels are WGSL text; reference steps name
 * their ops by key. Numbers that JSON lacks (NaN, infinities, -0) and typed arrays survive: see `encode`.
 *
 * Invariant: what is read has the form of a plan and keeps the rules of `verifyPlan`, or is refused with its reason.
 */

import { DTYPES, type DType, type TypedArray } from '../core/dtype.ts';
import { checkModule } from '../kernel/check.ts';
import { parseModule } from '../kernel/parse.ts';
import { printModule } from '../kernel/print.ts';
import type { Declaration, Module } from '../kernel/tree.ts';
import { DownhillError } from '../util/errors.ts';
import { parseJson } from '../util/json.ts';
import { show } from '../util/show.ts';
import { VERSION } from '../util/version.ts';
import type { Plan, PlanKernel } from './plan.ts';
import { verifyPlan } from './verify-plan.ts';

export const PLAN_FORMAT = 'downhill plan';
export const PLAN_FORMAT_VERSION = 1;

/** `plan` as text for `planFromJson`. @throws DownhillError `internal` for an attribute that is not plain data. */
export function planToJson(plan: Plan): string {
  const kernels = plan.kernels.map(({ module, ...kernel }) => ({ ...kernel, wgsl: printModule(module) }));
  const json = encode({ ...plan, kernels }, `plan "${plan.name}"`);
  return JSON.stringify({ format: PLAN_FORMAT, formatVersion: PLAN_FORMAT_VERSION, downhill: VERSION, plan: json });
}

/**
 * The plan that `planToJson` wrote. Backends that compute references find its ops by key when they load it.
 * @throws DownhillError `file` that says what is wrong; `name` begins the message.
 */
export function planFromJson(text: string, name = 'plan'): Plan {
  const refuse = (why: string, cause?: unknown) => new DownhillError('file', `${name}: ${why}`, { cause });
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (cause) {
    throw refuse(`not JSON: ${(cause as Error).message}`, cause);
  }
  if (!isRecord(json) || json.format !== PLAN_FORMAT) throw refuse(`not a "${PLAN_FORMAT}" file`);
  if (json.formatVersion !== PLAN_FORMAT_VERSION) {
    throw refuse(`format version ${show(json.formatVersion)}; this downhill reads version ${PLAN_FORMAT_VERSION}`);
  }
  try {
    const plan = decode(json.plan);
    check(plan, PLAN, 'the plan');
    const read = withTrees(plan as PlanTexts);
    verifyPlan(read);
    return read;
  } catch (cause) {
    if (!(cause instanceof DownhillError)) throw cause;
    throw refuse(cause.message, cause);
  }
}

/** A plan whose kernels are texts. */
type PlanTexts = Omit<Plan, 'kernels'> & {
  readonly kernels: readonly (Omit<PlanKernel, 'module'> & { readonly wgsl: string })[];
};

function withTrees(plan: PlanTexts): Plan {
  const trees = plan.kernels.map(({ wgsl, ...kernel }) => ({ ...kernel, module: kernelOf(wgsl, kernel.label) }));
  return { ...plan, kernels: trees };
}

/** @throws DownhillError `file` for a text that is not a kernel, names and types included. */
function kernelOf(wgsl: string, label: string): Module {
  const where = `kernel "${label}"`;
  let module: Module;
  try {
    module = parseModule(wgsl, where);
    checkModule(module, where);
  } catch (cause) {
    throw new DownhillError('file', (cause as Error).message, { cause });
  }
  const isEntry = (tree: Declaration) =>
    tree.kind === 'function' && tree.name === 'main' && tree.workgroupSize !== null;
  if (!module.declarations.some(isEntry)) throw wrong(`${where} has no entry point main`);
  return module;
}

const ARRAYS = { Float64Array, Float32Array, Int32Array, Uint32Array, Uint8Array } as const;
type ArrayName = keyof typeof ARRAYS;

/**
 * `value` as JSON: an object with the one key `$` stands for what JSON lacks: `{"$": "-0"}`, `{"$": "undefined"}`,
 * `{"$": "Float32Array", "base64": …}` (little-endian). Objects with such a key of their own are refused.
 */
function encode(value: unknown, where: string): unknown {
  if (value === undefined) return { $: 'undefined' };
  if (typeof value === 'number') {
    if (Number.isFinite(value) && !Object.is(value, -0)) return value;
    return { $: Object.is(value, -0) ? '-0' : String(value) };
  }
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map((part, k) => encode(part, `${where}[${k}]`));
  if (ArrayBuffer.isView(value)) {
    const name = value.constructor.name;
    if (Object.hasOwn(ARRAYS, name)) return { $: name, base64: toBase64(value) };
  }
  const plain = typeof value === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(value));
  if (!plain || Object.hasOwn(value, '$')) {
    throw new DownhillError('internal', `${where} cannot be written as JSON: ${show(value)}`);
  }
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, encode(part, `${where}.${key}`)]));
}

const NUMBERS: Readonly<Record<string, number | undefined>> = {
  '-0': -0,
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

function decode(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decode);
  if (!isRecord(value)) return value;
  if (!Object.hasOwn(value, '$')) {
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, decode(part)]));
  }
  const { $: tag, base64 } = value;
  if (tag === 'undefined') return undefined;
  if (typeof tag === 'string' && Object.hasOwn(NUMBERS, tag)) return NUMBERS[tag];
  if (typeof tag === 'string' && Object.hasOwn(ARRAYS, tag) && typeof base64 === 'string') {
    return fromBase64(base64, tag as ArrayName);
  }
  throw wrong(`${show(value)} stands for no value`);
}

/** Bytes that are turned into text at a time: arguments of one call. */
const CHUNK = 8192;

function toBase64(array: ArrayBufferView): string {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  let text = '';
  for (let at = 0; at < bytes.length; at += CHUNK) text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(text);
}

function fromBase64(base64: string, name: ArrayName): TypedArray | Float64Array {
  let text: string;
  try {
    text = atob(base64);
  } catch {
    throw wrong(`the contents of a ${name} are not base64`);
  }
  const type = ARRAYS[name];
  if (text.length % type.BYTES_PER_ELEMENT !== 0) throw wrong(`${text.length} bytes do not fill a ${name}`);
  return new type(Uint8Array.from(text, (character) => character.charCodeAt(0)).buffer);
}

/** The form of a value: which properties it has, and of what form each is. */
type Form =
  | { readonly is: string; readonly test: (value: unknown) => boolean }
  | { readonly list: Form; readonly length?: number }
  | { readonly fields: Readonly<Record<string, Form>>; readonly optional?: readonly string[] };

const TEXT: Form = { is: 'a text', test: (value) => typeof value === 'string' };
const NUMBER: Form = { is: 'a number', test: (value) => typeof value === 'number' };
const FLAG: Form = { is: 'true or false', test: (value) => typeof value === 'boolean' };
const SIZE: Form = { is: 'a whole number ≥ 0', test: (value) => Number.isSafeInteger(value) && Number(value) >= 0 };
const ANYTHING: Form = { is: 'anything', test: () => true };
const oneOf = (...values: readonly string[]): Form => {
  return { is: values.join(' or '), test: (value) => values.includes(value as string) };
};
const DTYPE = oneOf(...(DTYPES satisfies readonly DType[]));
const DATA: Form = {
  is: 'a typed array',
  test: (value) => Object.values(ARRAYS).some((type) => value instanceof type && type !== Float64Array),
};
const PLACED = { buffer: SIZE, offset: SIZE, shape: { list: SIZE }, dtype: DTYPE } as const;

/** An input of a reference step: a placed value, or an earlier step. */
const STEP_INPUT: Form = {
  is: 'a placed value or a step',
  test: (value) =>
    isRecord(value) && ('step' in value ? SIZE.test(value.step) : problem(value, { fields: PLACED }, '') === undefined),
};

const PLAN: Form = {
  fields: {
    name: TEXT,
    buffers: {
      list: {
        fields: {
          id: SIZE,
          role: oneOf('bound', 'scalars', 'constant', 'temporary', 'output'),
          bytes: SIZE,
          label: TEXT,
          data: DATA,
        },
        optional: ['data'],
      },
    },
    inputs: { list: { fields: { ...PLACED, name: TEXT, kind: oneOf('bound', 'scalar'), updated: FLAG } } },
    outputs: { list: { fields: { ...PLACED, name: TEXT } } },
    kernels: {
      list: {
        fields: {
          ...{ id: SIZE, label: TEXT, wgsl: TEXT, uniformWords: SIZE, workgroupSize: SIZE },
          access: { list: oneOf('read', 'read_write') },
        },
      },
    },
    dispatches: {
      list: {
        fields: {
          ...{ label: TEXT, kernel: SIZE, uniforms: { list: NUMBER }, buffers: { list: SIZE }, flops: NUMBER },
          workgroups: { list: SIZE, length: 3 },
          reference: {
            list: {
              fields: {
                ...{ op: TEXT, attrs: ANYTHING, inputs: { list: STEP_INPUT }, shape: { list: SIZE }, dtype: DTYPE },
                output: { fields: PLACED },
              },
              optional: ['output'],
            },
          },
          bytes: NUMBER,
        },
      },
    },
    planBytes: SIZE,
    boundBytes: SIZE,
  },
};

function check(value: unknown, form: Form, where: string): void {
  const found = problem(value, form, where);
  if (found !== undefined) throw wrong(found);
}

/**
 * How `value` differs from `form`; undefined when it does not. Properties that a plan does not have are refused too.
 */
function problem(value: unknown, form: Form, where: string): string | undefined {
  if ('is' in form) return form.test(value) ? undefined : `${where} must be ${form.is}, found ${show(value)}`;
  if ('list' in form) {
    const { list, length } = form;
    if (!Array.isArray(value)) return `${where} must be a list, found ${show(value)}`;
    if (length !== undefined && value.length !== length) return `${where} has ${value.length} elements, not ${length}`;
    for (const [k, part] of value.entries()) {
      const found = problem(part, list, `${where}[${k}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  const { fields, optional = [] } = form;
  if (!isRecord(value)) return `${where} must be an object, found ${show(value)}`;
  const unknown = Object.keys(value).find((key) => !Object.hasOwn(fields, key));
  if (unknown !== undefined) return `${where} has a property ${show(unknown)}, which is unknown`;
  for (const [key, part] of Object.entries(fields)) {
    if (!Object.hasOwn(value, key) && optional.includes(key)) continue;
    const found = problem(value[key], part, `${where}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function wrong(why: string): DownhillError {
  return new DownhillError('file', why);
}

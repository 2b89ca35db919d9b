/**
 * The functions of WGSL that kernels use: for each its type rule and its value on the CPU, elementwise.
 *
 * `of` computes one element in f64; integers come and go as the numbers they stand for (the evaluator wraps and
 * rounds). Where WGSL leaves a result open (min of NaN, conversions out of range) the table takes what IEEE 754 or
 * JavaScript prescribes.
 * Source: WGSL, section 17.
 */

import {
  ABSTRACT_FLOAT,
  BOOL,
  commonType,
  concreteType,
  convertsTo,
  elementOf,
  isBool,
  isFloatType,
  isIntegerType,
  isNumeric,
  NONE,
  sameType,
  type Type,
  U32,
  vectorType,
  withElement,
} from './types.ts';

/** What a call's arguments must become, and what it gives. */
export interface Signature {
  readonly args: readonly Type[];
  readonly result: Type;
}

export interface Builtin {
  /** Undefined when no form of the function takes these. */
  signature(args: readonly Type[]): Signature | undefined;
  /** One element of the result of one element of each argument; absent for what is no function of elements. */
  readonly of?: (...args: never[]) => number | boolean;
  /** Must be reached by all invocations of a workgroup or subgroup together, which then exchange values. */
  readonly collective?: 'barrier' | 'broadcast' | 'min' | 'max' | 'add';
}

/** All arguments of one type of numbers, which is also that of the result. */
function alike(count: number, fits: (type: Type) => boolean): Builtin['signature'] {
  return (args) => {
    if (args.length !== count) return undefined;
    let common: Type | undefined = args[0];
    for (const arg of args) common = common === undefined ? undefined : commonType(common, arg);
    // A function of floats takes whole numbers without a suffix as well.
    if (common !== undefined && fits === isFloatType && elementOf(common)?.name === 'abstract-int') {
      common = withElement(common, ABSTRACT_FLOAT);
    }
    return common === undefined || !fits(common) ? undefined : { args: args.map(() => common), result: common };
  };
}

const float = (of: (...args: number[]) => number): Builtin => ({ signature: alike(of.length, isFloatType), of });
const numeric = (of: (...args: number[]) => number): Builtin => ({ signature: alike(of.length, isNumeric), of });
const integer = (of: (...args: number[]) => number): Builtin => ({ signature: alike(of.length, isIntegerType), of });

const select: Builtin = {
  signature(args) {
    if (args.length !== 3) return undefined;
    const common = commonType(args[0], args[1]);
    if (common === undefined || elementOf(common) === undefined || !isBool(args[2])) return undefined;
    if (args[2].kind === 'vector' && (common.kind !== 'vector' || common.size !== args[2].size)) return undefined;
    return { args: [common, common, args[2]], result: common };
  },
  of: (a: number, b: number, condition: boolean) => (condition ? b : a),
};

const ofBools: Builtin['signature'] = (args) =>
  args.length === 1 && isBool(args[0]) ? { args: [...args], result: BOOL } : undefined;

const barrier: Builtin = {
  signature: (args) => (args.length === 0 ? { args: [], result: NONE } : undefined),
  collective: 'barrier',
};

const acrossSubgroup = (collective: 'min' | 'max' | 'add'): Builtin => ({
  signature: (args) =>
    args.length === 1 && isNumeric(args[0])
      ? { args: [concreteType(args[0])], result: concreteType(args[0]) }
      : undefined,
  collective,
});

/** Half to even. */
function round(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  if (rest !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

const TABLE: Readonly<Record<string, Builtin>> = {
  select,
  abs: numeric((x) => Math.abs(x)),
  sign: numeric((x) => Math.sign(x)),
  min: numeric((a, b) => Math.min(a, b)),
  max: numeric((a, b) => Math.max(a, b)),
  clamp: numeric((x, low, high) => Math.min(Math.max(x, low), high)),
  floor: float((x) => Math.floor(x)),
  ceil: float((x) => Math.ceil(x)),
  trunc: float((x) => Math.trunc(x)),
  round: float((x) => round(x)),
  fract: float((x) => x - Math.floor(x)),
  sqrt: float((x) => Math.sqrt(x)),
  inverseSqrt: float((x) => 1 / Math.sqrt(x)),
  exp: float((x) => Math.exp(x)),
  exp2: float((x) => 2 ** x),
  log: float((x) => Math.log(x)),
  log2: float((x) => Math.log2(x)),
  pow: float((x, y) => x ** y),
  sin: float((x) => Math.sin(x)),
  cos: float((x) => Math.cos(x)),
  tan: float((x) => Math.tan(x)),
  asin: float((x) => Math.asin(x)),
  acos: float((x) => Math.acos(x)),
  atan: float((x) => Math.atan(x)),
  atan2: float((y, x) => Math.atan2(y, x)),
  sinh: float((x) => Math.sinh(x)),
  cosh: float((x) => Math.cosh(x)),
  tanh: float((x) => Math.tanh(x)),
  asinh: float((x) => Math.asinh(x)),
  acosh: float((x) => Math.acosh(x)),
  atanh: float((x) => Math.atanh(x)),
  fma: float((a, b, c) => a * b + c),
  mix: float((a, b, t) => a * (1 - t) + b * t),
  step: float((edge, x) => (x >= edge ? 1 : 0)),
  countLeadingZeros: integer((x) => Math.clz32(x)),
  countTrailingZeros: integer((x) => ((x | 0) === 0 ? 32 : 31 - Math.clz32(x & -x))),
  countOneBits: integer((x) => countOnes(x)),
  firstLeadingBit: {
    // Of signed numbers it means something else, which no kernel has needed.
    signature: (args) =>
      args.length === 1 && elementOf(args[0])?.name === 'u32' ? { args: [...args], result: args[0] } : undefined,
    of: (x: number) => (x === 0 ? 0xffffffff : 31 - Math.clz32(x)),
  },
  all: { signature: ofBools },
  any: { signature: ofBools },
  dot: {
    signature(args) {
      const same = alike(2, isNumeric)(args);
      return same?.result.kind === 'vector' ? { args: same.args, result: same.result.element } : undefined;
    },
  },
  workgroupBarrier: barrier,
  storageBarrier: barrier,
  subgroupBroadcast: {
    signature: (args) =>
      args.length === 2 && isNumeric(args[0]) && convertsTo(args[1], U32)
        ? { args: [concreteType(args[0]), U32], result: concreteType(args[0]) }
        : undefined,
    collective: 'broadcast',
  },
  subgroupMin: acrossSubgroup('min'),
  subgroupMax: acrossSubgroup('max'),
  subgroupAdd: acrossSubgroup('add'),
};

function countOnes(x: number): number {
  let count = 0;
  for (let rest = x >>> 0; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** Undefined for a name that WGSL does not have, or that no kernel uses. */
export function builtin(name: string): Builtin | undefined {
  return Object.hasOwn(TABLE, name) ? TABLE[name] : undefined;
}

/** Names of all functions in the table. */
export const builtinNames: readonly string[] = Object.keys(TABLE);

/** Types of what an entry point may ask for. */
const ENTRY_VALUES: Readonly<Record<string, Type>> = {
  workgroup_id: vectorType(3, U32),
  num_workgroups: vectorType(3, U32),
  local_invocation_id: vectorType(3, U32),
  global_invocation_id: vectorType(3, U32),
  local_invocation_index: U32,
  subgroup_invocation_id: U32,
  subgroup_size: U32,
};

/** True when an entry point may have a parameter `@builtin(name)` of type `type`. */
export function isEntryValue(name: string, type: Type): boolean {
  return Object.hasOwn(ENTRY_VALUES, name) && sameType(ENTRY_VALUES[name], type);
}

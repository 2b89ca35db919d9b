/**
 * Options of a command, as a typed table: `{ epochs: whole({ … }), json: flag(…) }` says what may be written on the
 * command line, what it means and which type comes out. Help texts and error messages read the same table.
 *
 * Invariant: `read` returns only checked values; no code behind the command line sees NaN or an unknown name.
 */

import { DownhillError, unknownName } from '../util/errors.ts';

/** One option. `T` is the type of its value. */
export interface Option<T> {
  /** One line for the help. */
  readonly doc: string;
  /** How the value is written in the help; undefined for a flag, which takes none. */
  readonly placeholder: string | undefined;
  /** The value when the option is not given. */
  readonly fallback: T;
  /** The value of `--name raw`. @throws DownhillError `argument`. */
  read(name: string, raw: string): T;
}

// biome-ignore lint/suspicious/noExplicitAny: a table holds options of every type
export type OptionTable = Readonly<Record<string, Option<any>>>;

/** The values that a table gives, by the same keys. */
export type OptionValues<T extends OptionTable> = { readonly [K in keyof T]: T[K] extends Option<infer V> ? V : never };

interface Described {
  readonly doc: string;
}

/** An option without a value. */
export function flag(doc: string): Option<boolean> {
  return { doc, placeholder: undefined, fallback: false, read: () => true };
}

/** Any text that is not empty, such as a path. */
export function text(options: Described & { placeholder: string }): Option<string | undefined> {
  const { doc, placeholder } = options;
  return {
    doc,
    placeholder,
    fallback: undefined,
    read(name, raw) {
      // `--out --json` is a forgotten value, not a folder of that name.
      if (raw !== '' && !raw.startsWith('--')) return raw;
      throw refusal(name, `a value (${placeholder})`, raw);
    },
  };
}

/** One of `names`. */
export function choice<T extends string, F extends T | undefined>(
  options: Described & { names: readonly T[]; fallback: F },
): Option<T | F> {
  const { doc, names, fallback } = options;
  return {
    doc,
    placeholder: names.join('|'),
    fallback,
    read(name, raw) {
      if (names.includes(raw as T)) return raw as T;
      throw unknownName(`value of ${optionName(name)}:`, raw, names);
    },
  };
}

/** A whole number from `least` to `most`. */
export function whole<F extends number | undefined>(
  options: Described & { least: number; most?: number; fallback: F },
): Option<number | F> {
  const { least, most = Number.MAX_SAFE_INTEGER } = options;
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  const fits = (value: number) => Number.isSafeInteger(value) && value >= least && value <= most;
  return numeric(options, 'N', `a whole number ${range}`, fits);
}

/** A finite number above 0. */
export function positive<F extends number | undefined>(options: Described & { fallback: F }): Option<number | F> {
  return numeric(options, 'X', 'a finite number above 0', (value) => Number.isFinite(value) && value > 0);
}

function numeric<F extends number | undefined>(
  { doc, fallback }: Described & { fallback: F },
  placeholder: string,
  expected: string,
  fits: (value: number) => boolean,
): Option<number | F> {
  return {
    doc,
    placeholder,
    fallback,
    read(name, raw) {
      const value = parseNumber(raw);
      if (fits(value)) return value;
      throw refusal(name, expected, raw);
    },
  };
}

/** `batchSize` → `--batch-size`. */
export function optionName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Decimal notation only: `Number` would take '', '0x10' and '1e1000' too. */
function parseNumber(raw: string): number {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(raw) ? Number(raw) : Number.NaN;
}

function refusal(name: string, expected: string, raw: string): DownhillError {
  return new DownhillError('argument', `${optionName(name)} takes ${expected}, found ${JSON.stringify(raw)}`);
}

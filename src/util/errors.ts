/**
 * The one error family of downhill. Every refusal names the input, what was found and what would fit;
 * `code` is for programs, `message` for people. The CLI prints the message alone (no stack) and exits with 1.
 */

import { printable, shortened, show } from './show.ts';

/** What kind of refusal this is; one code per thing a caller could handle differently. */
export type ErrorCode =
  /** A shape or rank that does not fit. */
  | 'shape'
  /** A dtype that does not fit. */
  | 'dtype'
  /** An option, name or value that is not accepted. */
  | 'argument'
  /** Training or evaluation data that cannot be used (labels out of range, different counts, empty set). */
  | 'data'
  /** A file or folder that is missing, truncated, corrupt or of another format. */
  | 'file'
  /** A download that failed. */
  | 'network'
  /** No adapter, a missing feature, a limit that the work exceeds. */
  | 'device'
  /** The device was lost while work was on it. */
  | 'device-lost'
  /** A tensor used after dispose(), a model used before build or compile. */
  | 'state'
  /** A broken invariant of downhill itself: always a bug. */
  | 'internal';

/** Codes of errors whose message quotes code, which is wanted whole. */
const WHOLE: readonly ErrorCode[] = ['device', 'internal'];

/**
 * An error that tells its reader what was wrong, with which input, and what would fit. Messages quote files: control
 * characters are escaped, and the middle of a message of more than 4,000 characters is left out.
 */
export class DownhillError extends Error {
  override readonly name = 'DownhillError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(printable(WHOLE.includes(code) ? message : shortened(message)), options);
  }
}

/** Throws an `internal` DownhillError unless `condition` holds: for invariants that no input can break. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new DownhillError('internal', `${message} (this is a bug in downhill)`);
}

/** The entry of `names` nearest to `name` by edit distance, or undefined when none is near. */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  // Long texts are not typing errors, and the time for the distance grows with the square of the length.
  if (name.length > 100) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of names) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Where the functions are that make a value of a kind: passing one without calling it is the usual slip. */
const FACTORIES: Readonly<Record<string, string>> = {
  loss: 'losses',
  optimizer: 'optimizers',
  initializer: 'initializers',
  metric: 'metrics',
};

/** `argument` error for a name that is not in `names`: lists them and, when one is near, suggests it. */
export function unknownName(what: string, name: unknown, names: readonly string[]): DownhillError {
  const near = typeof name === 'string' ? nearestName(name, names) : undefined;
  const kind = what.split(' ')[0];
  const call = typeof name === 'function' && names.includes(name.name) && FACTORIES[kind];
  const meant = call ? `; call it: ${call}.${name.name}().` : '.';
  const hint = near === undefined ? meant : `; did you mean "${near}"?`;
  return new DownhillError('argument', `unknown ${what} ${show(name)}${hint} Known: ${names.join(', ')}`);
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      current[j] = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + cost);
    }
    previous = current;
  }
  return previous[b.length]!;
}

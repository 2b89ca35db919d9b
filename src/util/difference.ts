/** Where two plain values differ, for messages. */

import { show } from './show.ts';

export interface Difference {
  /** `optimizer.config.learningRate`; empty for the values themselves. */
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/** The first difference of two JSON values; undefined when they are equal. */
export function firstDifference(before: unknown, after: unknown, path = ''): Difference | undefined {
  if (Object.is(before, after)) return undefined;
  if (!isBranch(before) || !isBranch(after) || Array.isArray(before) !== Array.isArray(after)) {
    return { path, before: shown(before), after: shown(after) };
  }
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const at = Array.isArray(before) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
    const found = firstDifference(before[key], after[key], at);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isBranch(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function shown(value: unknown): string {
  return value === undefined ? 'none' : show(value);
}

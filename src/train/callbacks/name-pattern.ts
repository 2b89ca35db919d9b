/**
 * NamePattern: file names with the numbers of a training in them, `weights-{epoch:03d}-{valLoss:.4f}`. The formats are
 * the two of Python's that Keras' examples use: whole numbers with leading zeros, and fixed decimals.
 */

import { show } from '../../nn/check-options.ts';
import { DownhillError, unknownName } from '../../util/errors.ts';

const FIELD = /\{([^{}:]*)(?::([^{}]*))?\}/g;
const FORMAT = /^(?:0?(\d+)d?|\.(\d+)f?|d)$/;

export class NamePattern {
  /** @throws DownhillError `argument` for no text, or a format that is not known. */
  constructor(
    private readonly owner: string,
    private readonly pattern: string,
  ) {
    if (typeof pattern !== 'string' || pattern === '') {
      throw new DownhillError(
        'argument',
        `${owner}: path must be a text such as "best" or "{epoch:03d}", found ${show(pattern)}`,
      );
    }
    for (const [field, , format] of pattern.matchAll(FIELD)) {
      if (format === undefined || FORMAT.test(format)) continue;
      throw new DownhillError('argument', `${owner}: the format in "${field}" must be like :03d or :.4f`);
    }
  }

  /** @throws DownhillError `argument` for a name in braces that is not in `known`. */
  check(known: readonly string[]): void {
    for (const [, name] of this.pattern.matchAll(FIELD)) {
      if (!known.includes(name)) throw unknownName(`name in the path of ${this.owner}:`, name, known);
    }
  }

  /** The name with `values` in it. */
  fill(values: Readonly<Record<string, number>>): string {
    return this.pattern.replaceAll(FIELD, (_, name: string, format?: string) => formatted(values[name], format));
  }
}

function formatted(value: number, format: string | undefined): string {
  const [, width, decimals] = FORMAT.exec(format ?? 'd')!;
  if (decimals !== undefined) return value.toFixed(Number(decimals));
  return String(value).padStart(Number(width ?? 0), '0');
}

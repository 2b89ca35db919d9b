/**
 * `npm run docs:ops`: writes what can be read from the code into docs/: the op reference from the op records, the
 * switches from the environment table. A test compares the committed files with it (`npm run docs:ops -- --check` does
 * the same).
 *
 * Invariant: the texts depend on the sources alone, one line per op, so that a change of a record is a small diff.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Op } from '../src/core/op.ts';
import { allOps } from '../src/ops/index.ts';
import { ENVIRONMENT_TABLE } from '../src/util/environment.ts';
import { runScript } from './run-script.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Generated pages by their path. */
export function generatedPages(): ReadonlyMap<string, string> {
  return new Map([
    [`${root}docs/ops.md`, opReference(allOps)],
    [`${root}docs/environment.md`, environmentReference(ENVIRONMENT_TABLE)],
  ]);
}

/** docs/ops.md. */
export function opReference(ops: readonly Op[]): string {
  const sorted = [...ops].sort((a, b) => byCodeUnit(a.name.toLowerCase(), b.name.toLowerCase()));
  const without = sorted.filter(({ vjp }) => vjp === null).length;
  return page('Op reference', [
    'Generated from the op records in `src/ops/` by `npm run docs:ops`; edit those, not this.',
    `${ops.length} ops, of which ${without} have no gradient, on purpose (\`vjp: null\`).`,
    [
      'Lowering: how the op becomes WGSL ([architecture](architecture.md#how-an-op-becomes-wgsl-the-lowering-kinds)).',
      'Samples: calls that tests make on every backend; refusals: calls that must fail with a given message.',
      'Tolerance: the accepted error of a call in f32 on a GPU, relative to max(1, |value|), and its source; tests',
      'derive from it what they accept against the f64 reference.',
    ].join('\n'),
    table(
      ['op', 'lowering', 'gradient', 'samples', 'refusals', 'what it computes', 'tolerance'],
      sorted.map((op) => [
        `\`${op.name}\``,
        loweringOf(op),
        op.vjp === null ? 'no' : 'yes',
        String(op.samples.length),
        String(op.rejects.length),
        op.doc,
        `${formatTolerance(op.tolerance.relative)}: ${op.tolerance.source}`,
      ]),
    ),
  ]);
}

function loweringOf({ lower }: Op): string {
  if (lower.kind === 'index') return `index, ${lower.cost}`;
  const shaders = lower.kind === 'composite' ? (lower.kernels ?? []).map(({ shader }) => shader) : [];
  return [lower.kind, ...new Set(shaders)].join(', or ');
}

/** docs/environment.md. */
export function environmentReference(switches: readonly { readonly name: string; readonly meaning: string }[]): string {
  return page('Environment switches', [
    'Generated from `src/util/environment.ts` by `npm run docs:ops`; edit that, not this.',
    'In Node they are read from the environment; in a browser every switch has its default (off).',
    table(
      ['switch', 'meaning'],
      switches.map(({ name, meaning }) => [`\`${name}\``, meaning]),
    ),
  ]);
}

/** `1e-6`, `0`. */
function formatTolerance(relative: number): string {
  return relative === 0 ? '0' : relative.toExponential();
}

function page(title: string, paragraphs: readonly string[]): string {
  return `${[`# ${title}`, ...paragraphs].join('\n\n')}\n`;
}

/** Cells are not padded: a longer name must not touch the lines of its neighbours. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll(/\s+/g, ' ').trim().replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** Not the locale's order: that differs between machines. */
function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Paths of generated pages that are not as the sources say. */
export function stalePages(): string[] {
  return [...generatedPages()].flatMap(([path, text]) =>
    readOrUndefined(path) === text ? [] : [relative(root, path)],
  );
}

runScript(import.meta.url, () => {
  const stale = stalePages();
  if (process.argv.includes('--check')) {
    if (stale.length > 0) throw new Error(`not up to date: ${stale.join(', ')}; run npm run docs:ops`);
    return;
  }
  for (const [path, text] of generatedPages()) writeFileSync(path, text);
  console.log(stale.length === 0 ? 'nothing has changed' : `written: ${stale.join(', ')}`);
});

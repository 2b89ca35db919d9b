/**
 * Goldens: the plans and kernels of the reference graphs as text. A refactoring shows no difference here; a change of
 * kernels is reviewed as one. `UPDATE_GOLDENS=1 npx vitest run kernels-test/golden` writes them anew.
 *
 * Declarations that stand in shaders/ word by word are named and not repeated: there they are reviewed themselves.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { printPlan } from '../../src/compile/print-plan.ts';
import { DEFAULT_TARGET } from '../../src/compile/target.ts';
import { verifyPlan } from '../../src/compile/verify-plan.ts';
import { shaders } from '../../src/shaders.gen.ts';
import { type ReferenceGraph, referenceGraphs } from './reference-graphs.ts';

const folder = new URL('plans/', import.meta.url);
const update = process.env.UPDATE_GOLDENS === '1';

/** Top-level declarations of a WGSL text, without comments and empty lines. */
function declarations(wgsl: string): string[] {
  const found: string[] = [];
  let lines: string[] = [];
  let depth = 0;
  for (const line of wgsl.split('\n').map((text) => text.replace(/\s*\/\/.*$/, '').trimEnd())) {
    if (line === '') continue;
    lines.push(line);
    depth += count(line, /[{(]/g) - count(line, /[})]/g);
    const attribute = line.startsWith('@') && !/[;}{]$/.test(line);
    if (depth > 0 || attribute) continue;
    found.push(lines.join('\n'));
    lines = [];
  }
  return found;
}

const count = (text: string, pattern: RegExp) => text.match(pattern)?.length ?? 0;

/** The file of shaders/ in which a declaration stands; not what a kernel may replace, parameters and slots. */
const library = new Map(
  Object.entries(shaders).flatMap(([name, text]) => {
    const fixed = text.replace(/\/\/ @slot [\s\S]*?\/\/ @end/g, '').replace(/^.*\/\/ @param.*$/gm, '');
    return declarations(fixed).map((declaration) => [declaration, `${name}.wgsl`] as const);
  }),
);

/** `text` of a kernel with a line `// file` in place of each run of declarations that stand in that file. */
function abridged(wgsl: string): string {
  const lines: string[] = [];
  for (const declaration of declarations(wgsl)) {
    const file = library.get(declaration);
    const line = file === undefined ? declaration : `// ${file}`;
    if (line !== lines.at(-1)) lines.push(line);
  }
  return lines.join('\n');
}

async function textOf({ plan, kernels = true }: ReferenceGraph): Promise<string> {
  const made = await plan();
  verifyPlan(made, DEFAULT_TARGET);
  const short = made.kernels.map((kernel) => ({ ...kernel, wgsl: abridged(kernel.wgsl) }));
  return `${printPlan({ ...made, kernels: short }, { kernels })}\n`;
}

test.each(referenceGraphs.map((graph) => [graph.name, graph] as const))('%s', async (name, graph) => {
  const path = new URL(`${name}.txt`, folder);
  const text = await textOf(graph);
  expect(await textOf(graph), 'the same graph gives the same text').toBe(text);
  if (update) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, text);
  }
  expect(existsSync(path), `${name}.txt is not there; UPDATE_GOLDENS=1 writes it`).toBe(true);
  expect(text, 'UPDATE_GOLDENS=1 accepts the change').toBe(readFileSync(path, 'utf8'));
});

test('the last, smaller batch of an epoch runs the kernels of the others', async () => {
  const texts = async (wanted: string) => {
    const { kernels } = await referenceGraphs.find(({ name }) => name === wanted)!.plan();
    return kernels.map(({ wgsl }) => wgsl);
  };
  const all = await texts('lenet5-adam-b64');
  const last = await texts('lenet5-adam-b64-last-32');
  expect(last.filter((text) => !all.includes(text)).length).toBe(0);
});

test('no golden is left over', () => {
  const names = new Set(referenceGraphs.map(({ name }) => `${name}.txt`));
  const left = readdirSync(folder).filter((file) => !names.has(file));
  if (update) for (const file of left) rmSync(new URL(file, folder));
  else expect(left).toEqual([]);
});

test('what is abridged is told from what is not', () => {
  const text = `const A = 4u; // @param\nstruct Run { base: i32, lo: i32, hi: i32 }\n\n// Note.\n@compute @workgroup_size(A)\nfn other(\n  i: u32,\n) {\n  if (i > A) {\n    return;\n  }\n}`;
  expect(declarations(text)).toHaveLength(3);
  expect(abridged(text).split('\n').slice(0, 3)).toEqual([
    'const A = 4u;',
    '// gemm.wgsl',
    '@compute @workgroup_size(A)',
  ]);
});

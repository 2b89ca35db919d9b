/**
 * Goldens: the plans and kernels of the reference graphs as text. A refactoring shows no difference here; a change of
 * kernels is reviewed as one. `UPDATE_GOLDENS=1 npx vitest run kernels-test/golden` writes them anew.
 *
 * Declarations that stand in shaders/ word by word are named and not repeated: there they are reviewed themselves.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { shaderTree } from '../../src/compile/lower/shader-trees.ts';
import { DEFAULT_LIMITS } from '../../src/compile/plan.ts';
import { printPlan } from '../../src/compile/print-plan.ts';
import { verifyPlan } from '../../src/compile/verify-plan.ts';
import { printDeclaration } from '../../src/kernel/print.ts';
import type { Module } from '../../src/kernel/tree.ts';
import { shaders } from '../../src/shaders.gen.ts';
import { CPU_ADAPTER } from '../support/graphs.ts';
import { moduleOf, textOf } from '../support/kernels.ts';
import { type ReferenceGraph, referenceGraphs } from './reference-graphs.ts';

const folder = new URL('plans/', import.meta.url);
const update = process.env.UPDATE_GOLDENS === '1';

/** The file of shaders/ that has a declaration word by word: not what a kernel may replace, parameters and slots. */
const library = new Map(
  Object.keys(shaders).flatMap((name) =>
    [DEFAULT_LIMITS, CPU_ADAPTER].flatMap((limits) =>
      shaderTree(name, limits)
        .declarations.filter((tree) => tree.kind !== 'slot' && !(tree.kind === 'constant' && tree.param))
        .map((tree) => [printDeclaration(tree), `${name}.wgsl`] as const),
    ),
  ),
);

/** A kernel with a line `// file` in place of each run of declarations that are in that file. */
function abridged({ directives, declarations }: Module): string {
  const lines: string[] = [...directives];
  for (const text of declarations.map(printDeclaration)) {
    const file = library.get(text);
    const line = file === undefined ? text : `// ${file}`;
    if (line !== lines.at(-1)) lines.push(line);
  }
  return lines.join('\n');
}

async function goldenOf({ plan, kernels = true }: ReferenceGraph): Promise<string> {
  const made = await plan();
  verifyPlan(made, DEFAULT_LIMITS);
  return `${printPlan(made, { kernels: kernels && abridged })}\n`;
}

test.each(referenceGraphs.map((graph) => [graph.name, graph] as const))('%s', async (name, graph) => {
  const path = new URL(`${name}.txt`, folder);
  const text = await goldenOf(graph);
  expect(await goldenOf(graph), 'the same graph gives the same text').toBe(text);
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
    return kernels.map(textOf);
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
  const text = 'const TM = 4u;\nstruct Run { base: i32, lo: i32, hi: i32 }\nfn other(i: u32) -> u32 {\n  return i;\n}';
  expect(abridged(moduleOf(text)).split('\n')).toEqual([
    'const TM = 4u;',
    '// gemm.wgsl',
    ...text.split('\n').slice(2),
  ]);
});

/**
 * What a built package and pages leave out of the sources: that it is what only checks read, that nothing else changes,
 * and that what a page does not use is not in its script.
 */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect } from 'vitest';
import { type Bundle, bundle } from '../scripts/bundle.ts';
import { minifyWgsl } from '../scripts/minify-wgsl.ts';
import { stripSource } from '../scripts/strip-source.ts';
import { createNodeWebGPUBackend } from '../src/backend/webgpu.node.ts';
import type { Dispatch } from '../src/compile/plan.ts';
import type { Op } from '../src/core/op.ts';
import * as source from '../src/index.ts';
import { drawSample } from '../src/self-test/sample-values.ts';
import { shaders } from '../src/shaders.gen.ts';
import { scalePlan } from './backend/hand-plans.ts';
import { runReference } from './support/evaluate.ts';
import { shortDescribe as describe, longDescribe, longTest, shortTest as test } from './support/part.ts';

describe('stripSource', () => {
  const record = [
    "import { convSamples, helper } from './conv-samples.ts';",
    "import { only } from './only.ts';",
    "import { compute } from './compute.ts';",
    'const table = [only(1)];',
    'function draw() {',
    '  return table;',
    '}',
    'export const op = defineOp(',
    '  {',
    "    name: 'op',",
    "    doc: 'what it ' +",
    "      'computes',",
    '    infer: ([x]) => helper(x),',
    '    cpu: ([x], y) => compute(x, y),',
    '    samples: [...convSamples, draw()],',
    '    rejects,',
    "    tolerance: { relative: 1e-6, source: 'somewhere' },",
    '    bench: { flops: () => 1, sample: { inputs: [] } },',
    '  },',
    '  (apply) => apply,',
    ');',
  ].join('\n');

  test('cuts what only checks read, and what nothing else used', () => {
    const text = stripSource('ops/op.ts', record);
    for (const gone of [
      'convSamples',
      'only',
      'draw',
      'table',
      'doc',
      'rejects',
      'sample',
      'tolerance',
      'cpu',
      'compute',
    ]) {
      expect(text, gone).not.toMatch(new RegExp(`\\b${gone}\\b`));
    }
    for (const kept of ["name: 'op'", 'helper(x)', 'flops: () => 1', '(apply) => apply']) {
      expect(text).toContain(kept);
    }
  });

  test('leaves every line where it is', () => {
    const lines = stripSource('ops/op.ts', record).split('\n');
    expect(lines).toHaveLength(record.split('\n').length);
    expect(lines[12]).toBe('    infer: ([x]) => helper(x),');
    expect(lines[19]).toBe('  (apply) => apply,');
  });

  test('the copy for the CPU has the name and the reference, and nothing that only they do without', () => {
    const text = stripSource('ops/op.ts', record, 'references');
    const reference = ["name: 'op'", 'cpu: ([x], y) => compute(x, y)', "from './compute.ts'", 'relative: 1e-6'];
    for (const kept of [...reference, '(apply) => apply,']) {
      expect(text).toContain(kept);
    }
    for (const gone of ['infer', 'helper', 'somewhere', 'bench', 'doc', 'samples', 'rejects', 'draw']) {
      expect(text, gone).not.toMatch(new RegExp(`\\b${gone}\\b`));
    }
    expect(text.split('\n')).toHaveLength(record.split('\n').length);
  });

  test("cuts the compiler's checks of its own work, where they are statements", () => {
    const text = [
      "import { buildGraph, verifyGraph } from '../core/graph.ts';",
      'const graph = buildGraph(spec);',
      'verifyGraph(graph);',
      'use(graph);',
    ].join('\n');
    const cut = stripSource('compile/a.ts', text);
    expect(cut).not.toContain('verifyGraph');
    expect(cut).toMatch(/^import \{ buildGraph,\s+\} from/);
    expect(cut).toContain('\n\nuse(graph);');
    expect(stripSource('backend/a.ts', text)).toContain('verifyGraph(graph);');
    const later =
      "async function check(plan) {\n  const { verifyPlan } = await import('./verify-plan.ts');\n" +
      '  verifyPlan(plan);\n}';
    expect(stripSource('compile/a.ts', later)).toBe(later);
  });

  test('cuts in op files alone: elsewhere the same names mean other things', () => {
    const text = "export const option = { doc: 'help', samples: [1], values: 2 };";
    expect(stripSource('cli/options.ts', text)).toBe(text);
    expect(stripSource('ops/op.ts', text)).not.toContain('help');
  });

  test('an object without a description keeps its values and samples', () => {
    const text = "export const input = { values: 'normal', samples: 3, source: 'x' };";
    expect(stripSource('ops/samples.ts', text)).toBe(text);
  });

  test.each([
    ['a call', 'const a = f({ b: 1 });', 'const a = /* @__PURE__ */ f({ b: 1 });'],
    ['a call in an argument', 'const a = f(g());', 'const a = /* @__PURE__ */ (() => (f(g())))();'],
    ['a call in a list', 'const a = [f(1)];', 'const a = /* @__PURE__ */ (() => ([f(1)]))();'],
    ['calls made later', 'const a = (x) => f(x);', 'const a = (x) => f(x);'],
    ['plain data', "const a = { b: [1, 'c'] };", "const a = { b: [1, 'c'] };"],
  ])('marks as pure: %s', (_title, text, expected) => {
    expect(stripSource('nn/a.ts', text)).toBe(expected);
  });
});

describe('minifyWgsl', () => {
  test('drops comments, indentation and empty lines, and keeps the marks of templates', () => {
    const text =
      '// head\nconst A = 4u;   // @param  rows\n\n  /* a /* nested */ b */ fn f() {  // why\n  // @slot body\n';
    expect(minifyWgsl(text)).toBe('const A = 4u; // @param\nfn f() {\n// @slot body');
  });

  test('an open comment is an error', () => {
    expect(() => minifyWgsl('fn f() {} /* and')).toThrow(/not closed/);
  });

  test.each(Object.entries(shaders))('%s keeps every word', (_name, text) => {
    const words = (wgsl: string) =>
      wgsl.replace(/\/\/(?! @)[^\n]*|(\/\/ @(?:param|slot \w+|end))[^\n]*/g, '$1').split(/\s+/);
    const filled = (wgsl: string) => words(wgsl).filter((word) => word !== '');
    expect(filled(minifyWgsl(text))).toEqual(filled(text));
    expect(minifyWgsl(text).length).toBeLessThan(text.length);
  });
});

describe('the stripped library', () => {
  let folder: string;
  let lean: typeof source;
  let whole: Bundle;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'downhill-strip-'));
    whole = await bundle('src/index.ts');
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    const [entry] = written(whole, folder);
    lean = (await import(/* @vite-ignore */ pathToFileURL(entry).href)) as typeof source;
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('exports what the sources export', () => {
    expect(Object.keys(lean).sort()).toEqual(Object.keys(source).sort());
    expect(Object.keys(lean.layers).sort()).toEqual(Object.keys(source.layers).sort());
  });

  test('op records have all that runs, and nothing that only checks read', () => {
    expect(lean.allOps.map(({ name }) => name)).toEqual(source.allOps.map(({ name }) => name));
    lean.allOps.forEach((op, k) => {
      const { doc, samples, rejects, cpu, tolerance, ...runs } = source.allOps[k];
      expect(doc.length + samples.length, op.name).toBeGreaterThan(1);
      expect(rejects, op.name).toBeDefined();
      expect([typeof cpu, typeof tolerance], op.name).toEqual(['function', 'object']);
      // The one op outside of ops/ keeps its reference: it is not in the copy that the CPU loads.
      const kept = op.name === 'copy' ? { ...runs, cpu, tolerance } : runs;
      expect(Object.keys(op).sort(), op.name).toEqual(Object.keys(kept).sort());
      expect(Object.keys(op.bench), op.name).toEqual(['flops']);
      expect(op.lower.kind, op.name).toBe(runs.lower.kind);
    });
  });

  test('no module of samples is left, nor a comment of a shader', () => {
    expect([...whole.modules.keys()].filter((path) => path.includes('-samples'))).toEqual([]);
    expect(whole.code).not.toContain('every dense contraction');
    expect(readFileSync('shaders/gemm.wgsl', 'utf8')).toContain('every dense contraction');
  });

  test('the references of all ops come with the copy for the CPU, and compute the same', async () => {
    const text = "export { bringReferences } from './src/backend/cpu/references.ts';";
    const [entry] = written(await bundle('references.ts', { text }), join(folder, 'references'));
    const { bringReferences } = await import(/* @vite-ignore */ pathToFileURL(entry).href);
    const bare = source.allOps.map(({ name }) => ({ name }) as Op);
    await bringReferences(bare);
    source.allOps.forEach((op, k) => {
      expect(bare[k].tolerance, op.name).toEqual({ relative: op.tolerance.relative });
      for (const sample of op.samples) {
        const inputs = drawSample(sample);
        const { infer } = op;
        const found = runReference({ ...bare[k], infer }, inputs, sample.attrs);
        expect(found, `${op.name}, ${sample.title}`).toEqual(runReference(op, inputs, sample.attrs));
      }
    });
  });

  test('what loads with the entry of a page has no reference, CPU backend or check of plans', async () => {
    const page = await bundle('kernels-test/browser/budget/lenet.ts', { exports: 'none' });
    const [entry, ...later] = page.files.values();
    for (const words of ['(f64 reference)', 'ids are places in the list', 'cpu(']) {
      expect([words, entry.includes(words), page.code.includes(words)]).toEqual([words, false, true]);
    }
    expect(later.length).toBeGreaterThan(2);
    expect(page.onDemandGzip()).toBeGreaterThan(10_000);
  });

  test('a plan from elsewhere is verified', async () => {
    const backend = lean.createCpuBackend();
    // Its own op is of the sources, not of the bundle: another takes its place.
    const made = scalePlan(4);
    const plan = { ...made, dispatches: made.dispatches.map(withRelu) };
    const bound = [backend.createBuffer(4, 'f32', 'x')];
    (await backend.load(plan, bound)).dispose();
    await expect(backend.load({ ...plan, planBytes: 1 }, bound)).rejects.toThrow(/planBytes is 1/);
    await backend.dispose();
  });

  test.each(['the device', 'the CPU'])('a training on %s gives the same bits', async (where) => {
    const owner = await createNodeWebGPUBackend();
    const losses = async (library: typeof source): Promise<Float32Array> => {
      const backend =
        where === 'the CPU' ? library.createCpuBackend() : library.createWebGPUBackend({ device: owner.device });
      library.setBackend(backend);
      try {
        const { layers } = library;
        using net = library.sequential(
          [
            layers.conv2d({ filters: 4, kernelSize: 5, activation: 'relu' }),
            layers.batchNormalization(),
            layers.maxPooling2d(),
            layers.flatten(),
            layers.dropout({ rate: 0.2 }),
            layers.dense({ units: 10 }),
          ],
          { seed: 3 },
        );
        net.compile({ optimizer: 'adam', loss: library.losses.sparseCategoricalCrossentropy({ fromLogits: true }) });
        const { train } = library.digits({ train: 96, test: 1, seed: 2 });
        const history = await net.fit(train, { epochs: 2, batchSize: 32, verbose: 0 });
        return history.lossHistory;
      } finally {
        library.setBackend(undefined);
        await backend.dispose();
      }
    };
    const expected = await losses(source);
    expect(expected).toHaveLength(6);
    expect(expected.every(Number.isFinite)).toBe(true);
    expect(await losses(lean)).toEqual(expected);
    await owner.dispose();
  });
});

function withRelu(dispatch: Dispatch): Dispatch {
  return { ...dispatch, reference: dispatch.reference.map((step) => ({ ...step, op: 'relu' })) };
}

/** Writes the files of `bundle` to `folder`. @returns their paths, the entry's first. */
function written({ files }: Bundle, folder: string): string[] {
  return [...files].map(([path, code]) => {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, code);
    return target;
  });
}

longDescribe('tree-shaking', () => {
  const page = (text: string) => bundle('page.ts', { text });
  const under = ({ modules }: Bundle, folder: string) => [...modules.keys()].filter((path) => path.startsWith(folder));

  longTest('an import of nothing is nothing', async () => {
    expect((await page("import './src/index.ts';")).minified).toBeLessThan(100);
  });

  longTest('one op brings no model', async () => {
    const { modules } = await page("import { relu } from './src/index.ts';\nexport const y = (x) => relu(x);");
    const rooms = new Set([...modules.keys()].map((path) => path.split('/')[1]));
    expect(rooms.has('ops')).toBe(true);
    for (const room of ['nn', 'train', 'data', 'zoo', 'runtime']) expect([...rooms]).not.toContain(room);
  });

  longTest('Sequential alone brings no data, no zoo, and of the callbacks only the progress bar', async () => {
    const found = await page(
      "import { Sequential } from './src/index.ts';\nexport const make = () => new Sequential();",
    );
    expect(under(found, 'src/train/').length).toBeGreaterThan(10);
    expect(under(found, 'src/zoo/')).toEqual([]);
    expect(under(found, 'src/tune/')).toEqual([]);
    expect(under(found, 'src/data/').filter((path) => !/dataset|rows|stream|split/.test(path))).toEqual([]);
    expect(under(found, 'src/train/callbacks/').sort()).toEqual([
      'src/train/callbacks/callback.ts',
      'src/train/callbacks/progress-bar.ts',
    ]);
    expect(under(found, 'src/ops/').filter((path) => path.includes('samples'))).toEqual([]);
  });

  longTest('sequential and two layers bring two layers, and optimizers by name', async () => {
    const found = await page(
      `import { layers, sequential } from './src/index.ts';
       export const net = () => sequential([layers.flatten(), layers.dense({ units: 3 })]).compile({
         optimizer: 'adam', loss: 'meanSquaredError' });`,
    );
    expect(under(found, 'src/nn/layers/').sort()).toEqual([
      'src/nn/layers/core/dense.ts',
      'src/nn/layers/core/input.ts',
      'src/nn/layers/reshaping/flatten.ts',
    ]);
    expect(under(found, 'src/train/model/load-model.ts')).toEqual([]);
    expect(found.modules.has('src/ops/convolution/conv.ts')).toBe(false);
    for (const name of ['adam', 'lion', 'meanSquaredError', 'sparseCategoricalCrossentropy', 'glorotUniform', 'gelu']) {
      expect(found.code).toContain(name);
    }
  });

  longTest('the self-test comes with whole records of its own, beside the stripped ones of the page', async () => {
    const { modules } = await page(
      `import { conv2d } from './src/index.ts';
       export { selfTest } from './src/self-test.ts';
       export const y = (x, k) => conv2d(x, k);`,
    );
    expect(modules.has('src/ops/convolution/conv-samples.ts')).toBe(false);
    expect(modules.has('src/ops/convolution/conv-samples.ts?full')).toBe(true);
    expect(modules.get('src/ops/convolution/conv.ts?full')).toBeGreaterThan(
      modules.get('src/ops/convolution/conv.ts')!,
    );
  });
});

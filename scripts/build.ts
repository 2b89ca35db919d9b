/**
 * `npm run build`: src/ → dist/, one JavaScript module and one .d.ts for each source file, and dist/lean/, the same
 * modules without what only checks need (strip-source.ts).
 *
 * Plain `tsc` emit, not a bundle: Node runs it as it is, a user's bundler shakes it, stack traces name our files. What
 * the compiler leaves to do is to make the command executable and to bring WebGPU's types along with the declarations.
 * Who imports `downhill` or `downhill/node` gets the lean modules; the command and `downhill/self-test`, which run the
 * samples of op records, the whole ones. Declarations are the same for both and are in dist/ once.
 */

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { embedShaders } from './embed-shaders.ts';
import { runScript } from './run-script.ts';
import { REFERENCES, stripSource } from './strip-source.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

/** Modules a user may import; they must be there, and their declarations are complete. */
const ENTRIES = ['index', 'node', 'self-test'];
const COMMAND = 'cli/main.js';
/** What has no lean form: it needs whole records. */
const WHOLE = /^(cli\/|self-test)/;
const SHEBANG = '#!/usr/bin/env node\n';

function build(): void {
  embedShaders();
  rmSync(dist, { recursive: true, force: true });
  const tsc = fileURLToPath(import.meta.resolve('typescript/bin/tsc'));
  const { status } = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json')], { stdio: 'inherit' });
  if (status !== 0) throw new Error('build: the compiler refused the sources (see above)');

  for (const path of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    if (path.endsWith('.d.ts')) edit(path, rewriteImports);
  }
  // The user's compiler must find GPUDevice and its kin without being told of @webgpu/types.
  for (const entry of ENTRIES) edit(`${entry}.d.ts`, (text) => `/// <reference types="@webgpu/types" />\n${text}`);
  writeLean();
  edit(COMMAND, (text) => (text.startsWith('#!') ? text : SHEBANG + text));
  chmodSync(join(dist, COMMAND), 0o755);
}

/**
 * dist/lean/: the modules that a user's program loads, with maps to the same sources. Beside `ops/` lies `references/`,
 * the copy of it that the CPU backend loads when it is used.
 */
function writeLean(): void {
  for (const entry of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    const path = entry.replaceAll('\\', '/');
    if (WHOLE.test(path) || !/\.js(\.map)?$/.test(path)) continue;
    const text = readFileSync(join(dist, path), 'utf8');
    const lean = path.endsWith('.map') ? deeperMap(text) : stripSource(path, text);
    writeTo(join(dist, 'lean', path), path === `${REFERENCES.from}.js` ? withReferences(lean) : lean);
    if (!path.startsWith('ops/')) continue;
    const references = path.endsWith('.map') ? deeperMap(text) : stripSource(path, text, 'references');
    writeTo(join(dist, 'lean', path.replace('ops/', 'references/')), references);
  }
}

/** Sends the import of the ops to `references/`. */
function withReferences(text: string): string {
  const ops = `import("../../${REFERENCES.import}.js")`;
  if (!text.includes(ops)) throw new Error(`build: ${REFERENCES.from} does not ${ops}`);
  return text.replace(ops, ops.replace('ops/', 'references/'));
}

function writeTo(target: string, text: string): void {
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
}

/** The map of a module that is one folder deeper: its lines are the same (strip-source.ts). */
function deeperMap(text: string): string {
  const map = JSON.parse(text) as { sources: readonly string[] };
  return JSON.stringify({ ...map, sources: map.sources.map((source) => `../${source}`) });
}

/** The compiler rewrites `./x.ts` to `./x.js` in what runs, but not in declarations. */
function rewriteImports(text: string): string {
  return text.replace(/(\bfrom\s+|\bimport\s*\(\s*|^import\s+)(["'])(\.{1,2}\/[^"']+)\.ts\2/gm, '$1$2$3.js$2');
}

function edit(path: string, change: (text: string) => string): void {
  const file = join(dist, path);
  let before: string;
  try {
    before = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Error(`build: dist/${path} was not made; is its source in src/?`, { cause });
  }
  const after = change(before);
  if (after !== before) writeFileSync(file, after);
}

runScript(import.meta.url, build);

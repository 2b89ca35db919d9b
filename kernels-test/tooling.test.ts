/**
 * The source tree keeps its own order: what may import what, what may touch Node, how long a file may be, that
 * importing the package does nothing. Beside that, the tooling that the other tests stand on: the shader module, the
 * adapter's installation plan, the counts of .ci/run. No device is needed here.
 */

import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { isLocked } from '../scripts/apt.ts';
import { countTests } from '../scripts/ci-counts.ts';
import { adapterPlan, hasSuite, type Machine, mirrorOf, parseOsRelease, shellCommands } from '../scripts/debian.ts';
import { embedShaders } from '../scripts/embed-shaders.ts';
import {
  importCycles,
  isRelative,
  readSourceTree,
  resolveRelative,
  roomOf,
  specifiersOf,
} from '../scripts/import-graph.ts';
import {
  crowdedFolders,
  ENTRIES,
  longFiles,
  opImports,
  ROOM_ORDER,
  ROOMS,
  SHADERS,
  textSurgery,
  wrongWay,
} from '../scripts/source-rules.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

describe('source tree', () => {
  const tree = readSourceTree(join(root, 'src'));

  /** The texts of all TypeScript and WGSL files below the root's `folder` that are not generated, by path. */
  function textsOf(folder: string): Record<string, string> {
    const paths = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((path) => path.replaceAll('\\', '/'))
      .filter((path) => /\.(ts|wgsl)$/.test(path) && !path.endsWith('.gen.ts'));
    return Object.fromEntries(paths.map((path) => [path, readFileSync(join(root, folder, path), 'utf8')]));
  }

  test('every file is in a known room', () => {
    const strays = tree.filter(({ path }) => {
      const room = roomOf(path);
      return room === undefined ? !ENTRIES.includes(path) && path !== SHADERS : !ROOMS.includes(room);
    });
    expect(strays.map((file) => file.path)).toEqual([]);
  });

  test(`imports go one way: ${ROOM_ORDER}`, () => {
    expect(tree.flatMap((file) => wrongWay(file).map((target) => `${file.path} imports ${target}`))).toEqual([]);
  });

  test('the rule itself finds what breaks it', () => {
    const from = (path: string, specifier: string) => wrongWay({ path, specifiers: [specifier] });
    expect(from('core/op.ts', '../ops/add.ts')).toEqual(['ops/add.ts']);
    expect(from('data/batches.ts', '../train/fit.ts')).toEqual(['train/fit.ts']);
    expect(from('train/fit.ts', '../index.ts')).toEqual(['index.ts']);
    expect(from('train/fit.ts', '../data/batches.ts')).toEqual([]);
    expect(from('backend/webgpu/device.ts', '../../shaders.gen.ts')).toEqual([]);
    expect(from('cli/main.ts', '../node.ts')).toEqual([]);
  });

  test.each(['docs/architecture.md', 'CONTRIBUTING.md'])('%s gives the order of rooms as it is', (path) => {
    const text = readFileSync(join(root, path), 'utf8');
    expect(text.split('\n').filter((line) => line.startsWith('util ←'))).toEqual([ROOM_ORDER]);
  });

  test('docs/architecture.md describes every room, in order', () => {
    const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
    const rooms = [...text.matchAll(/^\| `src\/([\w-]+)\/` \|/gm)].map(([, room]) => room);
    expect(rooms).toEqual(ROOMS);
  });

  test('no pass and no backend imports an op', () => {
    const found = tree.flatMap((file) => opImports(file).map((target) => `${file.path} imports ${target}`));
    // The one import of all ops, for builds that leave references out: it names none.
    expect(found).toEqual(['backend/cpu/references.ts imports ops/index.ts']);
  });

  test('an op import in a pass or a backend is found', () => {
    const from = (path: string, specifier: string) => opImports({ path, specifiers: [specifier] });
    expect(from('compile/graph/simplify.ts', '../../ops/elementwise/copy.ts')).toEqual(['ops/elementwise/copy.ts']);
    expect(from('backend/cpu.ts', '../ops/index.ts')).toEqual(['ops/index.ts']);
    expect(from('compile/graph/simplify.ts', '../../core/op.ts')).toEqual([]);
    expect(from('transform/grad.ts', '../ops/elementwise/binary.ts')).toEqual([]);
  });

  test('every relative import names an existing file with its .ts ending', () => {
    const known = new Set([...tree.map((file) => file.path), SHADERS]);
    const bad = tree.flatMap((file) =>
      file.specifiers
        .filter((specifier) => isRelative(specifier) && !known.has(resolveRelative(file, specifier)))
        .map((specifier) => `${file.path} imports ${specifier}`),
    );
    expect(bad).toEqual([]);
  });

  test('no files import each other in a circle, types included', () => {
    expect(importCycles(tree)).toEqual([]);
  });

  test('cycles are found', () => {
    const file = (path: string, ...specifiers: string[]) => ({ path, specifiers });
    const ring = [file('a/x.ts', '../b/y.ts'), file('b/y.ts', './z.ts'), file('b/z.ts', '../a/x.ts', '../c.ts')];
    expect(importCycles([...ring, file('c.ts')])).toEqual([['a/x.ts', 'b/y.ts', 'b/z.ts']]);
    expect(importCycles([file('a.ts', './b.ts', './c.ts'), file('b.ts', './c.ts'), file('c.ts')])).toEqual([]);
  });

  /** Each is the subject of a decision: docs/adr/0010 (webgpu). */
  const DEPENDENCIES = ['webgpu'];
  const isForNode = (path: string) => path === 'node.ts' || path.startsWith('cli/') || path.endsWith('.node.ts');

  test('only files for Node import Node, our dependencies, or each other; nothing else is imported at all', () => {
    const bad = tree.flatMap((file) =>
      file.specifiers
        .filter((specifier) => {
          if (isRelative(specifier)) return isForNode(resolveRelative(file, specifier)) && !isForNode(file.path);
          const allowed = specifier.startsWith('node:') || DEPENDENCIES.includes(specifier);
          return !allowed || !isForNode(file.path);
        })
        .map((specifier) => `${file.path} imports ${specifier}`),
    );
    expect(bad).toEqual([]);
  });

  test("Node's modules are written with node:, so that no file hides one", () => {
    const bare = tree.flatMap((file) => file.specifiers.filter((name) => builtinModules.includes(name)));
    expect(bare).toEqual([]);
  });

  test('an import is seen in each form it can be written in', () => {
    const text = `#!/usr/bin/env node
      import a, { type b } from './a.ts';
      import type { c } from './c.ts';
      import './d.ts';
      export * from './e.ts';
      export type { f } from './f.ts';
      // import './comment.ts';
      const g = await import('./g.ts');
      type H = import('./h.ts').H;
      const text = "import './string.ts'";`;
    expect(specifiersOf(text)).toEqual(['a', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => `./${name}.ts`));
  });

  test('no file of src is over 320 lines, no shader or script over 500', () => {
    expect(longFiles(textsOf('src'), 320).sort()).toEqual([]);
    expect([...longFiles(textsOf('shaders'), 500), ...longFiles(textsOf('scripts'), 500)]).toEqual([]);
  });

  test('no folder of src holds more than 25 files', () => {
    const paths = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)));
    expect(crowdedFolders(paths, 25)).toEqual([]);
  });

  test('a long file and a crowded folder are found', () => {
    const text = (lines: number) => 'x;\n'.repeat(lines);
    expect(longFiles({ 'a.ts': text(321), 'b.ts': text(320), 'c.ts': `${text(320)}\n\n` }, 320)).toEqual([
      'a.ts (321)',
    ]);
    const files = (folder: string, count: number) => Array.from({ length: count }, (_, k) => `${folder}/${k}.ts`);
    const paths = [...files('src/a', 25), ...files('src/a/inner', 3), ...files('src/b', 26)];
    expect(crowdedFolders(paths, 25)).toEqual(['src/b (26)']);
  });

  test('the compiler cuts no text by patterns: kernels are trees', () => {
    const found = Object.entries(textsOf('src/compile')).flatMap(([path, text]) =>
      textSurgery(text).map((code) => ({ path: `compile/${path}`, code })),
    );
    const places = found.map(({ path, code }) => `${path}:${code}`).join('\n');
    expect([...new Set(found.map(({ path }) => path))].sort(), places).toEqual([]);
  });

  test.each([
    ['const name = /fn (\\w+)/.exec(wgsl);', ['1: /fn (\\w+)/']],
    ['// One\nconst word = new RegExp(name);', ['2: RegExp']],
    ['const word = RegExp(name);', ['1: RegExp']],
    ["wgsl.replace('a', 'b');", ['1: wgsl.replace']],
    ["text\n  .trim()\n  .replaceAll('a', 'b');", ['1: text\n  .trim()\n  .replaceAll']],
    ['const found = body?.match(pattern);', ['1: body?.match']],
    ['for (const hit of wgsl.matchAll(LOOP)) use(hit);', ['1: wgsl.matchAll']],
    ['this.replace(cluster, other); // text.replace(/x/, y)', []],
    ["const path = 'a/b/c'; const half = a / b / c; const kind: RegExp | null = null;", []],
  ])('a pattern applied to text is found: %s', (source, expected) => {
    expect(textSurgery(source)).toEqual(expected);
  });
});

describe('importing the package', () => {
  test('src/index.ts touches neither navigator.gpu nor the network, and leaves no global behind', () => {
    const entry = pathToFileURL(join(root, 'src/index.ts')).href;
    const script = `
      const touched = [];
      const trap = (name) => ({ configurable: true, get() { touched.push(name); return undefined; } });
      const navigator = Object.defineProperty({}, 'gpu', trap('navigator.gpu'));
      Object.defineProperty(globalThis, 'navigator', { configurable: true, value: navigator });
      globalThis.fetch = () => { touched.push('fetch'); throw new Error('offline'); };
      const before = new Set(Reflect.ownKeys(globalThis));
      const exports = Object.keys(await import(${JSON.stringify(entry)}));
      const added = Reflect.ownKeys(globalThis).filter((key) => !before.has(key)).map(String);
      console.log(JSON.stringify({ touched, added, exports: exports.length }));`;
    const stdout = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const seen = JSON.parse(stdout);
    expect(seen).toMatchObject({ touched: [], added: [] });
    expect(seen.exports).toBeGreaterThan(0);
  });
});

describe('embed-shaders', () => {
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });

  /** A folder with these files, made in this order. */
  function folderOf(files: Readonly<Record<string, string>>): { from: string; to: string } {
    const folder = mkdtempSync(join(tmpdir(), 'downhill-embed-'));
    folders.push(folder);
    const from = join(folder, 'shaders');
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(from, path)), { recursive: true });
      writeFileSync(join(from, path), text);
    }
    return { from, to: join(folder, 'out/shaders.gen.ts') };
  }

  test('the same files give the same module, whatever their order, folders or line ends', () => {
    const first = folderOf({ 'b.wgsl': 'fn b() {}\n// “é”\n', 'x/a.wgsl': '`\u0024{a}`\\n', 'note.txt': '' });
    const second = folderOf({ 'y/a.wgsl': '`\u0024{a}`\\n', 'b.wgsl': 'fn b() {}\r\n// “é”\r\n' });
    expect(embedShaders(first)).toEqual({ names: ['a', 'b'], changed: true });
    embedShaders(second);
    expect(readFileSync(first.to, 'utf8')).toBe(readFileSync(second.to, 'utf8'));
  });

  test('the module gives back each text exactly', async () => {
    const texts = { 'batch-norm': 'const A = "\\u{41}"; // `\u0024{x}` \u2028', gemm: '' };
    const paths = folderOf({ 'batch-norm.wgsl': texts['batch-norm'], 'gemm.wgsl': texts.gemm });
    embedShaders(paths);
    const { shaders } = await import(/* @vite-ignore */ pathToFileURL(paths.to).href);
    expect(shaders).toEqual(texts);
    expect(readFileSync(paths.to, 'utf8')).toContain('type ShaderName = "batch-norm" | "gemm";');
  });

  test('a module that is already right is left alone', () => {
    const paths = folderOf({ 'a.wgsl': 'fn a() {}' });
    embedShaders(paths);
    utimesSync(paths.to, 1, 1);
    expect(embedShaders(paths).changed).toBe(false);
    expect(statSync(paths.to).mtimeMs).toBe(1000);
    writeFileSync(join(paths.from, 'a.wgsl'), 'fn a() { return; }');
    expect(embedShaders(paths).changed).toBe(true);
  });

  test('no shaders at all give a module with none', () => {
    const paths = folderOf({});
    expect(embedShaders(paths)).toEqual({ names: [], changed: true });
    expect(readFileSync(paths.to, 'utf8')).toContain('type ShaderName = never;');
  });

  test('two files of one name are refused', () => {
    const paths = folderOf({ 'map.wgsl': '', 'x/map.wgsl': '' });
    expect(() => embedShaders(paths)).toThrow(/two shaders are named "map": map\.wgsl and x.map\.wgsl/);
  });

  test("the package's own module is up to date", () => {
    expect(embedShaders().changed).toBe(false);
  });
});

describe('ensure-adapter', () => {
  const debian = (version: string | undefined, ...sources: [path: string, text: string][]): Machine => ({
    platform: 'linux',
    root: true,
    osRelease: parseOsRelease(`ID=debian\n${version === undefined ? '' : `VERSION_ID="${version}"\n`}`),
    aptSources: sources.map(([path, text]) => ({ path, text })),
  });
  const DEB822 = `Types: deb
# http://snapshot.debian.org/archive/debian/20250520T000000Z
URIs: http://mirror.example/debian
Suites: bookworm
 bookworm-updates
Components: main
`;

  test('Debian 12 takes Mesa from backports, on the mirror it uses already', () => {
    const plan = adapterPlan(debian('12', ['/etc/apt/sources.list.d/debian.sources', DEB822]))!;
    expect(plan).toMatchObject({
      packages: ['mesa-vulkan-drivers', 'libvulkan1'],
      targetRelease: 'bookworm-backports',
    });
    const keyring = 'signed-by=/usr/share/keyrings/debian-archive-keyring.gpg';
    expect(plan.addSource!.text).toBe(`deb [${keyring}] http://mirror.example/debian bookworm-backports main\n`);
    expect(shellCommands(plan)).toEqual([
      `echo '${plan.addSource!.text.trim()}' | sudo tee /etc/apt/sources.list.d/bookworm-backports.list`,
      'sudo apt-get update',
      'sudo apt-get install -y -t bookworm-backports mesa-vulkan-drivers libvulkan1',
    ]);
    expect(adapterPlan(debian('12'))!.addSource!.text).toContain(' http://deb.debian.org/debian bookworm-backports ');
  });

  test('backports that are there are not added again', () => {
    const line = 'deb http://deb.debian.org/debian bookworm-backports main\n';
    const plan = adapterPlan(debian('12', ['/etc/apt/sources.list', line]))!;
    expect(plan.targetRelease).toBe('bookworm-backports');
    expect(plan.addSource).toBeUndefined();
  });

  test('later Debians need no backports; others are left to a person', () => {
    expect(adapterPlan(debian('13'))).toEqual({ packages: ['mesa-vulkan-drivers', 'libvulkan1'] });
    expect(adapterPlan(debian(undefined))).toEqual({ packages: ['mesa-vulkan-drivers', 'libvulkan1'] });
    expect(adapterPlan(debian('11'))).toBeUndefined();
    expect(adapterPlan({ ...debian('12'), platform: 'darwin' })).toBeUndefined();
    expect(adapterPlan({ ...debian('12'), osRelease: parseOsRelease('ID=ubuntu\nID_LIKE=debian\n') })).toBeUndefined();
  });

  test.each([
    ['x.list', 'deb [arch=amd64 signed-by=/k.gpg] https://m/debian s main', true],
    ['x.list', '# deb http://m/debian s main', false],
    ['x.list', 'deb-src http://m/debian s main', false],
    ['x.list', 'deb http://m/debian s-updates main', false],
    ['x.sources', 'Types: deb deb-src\nURIs: http://m/debian\nSuites: t s\n', true],
    ['x.sources', 'Enabled: no\nTypes: deb\nURIs: http://m/debian\nSuites: s\n', false],
    ['x.sources', 'Types: deb\nURIs: http://m/debian\nSuites: t\n\nTypes: deb-src\nURIs: http://m\nSuites: s\n', false],
    ['x.sources', 'Types: deb\nURIs: http://m/debian\nSuites:\n t\n# between\n s\n', true],
  ])('apt source %s %j reads suite "s": %s', (path, text, expected) => {
    expect(hasSuite([{ path, text }], 's')).toBe(expected);
  });

  test('a mirror must be reached over the network', () => {
    const text = 'deb cdrom:[Debian]/ s main\ndeb http://m/debian s main\n';
    expect(mirrorOf([{ path: 'x.list', text }], 's')).toBe('http://m/debian');
  });

  test("a held lock is told from apt's other failures", () => {
    expect(isLocked('E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)')).toBe(true);
    expect(isLocked('E: Unable to locate package mesa-vulkan-drivers')).toBe(false);
  });
});

describe('.ci/run counts', () => {
  const file = (status: string, ...tests: string[]) => ({
    name: 'x.test.ts',
    status,
    assertionResults: tests.map((test) => ({ status: test })),
  });

  test('a test that did not pass has failed, and so has a file that did not load', () => {
    expect(countTests({ testResults: [file('passed', 'passed', 'passed')] })).toEqual({ passed: 2, failed: 0 });
    expect(countTests({ testResults: [file('failed', 'passed', 'failed')] })).toEqual({ passed: 1, failed: 1 });
    expect(countTests({ testResults: [file('passed', 'passed', 'pending', 'todo')] })).toEqual({
      passed: 1,
      failed: 2,
    });
    expect(countTests({ testResults: [file('passed', 'passed'), file('failed')] })).toEqual({ passed: 1, failed: 1 });
    expect(countTests({ testResults: [] })).toEqual({ passed: 0, failed: 1 });
  });
});

/**
 * Packs the package as `npm publish` would, installs the tarball into an empty project, and uses it from there: the
 * entries import and work together, the command answers, and a TypeScript project that is strict about declarations
 * accepts the types. What is only right inside this repository (paths, hooks, dev dependencies) fails here.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runScript } from './run-script.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Everything that a tarball may hold. */
const ALLOWED = /^(dist\/.+\.(js|js\.map|d\.ts)|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/;
const REQUIRED = [
  ...['index', 'node'].flatMap((entry) => [`dist/lean/${entry}.js`, `dist/${entry}.d.ts`]),
  ...['dist/self-test.js', 'dist/self-test.d.ts', 'dist/cli/main.js', 'LICENSE'],
];

interface PackReport {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

function checkPackage(): void {
  const folder = mkdtempSync(join(tmpdir(), 'downhill-package-'));
  try {
    const report = pack(folder);
    checkFiles(report);
    install(folder, report.filename);
    useFromJavaScript(folder);
    useFromTypeScript(folder);
    useCommand(folder);
    const kib = (bytes: number) => `${Math.round(bytes / 1024)} KiB`;
    console.log(
      `${report.filename}: ${report.files.length} files, ${kib(report.size)}, ${kib(report.unpackedSize)} unpacked`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function pack(folder: string): PackReport {
  // The build runs by itself first: its messages would be mixed into npm's JSON.
  run('npm', ['run', '-s', 'build'], root);
  const json = run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root);
  const reports: unknown = JSON.parse(json);
  return (Array.isArray(reports) ? reports[0] : Object.values(reports as object)[0]) as PackReport;
}

function checkFiles({ files }: PackReport): void {
  const paths = files.map((file) => file.path);
  const odd = paths.filter((path) => !ALLOWED.test(path));
  if (odd.length > 0) throw new Error(`the tarball holds what it should not: ${odd.join(', ')}`);
  const missing = REQUIRED.filter((path) => !paths.includes(path));
  if (missing.length > 0) throw new Error(`the tarball lacks ${missing.join(', ')}`);
}

function install(folder: string, tarball: string): void {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
  run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${tarball}`], folder);
}

function useFromJavaScript(folder: string): void {
  const file = join(folder, 'use.js');
  writeFileSync(
    file,
    `import * as universal from 'downhill';
     import * as node from 'downhill/node';
     const lost = Object.keys(universal).filter((name) => !(name in node));
     if (Object.keys(universal).length === 0) throw new Error('downhill exports nothing');
     if (lost.length > 0) throw new Error('downhill/node lacks ' + lost.join(', '));
     // copy, the one op outside of ops/, keeps its reference (scripts/strip-source.ts).
     const whole = (op) => 'samples' in op || 'doc' in op || ('cpu' in op && op.name !== 'copy');
     const heavy = universal.allOps.filter(whole).map((op) => op.name);
     if (heavy.length > 0) throw new Error('records are not stripped: ' + heavy.join(', '));
     // The CPU brings the references that records came without.
     const cpu = await universal.useBackend('cpu');
     const [root] = await universal.sqrt(universal.tensor([16])).data();
     if (root !== 4 || !('cpu' in universal.sqrt)) throw new Error('no reference came with the CPU backend: ' + root);
     universal.setBackend(undefined);
     await cpu.dispose();
     // The backend of the stripped library, the samples of the whole one.
     const { selfTest } = await import('downhill/self-test');
     const report = await selfTest(universal.createCpuBackend(), { ops: ['softmax', 'conv2d'] });
     const compared = report.ops.reduce((total, op) => total + op.samples, 0);
     if (!report.pass || compared < 10) throw new Error('self-test: ' + JSON.stringify(report));`,
  );
  run(process.execPath, [file], folder);
}

function useFromTypeScript(folder: string): void {
  writeFileSync(
    join(folder, 'use.ts'),
    `import * as universal from 'downhill';
     import * as node from 'downhill/node';
     import { type SelfTestReport, selfTest } from 'downhill/self-test';
     export const report: Promise<SelfTestReport> = selfTest(universal.createCpuBackend());
     export const all: (typeof universal)[] = [universal, node];
     export type Device = GPUDevice;`,
  );
  const compilerOptions = {
    target: 'ES2022',
    lib: ['ES2023', 'ESNext.Disposable', 'DOM', 'DOM.Iterable'],
    module: 'NodeNext',
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }));
  run(process.execPath, [fileURLToPath(import.meta.resolve('typescript/bin/tsc')), '-p', folder], folder);
}

function useCommand(folder: string): void {
  run(join(folder, 'node_modules/.bin/downhill'), ['info', '--json'], folder);
}

/** Runs a command and gives its stdout. @throws Error with all it said when it fails. */
function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 300_000 });
  if (status === 0) return stdout;
  throw new Error(
    `${[command, ...args].join(' ')} failed (${error?.message ?? status}):\n${stdout ?? ''}${stderr ?? ''}`,
  );
}

runScript(import.meta.url, checkPackage);

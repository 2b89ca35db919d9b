/**
 * The documentation keeps its word: programs in it and on the demo pages run, type-check and print what they say; links
 * lead somewhere; generated pages are as the sources say. The guides of CONTRIBUTING.md are followed by
 * kernels-test/guides/guides.long.test.ts.
 */

import { execFile } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import {
  codeBlocks,
  demoPrograms,
  expectedOutput,
  gpuPreload,
  markdownPages,
  missingLine,
  readPage,
  temporaryFolder,
  writePrograms,
} from '../scripts/docs-examples.ts';
import { environmentReference, opReference, stalePages } from '../scripts/docs-ops.ts';
import { COMMANDS } from '../src/cli/commands/index.ts';
import { ENVIRONMENT_TABLE } from '../src/util/environment.ts';
import { builtSources } from './support/built-sources.ts';
import { longTest, shortDescribe, shortTest as test } from './support/part.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const pages = markdownPages();

/** A command of its own takes seconds, on a busy machine many. */
const PATIENCE = 300_000;

interface Outcome {
  readonly status: number;
  readonly output: string;
}

/** No colours in what commands print, whatever the tests themselves run in. */
const PLAIN = { NO_COLOR: '1', FORCE_COLOR: '0' };

/** Runs a command to its end; never throws. */
function run(cwd: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const options = { cwd, env: { ...process.env, ...PLAIN, ...env }, encoding: 'utf8', maxBuffer: 1 << 26 } as const;
  return new Promise((resolve) => {
    execFile(command, [...args], options, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : 1, output: `${stdout}${stderr}` });
    });
  });
}

describe('programs', () => {
  const programs = [...pages.flatMap(codeBlocks), ...demoPrograms()].filter(({ info }) => info === 'run');
  let folder: string;
  let files: readonly string[];
  beforeAll(async () => {
    folder = temporaryFolder();
    files = writePrograms(folder, programs, await builtSources());
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(programs.map((program, k) => [`${program.page}:${program.line}`, program, k] as const))(
    '%s',
    { timeout: PATIENCE },
    async (_where, program, k) => {
      // The library as it is built: it loads in a tenth of the time. What type-checks is the sources.
      const tsconfig = { TSX_TSCONFIG_PATH: join(folder, 'tsconfig.built.json') };
      const gpu = program.text.includes("useBackend('webgpu')") ? ['--import', gpuPreload(folder)] : [];
      const args = ['--import', 'tsx', ...gpu, files[k]];
      const { status, output } = await run(folder, process.execPath, args, tsconfig);
      expect(status, output).toBe(0);
      expect(missingLine(expectedOutput(program.text), output.split('\n')), output).toBeUndefined();
    },
  );

  longTest('they type-check', { timeout: PATIENCE }, async () => {
    const tsc = fileURLToPath(import.meta.resolve('typescript/bin/tsc'));
    const { status, output } = await run(folder, process.execPath, [tsc, '-p', folder]);
    expect(status, output).toBe(0);
  });

  test('README has programs for Node, for browsers and for own loops', () => {
    const texts = programs.filter(({ page }) => page === 'README.md').map(({ text }) => text);
    expect(texts.some((text) => text.includes("from 'downhill';"))).toBe(true);
    expect(texts.some((text) => text.includes('valueAndGrad'))).toBe(true);
  });

  test('the start page of the demo site has one, and it says what is reached', () => {
    const [program, ...others] = demoPrograms().filter(({ page }) => page === 'demos/index.html');
    expect(others).toEqual([]);
    expect(expectedOutput(program.text)).toEqual(['0.9…']);
    expect(program.text).toContain("from 'downhill';");
  });

  test('a line that is not printed, or printed too early, is noticed', () => {
    expect(expectedOutput('a(); // → 1 2\nb(); // 3\nc(); // → x…z')).toEqual(['1 2', 'x…z']);
    expect(missingLine(['1 2', 'x…z'], ['0', '1 2', 'xyz'])).toBeUndefined();
    expect(missingLine(['1 2', 'x…z'], ['xyz', '1 2'])).toBe('x…z');
    expect(missingLine(['1 2'], ['11 2'])).toBe('1 2');
  });
});

shortDescribe('pages', () => {
  test('every block of TypeScript says what it is for', () => {
    const known = /^(run|file=\S+|)$/;
    const odd = pages.flatMap(codeBlocks).filter(({ info }) => !known.test(info));
    expect(odd.map(({ page, line, info }) => `${page}:${line} ${info}`)).toEqual([]);
  });

  test('links lead to a file, and to a heading where they name one', () => {
    const broken = pages.flatMap((page) => linksOf(page).filter((link) => !leadsSomewhere(page, link)));
    expect(broken).toEqual([]);
    expect(leadsSomewhere('docs/ops.md', 'architecture.md#rooms')).toBe(true);
    expect(leadsSomewhere('docs/ops.md', 'architecture.md#no-room')).toBe(false);
    expect(leadsSomewhere('docs/ops.md', 'docs/architecture.md')).toBe(false);
  });

  test('paths that pages name exist', () => {
    // What a step of CONTRIBUTING creates is not there yet.
    const created = pages.flatMap(codeBlocks).flatMap(({ info }) => (info.startsWith('file=') ? [info.slice(5)] : []));
    const named = pages.flatMap((page) => {
      const paths = proseOf(page).matchAll(/`((?:src|shaders|scripts|docs|kernels-test|bench|demos)\/[\w./-]*)`/g);
      return [...paths].map(([, path]) => path);
    });
    expect(named.filter((path) => !created.includes(path) && !existsSync(join(root, path)))).toEqual([]);
  });

  test('README lists the commands', () => {
    const table = [...readPage('README.md').matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name]) => name);
    expect(table).toEqual(COMMANDS.map(({ name }) => name));
  });

  test('generated pages are up to date (npm run docs:ops)', () => {
    expect(stalePages()).toEqual([]);
  });

  test('a changed record changes its line', () => {
    const text = environmentReference(ENVIRONMENT_TABLE);
    expect(environmentReference([...ENVIRONMENT_TABLE, { name: 'X', meaning: 'a | b' }])).toBe(
      `${text}| \`X\` | a \\| b |\n`,
    );
    expect(opReference([])).toContain('0 ops, of which 0 have no gradient');
  });

  test('the guide to errors has every code', () => {
    const union = /export type ErrorCode =([\s\S]*?);/.exec(readFileSync(join(root, 'src/util/errors.ts'), 'utf8'))![1];
    const codes = [...union.matchAll(/\| '([\w-]+)'/g)].map(([, code]) => code);
    const table = [...readPage('docs/guides/errors.md').matchAll(/^\| `([\w-]+)` \|/gm)].map(([, code]) => code);
    expect(codes.length).toBeGreaterThan(5);
    expect(table).toEqual(codes);
  });

  /** A page without its code blocks. */
  function proseOf(page: string): string {
    return readPage(page).replaceAll(/^```[\s\S]*?^```$/gm, '');
  }

  function linksOf(page: string): string[] {
    const targets = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link);
    return targets.filter((link) => !/^[a-z]+:/.test(link));
  }

  function leadsSomewhere(page: string, link: string): boolean {
    const [path, anchor] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path);
    if (!existsSync(join(root, target))) return false;
    return anchor === undefined || anchorsOf(readPage(target)).includes(anchor);
  }

  /** The anchors that the headings of a page get on a forge. */
  function anchorsOf(text: string): string[] {
    return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
      title
        .toLowerCase()
        .replaceAll(/[^\w\s-]/g, '')
        .replaceAll(/\s/g, '-'),
    );
  }
});

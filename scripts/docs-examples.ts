/**
 * The code blocks of the documentation as plain data, and a place to run them. The purpose of a block follows its
 * language:
 *
 *   ```ts run              a program that must run unchanged and type-check
 *   ```ts file=src/…       a file that the steps around it create
 *
 * The programs that pages of the demo site show, `<pre><code>`, are blocks of the first kind. In a program, `// → text`
 * says what is printed: these lines must appear in order (`…` stands for anything).
 */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Pages whose blocks and links are checked: those at the root, and all of docs/. */
export function markdownPages(): string[] {
  const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((path) => join('docs', path));
  return [...readdirSync(root), ...docs]
    .filter((path) => path.endsWith('.md'))
    .map((path) => path.replaceAll('\\', '/'))
    .sort();
}

export function readPage(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

export interface CodeBlock {
  readonly page: string;
  /** Line of the page on which the code starts, from 1. */
  readonly line: number;
  /** What follows the language: `run`, `file=src/ops/x.ts`. */
  readonly info: string;
  readonly text: string;
}

/** The fenced TypeScript blocks of `page`. */
export function codeBlocks(page: string): CodeBlock[] {
  const text = readPage(page);
  return [...text.matchAll(/^```ts[ \t]*([^\n]*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    page,
    line: text.slice(0, match.index).split('\n').length + 1,
    info: match[1].trim(),
    text: match[2],
  }));
}

/** The programs that the pages of the demo site show. */
export function demoPrograms(): CodeBlock[] {
  const files = readdirSync(join(root, 'demos'), { recursive: true, encoding: 'utf8' });
  const pages = files.filter((path) => path.endsWith('.html')).map((path) => join('demos', path));
  return pages.sort().flatMap((page) => {
    const text = readPage(page);
    return [...text.matchAll(/<pre\b[^>]*><code>([\s\S]*?)<\/code>/g)].map((match) => ({
      page: page.replaceAll('\\', '/'),
      line: text.slice(0, match.index).split('\n').length,
      info: 'run',
      text: match[1].replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
    }));
  });
}

/** The lines that a program says it prints. */
export function expectedOutput(program: string): string[] {
  return [...program.matchAll(/\/\/ → (.*)$/gm)].map((match) => match[1].trim());
}

/** The first expected line that `printed` does not hold after those before it, or undefined. */
export function missingLine(expected: readonly string[], printed: readonly string[]): string | undefined {
  let from = 0;
  for (const line of expected) {
    const pattern = line.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const found = printed.findIndex(
      (other, at) => at >= from && new RegExp(`^${pattern.join('.*')}$`).test(other.trim()),
    );
    if (found < 0) return line;
    from = found + 1;
  }
  return undefined;
}

/** A folder inside of the repository (git ignores it), so that what is there finds node_modules. */
export function temporaryFolder(): string {
  const cache = join(root, '.cache');
  mkdirSync(cache, { recursive: true });
  return mkdtempSync(join(cache, 'docs-'));
}

/**
 * Writes `programs` into `folder`, one file each, a tsconfig.json under which `downhill` means the sources here, to
 * check their types, and a tsconfig.built.json under which it means the files of `built`, to run them. A program that
 * takes the best backend there is takes the CPU: the examples are small, and the output must not depend on the machine.
 * One that asks for 'webgpu' by name gets it: `gpuPreload` gives Node the `navigator.gpu` of a browser.
 * @returns the paths of the files, in order.
 */
export function writePrograms(
  folder: string,
  programs: readonly CodeBlock[],
  built: { readonly index: string; readonly node: string },
): string[] {
  const up = relative(folder, root).replaceAll('\\', '/') || '.';
  const files = programs.map(({ page, line }) => `${page.replaceAll(/[^\w]+/g, '-')}-${line}.ts`);
  const config = (index: string, node: string): string => {
    const paths = { downhill: [index], 'downhill/node': [node] };
    return JSON.stringify({ extends: `${up}/tsconfig.json`, compilerOptions: { paths }, include: ['*.ts'] });
  };
  writeFileSync(join(folder, 'tsconfig.json'), config(`${up}/src/index.ts`, `${up}/src/node.ts`));
  writeFileSync(join(folder, 'tsconfig.built.json'), config(built.index, built.node));
  programs.forEach(({ text }, k) => {
    writeFileSync(join(folder, files[k]), text.replaceAll('useBackend()', "useBackend('cpu')"));
  });
  return files.map((file) => join(folder, file));
}

/** Writes into `folder` a module that makes Node look like a browser with WebGPU. @returns its path, for `--import`. */
export function gpuPreload(folder: string): string {
  const file = join(folder, 'navigator-gpu.mjs');
  const lines = [
    "import { create, globals } from 'webgpu';",
    'Object.assign(globalThis, globals);',
    "Object.defineProperty(globalThis, 'navigator', { value: { gpu: create([]) } });",
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

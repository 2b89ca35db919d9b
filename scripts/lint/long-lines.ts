/**
 * Lines over 120 columns. Biome breaks code there, but neither comments nor strings, nor WGSL. Columns count
 * characters, not bytes or UTF-16 units.
 *
 * `npx tsx scripts/lint/long-lines.ts` lists them.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runScript } from '../run-script.ts';

const MOST = 120;
/** A word so long that breaking its line would not help: a URL, a digest, a regular expression. */
const UNBREAKABLE = 100;
const FOLDERS = ['src', 'shaders', 'demos', 'bench', 'scripts', 'kernels-test'];
const ENDINGS = /\.(ts|mts|mjs|wgsl|html|css)$/;
const GENERATED = /\.gen\.ts$|(^|\/)node_modules\//;

export interface LongLine {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly columns: number;
}

/** The lines of `text` that are too long and could be broken. */
export function longLines(path: string, text: string): LongLine[] {
  return text.split('\n').flatMap((content, k) => {
    const columns = [...content].length;
    if (columns <= MOST || content.split(/\s+/).some((word) => [...word].length >= UNBREAKABLE)) return [];
    return [{ path, line: k + 1, columns }];
  });
}

/** Those of all sources below `root`. */
export function longLinesOfTree(root: string): LongLine[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
      .filter((path) => ENDINGS.test(path) && !GENERATED.test(path))
      .sort()
      .flatMap((path) => longLines(path, readFileSync(join(root, path), 'utf8'))),
  );
}

runScript(import.meta.url, () => {
  const found = longLinesOfTree(fileURLToPath(new URL('../..', import.meta.url)));
  for (const { path, line, columns } of found) console.log(`${path}:${line}: ${columns} columns`);
  if (found.length > 0) throw new Error(`${found.length} lines over ${MOST} columns`);
});

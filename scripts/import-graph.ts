/**
 * The imports of a source tree as plain data, for the tests that keep the architecture: what each file imports, which
 * room it belongs to, which files import each other in a circle. Reads TypeScript's own view of a file's imports
 * (static, dynamic, type-only and re-exports alike), so no comment or string can fool it.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import ts from 'typescript';

export interface SourceFile {
  /** Path from the tree's root, with forward slashes. */
  readonly path: string;
  /** Specifiers as written. */
  readonly specifiers: readonly string[];
}

/** Every .ts file under `directory`, sorted by path. */
export function readSourceTree(directory: string): SourceFile[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => path.replaceAll('\\', '/'))
    .sort()
    .map((path) => ({ path, specifiers: specifiersOf(readFileSync(join(directory, path), 'utf8')) }));
}

/** What a module's text imports. */
export function specifiersOf(text: string): string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map((file) => file.fileName);
}

export function isRelative(specifier: string): boolean {
  return specifier.startsWith('./') || specifier.startsWith('../');
}

/** The file a relative specifier means, as a path from the tree's root. */
export function resolveRelative(from: SourceFile, specifier: string): string {
  return posix.normalize(posix.join(dirname(from.path), specifier));
}

/** The first folder of a path, or undefined for a file at the tree's root. */
export function roomOf(path: string): string | undefined {
  const slash = path.indexOf('/');
  return slash < 0 ? undefined : path.slice(0, slash);
}

/** Groups of files that import each other in a circle (Tarjan's strongly connected components of two or more). */
export function importCycles(tree: readonly SourceFile[]): string[][] {
  const files = new Map(tree.map((file) => [file.path, file]));
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const cycles: string[][] = [];

  function visit(path: string): void {
    index.set(path, index.size);
    low.set(path, index.get(path)!);
    stack.push(path);
    onStack.add(path);
    const file = files.get(path)!;
    for (const target of file.specifiers.filter(isRelative).map((specifier) => resolveRelative(file, specifier))) {
      if (!files.has(target)) continue;
      if (!index.has(target)) {
        visit(target);
        low.set(path, Math.min(low.get(path)!, low.get(target)!));
      } else if (onStack.has(target)) {
        low.set(path, Math.min(low.get(path)!, index.get(target)!));
      }
    }
    if (low.get(path) !== index.get(path)) return;
    const group = stack.splice(stack.indexOf(path));
    for (const member of group) onStack.delete(member);
    if (group.length > 1) cycles.push(group);
  }

  for (const path of files.keys()) if (!index.has(path)) visit(path);
  return cycles;
}

/**
 * The rules of the source tree that `kernels-test/tooling.test.ts` enforces, as functions from file texts and imports
 * to what breaks them. The order of rooms is written here, once; the documents that show it are held to it.
 */

import { dirname } from 'node:path';
import ts from 'typescript';
import { isRelative, resolveRelative, roomOf, type SourceFile } from './import-graph.ts';

/** The rooms of src/, lowest first: a file may import from its own room and from those before it. */
export const ROOMS: readonly string[] = [
  'util',
  'core',
  'kernel',
  'ops',
  'transform',
  'compile',
  'backend',
  'tune',
  'runtime',
  'nn',
  'data',
  'train',
  'zoo',
  'self-test',
  'cli',
];

/** The order as documents show it. */
export const ROOM_ORDER = ROOMS.join(' ← ');

/** At the root of src/: the entries see every room, and only a command may see them. */
export const ENTRIES: readonly string[] = ['index.ts', 'node.ts', 'browser.ts', 'self-test.ts'];

/** Generated, and open to every room. */
export const SHADERS = 'shaders.gen.ts';

/** Rooms that know ops by their records alone: no pass and no backend imports one. */
const BLIND_TO_OPS: readonly string[] = ['compile', 'backend'];

/** What `file` imports from a later room. */
export function wrongWay(file: SourceFile): string[] {
  if (ENTRIES.includes(file.path)) return [];
  return targetsOf(file).filter((target) => {
    if (target === SHADERS) return false;
    if (ENTRIES.includes(target)) return roomOf(file.path) !== 'cli';
    return ROOMS.indexOf(roomOf(target) ?? '') > ROOMS.indexOf(roomOf(file.path) ?? '');
  });
}

/** What `file` imports from `ops/` though its room must not. */
export function opImports(file: SourceFile): string[] {
  if (!BLIND_TO_OPS.includes(roomOf(file.path) ?? '')) return [];
  return targetsOf(file).filter((target) => roomOf(target) === 'ops');
}

function targetsOf(file: SourceFile): string[] {
  return file.specifiers.filter(isRelative).map((specifier) => resolveRelative(file, specifier));
}

/** `path (lines)` of each text with more than `limit` lines. */
export function longFiles(texts: Readonly<Record<string, string>>, limit: number): string[] {
  return Object.entries(texts).flatMap(([path, text]) => {
    const lines = text.trimEnd().split('\n').length;
    return lines > limit ? [`${path} (${lines})`] : [];
  });
}

/** `folder (files)` of each folder that holds more than `limit` files, subfolders not counted. */
export function crowdedFolders(paths: readonly string[], limit: number): string[] {
  const counts = new Map<string, number>();
  for (const path of paths) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
  return [...counts].filter(([, count]) => count > limit).map(([folder, count]) => `${folder} (${count})`);
}

/** Methods of strings that search or rewrite text by a pattern. */
const PATTERN_METHODS: readonly string[] = [
  'match',
  'matchAll',
  'replace',
  'replaceAll',
  'search',
  'split',
  'substring',
];

/** `text.replace`; a class may have a method of such a name for itself. */
function isPatternMethod(node: ts.Node): boolean {
  if (!ts.isPropertyAccessExpression(node) || !PATTERN_METHODS.includes(node.name.text)) return false;
  return node.expression.kind !== ts.SyntaxKind.ThisKeyword;
}

/** Each regular expression or rewriting of text in a TypeScript source, as `line: code`. */
export function textSurgery(source: string): string[] {
  const file = ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const report = (node: ts.Node) => {
    const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
    found.push(`${line + 1}: ${node.getText(file)}`);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) report(node);
    else if (isPatternMethod(node)) report(node);
    else if ((ts.isNewExpression(node) || ts.isCallExpression(node)) && node.expression.getText(file) === 'RegExp') {
      report(node.expression);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

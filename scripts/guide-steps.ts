/**
 * The guides of CONTRIBUTING.md as plain data, and how to follow them in a copy of the project. A step is a fenced
 * block that says what it is for:
 *
 *   ```ts file=src/…       a new file
 *   ```diff file=src/…     a change of a file: lines that start with a space must be there, `-` goes, `+` comes; `@@`
 *                          starts another place
 *   ```sh name=…           commands, one a line, that must succeed; `name` tells whose they are
 *
 * Invariant: a change fits at one place of its file and no other; what a block does not say is not done.
 */

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A file that a guide makes or changes. */
export interface Edit {
  readonly kind: 'file' | 'diff';
  readonly path: string;
  readonly text: string;
}

export interface Guide {
  readonly title: string;
  readonly edits: readonly Edit[];
  /** By whom they check, in the order of the guide: `op=gaussian`. */
  readonly commands: ReadonlyMap<string, readonly string[]>;
}

/** The sections of `page` that have steps, by their headings of the second level. */
export function guidesOf(page: string): Guide[] {
  return page
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const blocks = [...section.matchAll(/^```(\w+) ([^\n]*)\n([\s\S]*?)^```$/gm)];
      const edits = blocks.flatMap(([, language, info, text]): Edit[] => {
        if (!info.startsWith('file=')) return [];
        return [{ kind: language === 'diff' ? 'diff' : 'file', path: info.slice('file='.length), text }];
      });
      const commands = blocks
        .filter(([, language]) => language === 'sh')
        .map(([, , info, text]) => [info, text.trim().split('\n')] as const);
      return { title: section.split('\n')[0], edits, commands: new Map(commands) };
    })
    .filter(({ edits }) => edits.length > 0);
}

/** What `path` holds after `edits`, which are those of that path; undefined when there is no such file. */
export function edited(before: string | undefined, edits: readonly Edit[]): string | undefined {
  return edits.reduce((text, edit) => {
    if (edit.kind === 'diff') return applyDiff(edit.path, text, edit.text);
    if (text !== undefined) throw new Error(`${edit.path}: a guide writes it anew, but it is there already`);
    return edit.text;
  }, before);
}

function applyDiff(path: string, before: string | undefined, diff: string): string {
  if (before === undefined) throw new Error(`${path}: a guide changes it, but it is not there`);
  let lines = before.split('\n');
  for (const hunk of diff.trimEnd().split(/^@@.*\n/m)) {
    const marked = hunk.replace(/\n$/, '').split('\n');
    const odd = marked.find((line) => line !== '' && !' +-'.includes(line[0]));
    if (odd !== undefined) throw new Error(`${path}: "${odd}" starts with neither a space nor + or -`);
    const old = marked.filter((line) => line[0] !== '+').map((line) => line.slice(1));
    const fresh = marked.filter((line) => line[0] !== '-').map((line) => line.slice(1));
    const places = lines.flatMap((_, at) => (old.every((line, k) => lines[at + k] === line) ? [at] : []));
    if (old.length === 0 || places.length !== 1) {
      throw new Error(`${path}: the change around "${old[0] ?? fresh[0]}" fits at ${places.length} places, not at one`);
    }
    lines = [...lines.slice(0, places[0]), ...fresh, ...lines.slice(places[0] + old.length)];
  }
  return lines.join('\n');
}

/** What a clone would not have. */
const LEFT_OUT = ['.git', '.cache', 'node_modules', 'dist', 'dist-demos', 'runs', 'artifacts', 'coverage'];

/** A copy of the project in a folder of its own, with the modules of this one. */
export class ProjectCopy {
  readonly folder = mkdtempSync(join(tmpdir(), 'downhill-guide-'));
  private readonly before = new Map<string, string | undefined>();

  constructor() {
    for (const part of readdirSync(root)) {
      if (!LEFT_OUT.includes(part)) cpSync(join(root, part), join(this.folder, part), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'));
  }

  /** Makes the edited files those that `edits` give, and no others: files of earlier calls are as they were. */
  follow(edits: readonly Edit[]): void {
    for (const { path } of edits) {
      if (!this.before.has(path)) this.before.set(path, this.read(path));
    }
    for (const [path, before] of this.before) {
      const text = edited(
        before,
        edits.filter((edit) => edit.path === path),
      );
      this.write(path, text);
    }
  }

  read(path: string): string | undefined {
    const file = join(this.folder, path);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  }

  /** @param text undefined removes the file. */
  write(path: string, text: string | undefined): void {
    const file = join(this.folder, path);
    if (text === undefined) {
      rmSync(file, { force: true });
      return;
    }
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

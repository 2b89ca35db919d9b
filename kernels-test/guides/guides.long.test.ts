/**
 * Who follows the guides of CONTRIBUTING.md to the letter gets an op, a layer and a kernel that pass every check that
 * the guides name; and who leaves a step out is told by one of them.
 *
 * All guides are followed in one copy of the project: what they add must get on together.
 */

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Edit, edited, guidesOf, ProjectCopy } from '../../scripts/guide-steps.ts';

/** A command takes seconds, on a busy machine many. */
const PATIENCE = 900_000;

const guides = guidesOf(readFileSync(fileURLToPath(new URL('../../CONTRIBUTING.md', import.meta.url)), 'utf8'));
const allEdits = guides.flatMap(({ edits }) => edits);
const checks = guides.flatMap(({ commands }) => [...commands]);
/** For the whole project: each is run once, when everything is there. */
const isGlobal = (command: string) => /format|typecheck/.test(command);
const isDocs = (command: string) => command.startsWith('npm run -s docs:');

let project: ProjectCopy;
beforeAll(() => {
  project = new ProjectCopy();
});
afterAll(() => project.dispose());

interface Outcome {
  readonly command: string;
  readonly status: number;
  readonly output: string;
}

/** Runs a command in the copy to its end; never throws. */
function run(command: string): Promise<Outcome> {
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' };
  const options = { cwd: project.folder, env, encoding: 'utf8', maxBuffer: 1 << 26 } as const;
  return new Promise((resolve) => {
    execFile('bash', ['-c', command], options, (error, stdout, stderr) => {
      resolve({ command, status: error === null ? 0 : 1, output: `${stdout}${stderr}` });
    });
  });
}

function passedTests(output: string): number {
  return Number(/^ *Tests .*?(\d+) passed/m.exec(output)?.[1] ?? 0);
}

/** Runs `commands` until one fails. @returns that one, or the last. */
async function runAll(commands: readonly string[]): Promise<Outcome> {
  let last: Outcome | undefined;
  for (const command of commands) {
    last = await run(command);
    if (last.status !== 0) break;
  }
  return last as Outcome;
}

/** Commands that check, but for those that write or look at the whole project. */
const cheap = (name: string) =>
  checks.filter(([key]) => key === name).flatMap(([, list]) => list.filter((each) => !isGlobal(each) && !isDocs(each)));

describe('followed to the letter', () => {
  beforeAll(() => project.follow(allEdits));

  test('there are three guides, and the first is the one for ops', () => {
    expect(guides.map(({ title }) => title)).toEqual([
      'Add an op in ten minutes',
      'Add a layer in ten minutes',
      'Add a kernel for a target',
    ]);
    for (const { commands } of guides) expect(commands.size).toBeGreaterThan(0);
  });

  test.each(checks)('%s passes its checks', { timeout: PATIENCE }, async (_name, commands) => {
    for (const command of commands.filter((each) => !isGlobal(each))) {
      const { status, output } = await run(command);
      expect(status, `${command}\n${output}`).toBe(0);
      // A filter that matches nothing would pass too.
      if (command.includes('vitest')) expect(passedTests(output), output).toBeGreaterThan(2);
      if (command.includes('gradcheck')) expect(output).toMatch(/ ok /);
    }
  });

  test('the project is formatted as it is, types and generated pages hold', { timeout: PATIENCE }, async () => {
    for (const edit of allEdits.filter(({ kind }) => kind === 'file')) {
      // What a reader copies is formatted already: `npm run format` leaves it as it is.
      expect(project.read(edit.path)).toBe(edit.text);
    }
    const before = new Map(allEdits.map(({ path }) => [path, project.read(path)]));
    const globals = [...new Set(checks.flatMap(([, commands]) => commands.filter(isGlobal)))];
    expect(globals.sort()).toEqual(['npm run -s format', 'npm run -s typecheck']);
    const sources = [...before.keys()].filter((path) => path.endsWith('.ts'));
    const format = `git init -q . && npx biome check --write ${sources.join(' ')}`;
    for (const command of [format, 'npm run -s typecheck']) {
      const { status, output } = await run(command);
      expect(status, `${command}\n${output}`).toBe(0);
    }
    for (const [path, text] of before) expect(project.read(path), path).toBe(text);
    expect(project.read('docs/ops.md')).toContain('| `gaussian` |');
    expect(project.read('docs/features.md')).toContain('| `Scale` |');
  });
});

describe('a step left out is noticed', () => {
  const without = (unwanted: Edit) => allEdits.filter((edit) => edit !== unwanted);
  /** Each edit, and whose checks come after it. The second op repeats what the first one shows. */
  const steps = guides.flatMap(({ edits, commands }) => {
    const [name] = commands.keys();
    return edits.filter(({ path, text }) => !/roll/.test(path + text)).map((edit) => [edit.path, name, edit] as const);
  });

  test.each(steps)('%s of %s', { timeout: PATIENCE }, async (_path, name, edit) => {
    project.follow(without(edit));
    const { status, output, command } = await runAll(cheap(name));
    expect(status, `${command}\n${output}`).toBe(1);
  });

  test('a page that is not generated', { timeout: PATIENCE }, async () => {
    project.follow(allEdits);
    project.write('docs/ops.md', project.read('docs/ops.md')?.replace(/^\| `gaussian` \|.*\n/m, ''));
    const { status, output } = await run('npm run -s docs:ops -- --check');
    expect(status).toBe(1);
    expect(output).toContain('not up to date: docs/ops.md');
  });

  test('a wrong gradient', { timeout: PATIENCE }, async () => {
    const right = allEdits.find(({ path }) => path.endsWith('gaussian.ts')) as Edit;
    const wrong = { ...right, text: right.text.replace('mul(x, -2)', 'mul(x, -3)') };
    expect(wrong.text).not.toBe(right.text);
    project.follow([...without(right), wrong]);
    const { status, output } = await runAll(cheap('op=gaussian'));
    expect(status).toBe(1);
    expect(output).toContain('0 of 1 gradients agree with finite differences');
  });
});

describe('steps', () => {
  const diff = (text: string): Edit => ({ kind: 'diff', path: 'a.ts', text });

  test('a change replaces and inserts where its lines are', () => {
    expect(edited('one\ntwo\nthree\n', [diff(' one\n-two\n+2\n@@\n three\n+four\n')])).toBe('one\n2\nthree\nfour\n');
  });

  test('a change that fits nowhere, at two places or to no file is refused', () => {
    expect(() => edited('one\n', [diff(' two\n+three\n')])).toThrow('around "two" fits at 0 places');
    expect(() => edited('one\none\n', [diff(' one\n+two\n')])).toThrow('around "one" fits at 2 places');
    expect(() => edited('one\n', [diff('+two\n')])).toThrow('fits at');
    expect(() => edited('one\n', [diff('one\n')])).toThrow('neither a space nor + or -');
    expect(() => edited(undefined, [diff(' one\n')])).toThrow('it is not there');
    expect(() => edited('', [{ kind: 'file', path: 'a.ts', text: '' }])).toThrow('it is there already');
  });
});

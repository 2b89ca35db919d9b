/**
 * The engine of the Digits and Images pages, on the CPU backend: what a page may ask of it before, during and between
 * runs.
 */

import { expect, test } from 'vitest';
import { Engine } from '../../demos/shared/training/engine.ts';
import type { RunEvent, RunSpec, SavedRun } from '../../demos/shared/training/protocol.ts';
import type { SavedRuns } from '../../demos/shared/training/saved-runs.ts';

const SPEC: RunSpec = { model: 'mlp', optimizer: 'sgd', learningRate: 0.01, batchSize: 16, epochs: 50, seed: 1 };

/** Runs in memory, in the place of IndexedDB. */
function runsInMemory(): SavedRuns {
  let kept: Omit<SavedRun, 'source'> | undefined;
  return {
    summary: async () => undefined,
    load: async () => undefined,
    claim: async () => true,
    saveSource: async () => undefined,
    save: async (run: Omit<SavedRun, 'source'>) => {
      kept = run;
    },
    discard: async () => undefined,
    get kept() {
      return kept;
    },
  } as unknown as SavedRuns;
}

async function opened(): Promise<Engine> {
  const engine = new Engine(runsInMemory);
  await engine.open('test', 'cpu');
  await engine.loadData({ kind: 'digits', train: 64, test: 16 }, () => {});
  return engine;
}

/** A listener that keeps what it hears, and a wait for the first event of a kind. */
function hearing() {
  const events: RunEvent[] = [];
  const waiting: { type: RunEvent['type']; resolve(): void }[] = [];
  return {
    events,
    listener: (event: RunEvent) => {
      events.push(event);
      for (const one of waiting) if (one.type === event.type) one.resolve();
    },
    until: (type: RunEvent['type']) => new Promise<void>((resolve) => waiting.push({ type, resolve })),
    get types() {
      return events.map(({ type }) => type);
    },
  };
}

const image = new Float32Array(28 * 28).fill(0.5);

test('what is asked before any run is refused with what to do', async () => {
  const engine = await opened();
  expect(() => engine.predict(image)).toThrow(/nothing was trained yet: press Train first/);
});

test('a question that comes while a run takes the place of a live one is answered by the new one', async () => {
  const engine = await opened();
  const [first, second] = [hearing(), hearing()];
  const stepped = first.until('steps');
  const before = engine.run(SPEC, first.listener);
  await stepped;
  const after = engine.run({ ...SPEC, seed: 2 }, second.listener);
  const [answer] = await Promise.all([engine.predict(image), before]);
  expect(answer.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 4);
  expect(first.events.at(-1)).toEqual({ type: 'end', reason: 'stopped' });
  engine.stop();
  await after;
  expect(second.types).toContain('begin');
  // Nothing of the run before is told as this one's.
  expect(second.types.indexOf('begin')).toBe(
    second.types.findIndex((type) => type !== 'compile' && type !== 'unsaved'),
  );
});

test('a pause and a stop that come before the first step are for the run that was asked for', async () => {
  const engine = await opened();
  const heard = hearing();
  const run = engine.run(SPEC, heard.listener);
  engine.pause();
  engine.stop();
  await run;
  expect(heard.types).not.toContain('steps');
  expect(heard.events.at(-1)).toEqual({ type: 'end', reason: 'stopped' });

  const paused = hearing();
  const [begun, second] = [paused.until('begin'), engine.run(SPEC, paused.listener)];
  engine.pause();
  await begun;
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(paused.types).not.toContain('steps');
  const stepped = paused.until('steps');
  engine.resume();
  await stepped;
  engine.stop();
  await second;
});

test('a live run holds on to its data: others are refused, and the run goes on', async () => {
  const engine = await opened();
  const heard = hearing();
  const stepped = heard.until('steps');
  const run = engine.run(SPEC, heard.listener);
  await expect(engine.loadData({ kind: 'shapes', train: 20, test: 10 }, () => {})).rejects.toThrow(
    /a run is on, and its data stay until it ends: press Stop first/,
  );
  await stepped;
  expect((await engine.predictTest(4)).count).toBe(4);
  engine.stop();
  await run;
  const info = await engine.loadData({ kind: 'shapes', train: 20, test: 10 }, () => {});
  expect(info.shape).toEqual([32, 32, 3]);
});

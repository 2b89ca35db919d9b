/** The pipeline of steps by itself: how many are in flight, when values are read, in which order they come. */

import { describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { type AdapterType, withAdapterType } from '../../src/compile/target.ts';
import { median } from '../../src/train/loop/history.ts';
import { StepClock } from '../../src/train/loop/step-clock.ts';
import { StepLog } from '../../src/train/loop/step-log.ts';
import { runSteps } from '../../src/train/step/step-runner.ts';
import { lossDigest } from '../../src/train/weights/digest.ts';

/** A CPU backend that says it is an adapter of `adapterType`, and ends what was sent a little later. */
function slowBackend(adapterType: AdapterType) {
  const real = createCpuBackend();
  const counts = { inFlight: 0, most: 0, asked: 0, reads: 0 };
  const backend = new Proxy<Backend>(real, {
    get(target, key) {
      if (key === 'kind') return 'webgpu';
      if (key === 'target') return withAdapterType(real.target, adapterType);
      if (key === 'finish') {
        return async () => {
          counts.asked++;
          const sent = counts.inFlight;
          await new Promise((resolve) => setTimeout(resolve, 1));
          // What was sent before the question has ended; another question may have counted it already.
          counts.inFlight = Math.max(0, counts.inFlight - (adapterType === 'hardware' ? 1 : sent));
        };
      }
      if (key === 'read') counts.reads++;
      const value = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const send = (): void => {
    counts.most = Math.max(counts.most, ++counts.inFlight);
  };
  return { backend, counts, send };
}

async function run(
  steps: number,
  options: { stopAfter?: number; failAt?: number; endAt?: number; on?: AdapterType } = {},
) {
  const { backend, counts, send } = slowBackend(options.on ?? 'hardware');
  const log = new StepLog(backend, [1, 1]);
  const reports: number[][] = [];
  const ended: number[] = [];
  const sent = await runSteps({
    backend,
    log,
    steps,
    submit: (step, record) => {
      if (step === options.endAt) return false;
      if (step === options.failAt) throw new Error(`step ${step} failed`);
      send();
      for (const { into, offset } of record([0, 1]))
        backend.write(into, Float32Array.of(step + (offset % 2) / 2), offset);
      return true;
    },
    stopped: () => reports.length > (options.stopAfter ?? Number.POSITIVE_INFINITY),
    onFinished: (first, count) => ended.push(...Array.from({ length: count }, (_, k) => first + k)),
    onReport: (step, report) => {
      expect(step).toBe(reports.length);
      reports.push([...report]);
    },
  }).finally(() => log.dispose());
  return { counts, sent, reports, ended };
}

describe('runSteps', () => {
  test.each(['hardware', 'software'] as const)(
    'on a %s adapter, three steps are in flight, and every report comes once',
    async (on) => {
      const { counts, reports, sent, ended } = await run(700, { on });
      expect(counts.most).toBe(3);
      expect(counts.inFlight).toBe(0);
      expect(sent).toBe(700);
      expect(ended).toEqual(Array.from({ length: 700 }, (_, step) => step));
      expect(reports).toEqual(Array.from({ length: 700 }, (_, step) => [step, step + 0.5]));
    },
  );

  test('an adapter that shares the processor is asked for every third step only', async () => {
    expect((await run(300, { on: 'hardware' })).counts.asked).toBe(300);
    expect((await run(300, { on: 'software' })).counts.asked).toBe(100);
  });

  test('values are read many steps at once', async () => {
    expect((await run(640)).counts.reads).toBeLessThan(30);
  });

  test('it stops when it is told to, and still delivers what was sent', async () => {
    const { sent, reports } = await run(500, { stopAfter: 10 });
    expect(sent).toBeLessThan(500);
    expect(reports).toHaveLength(sent);
  });

  test('a step that fails ends the run with its error', async () => {
    await expect(run(20, { failAt: 7 })).rejects.toThrow('step 7 failed');
  });

  test('it ends where there is no further step, and delivers what was sent', async () => {
    const { sent, reports, ended } = await run(Number.POSITIVE_INFINITY, { endAt: 7 });
    expect([sent, reports.length, ended.length]).toEqual([7, 7, 7]);
  });

  test('no steps, no reports', async () => {
    expect(await run(0)).toMatchObject({ sent: 0, reports: [], ended: [] });
  });
});

test('StepClock keeps the first step apart and leaves pauses between epochs out', () => {
  let now = 100;
  const at = (time: number) => {
    now = time;
  };
  const clock = new StepClock(() => now);
  clock.start();
  at(150);
  clock.startEpoch();
  at(600);
  expect(clock.finished(32)).toBe(true);
  at(610);
  expect(clock.finished(32)).toBe(false);
  at(630);
  clock.finished(16);
  at(632);
  clock.endEpoch();
  at(5000);
  clock.startEpoch();
  at(5010);
  clock.finished(32);
  at(5030);
  clock.finished(32, 32);
  clock.endEpoch();
  expect(clock.facts()).toEqual({
    firstStepMs: 500,
    stepMs: Float64Array.of(10, 20, 10, 10, 10),
    stepMsMedian: 10,
    trainMs: 532 + 30,
    samplesPerSecond: (1000 * 144) / 60,
  });
});

test('medians and digests', () => {
  expect(median([])).toBeNaN();
  expect(median([3])).toBe(3);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  // FNV-1a of four zero bytes, and of nothing: the offset basis.
  expect(lossDigest(new Float32Array(0))).toBe('cbf29ce484222325');
  expect(lossDigest(new Float32Array(1))).toBe('4d25767f9dce13f5');
  expect(lossDigest(Float32Array.of(0))).not.toBe(lossDigest(Float32Array.of(-0)));
});

/** What is made of measured times: shares, rates, and the file for a trace viewer. */
import { describe, expect, test } from 'vitest';
import { type ChromeTrace, chromeTrace, type TraceEvent } from '../../src/backend/chrome-trace.ts';
import { dispatchTimes } from '../../src/backend/profile.ts';
import { descentPlan } from './hand-plans.ts';

const { dispatches } = descentPlan(100);
const times = dispatchTimes(dispatches, [500, 0, 1500, 2000]);

describe('dispatchTimes', () => {
  test('shares of the step and rates, in plan order', () => {
    expect(times.map(({ label }) => label)).toEqual(['square', 'sum', 'isPositive', 'descend']);
    expect(times.map(({ share }) => share)).toEqual([0.125, 0, 0.375, 0.5]);
    expect(times[0]).toEqual({
      ...{ label: 'square', ns: 500, share: 0.125, flops: 100, bytes: 800, workgroups: [2, 1, 1] },
      // 100 operations and 800 bytes in half a microsecond.
      ...{ gflops: 0.2, gbs: 1.6 },
    });
  });

  test('no rate without a time, no share of nothing', () => {
    expect([times[1].gflops, times[1].gbs]).toEqual([Number.NaN, Number.NaN]);
    expect(dispatchTimes(dispatches, [0, 0, 0, 0]).map(({ share }) => share)).toEqual([0, 0, 0, 0]);
  });
});

describe('chromeTrace', () => {
  const read = (trace: ChromeTrace): TraceEvent[] =>
    (JSON.parse(JSON.stringify(trace)) as ChromeTrace).traceEvents.filter((event) => event.ph === 'X');

  test('a complete event a dispatch, one behind another, in microseconds', () => {
    const events = read(chromeTrace(times));
    expect(events.map(({ name }) => name)).toEqual(times.map(({ label }) => label));
    expect(events.map(({ ts, dur }) => [ts, dur])).toEqual([
      [0, 0.5],
      [0.5, 0],
      [0.5, 1.5],
      [2, 2],
    ]);
    expect(events[1].args).toEqual({
      ...{ dispatch: 1, workgroups: [1, 1, 1], flops: 100, bytes: 404 },
      ...{ gflops: null, gbs: null },
    });
    expect(events[3].args.gbs).toBe(times[3].gbs);
  });

  test('says what was profiled', () => {
    const [process, thread] = chromeTrace(times, 'lenet, batch 64').traceEvents;
    expect(process).toEqual({ name: 'process_name', ph: 'M', pid: 0, tid: 0, args: { name: 'lenet, batch 64' } });
    expect(thread.args).toEqual({ name: 'GPU' });
    expect(read(chromeTrace([]))).toEqual([]);
  });
});

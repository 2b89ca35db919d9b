/**
 * A profile as a file for a trace viewer: chrome://tracing, https://ui.perfetto.dev, speedscope. The form is the JSON
 * object of the Trace Event Format (Google, 2016), with complete events.
 */

import type { DispatchTime } from './profile.ts';

/** One dispatch, as a bar in the viewer. */
export interface TraceEvent {
  readonly name: string;
  readonly cat: 'kernel';
  /** A complete event: begin and length in one. */
  readonly ph: 'X';
  /** Microseconds from the beginning of the step. */
  readonly ts: number;
  /** Microseconds. */
  readonly dur: number;
  readonly pid: 0;
  readonly tid: 0;
  readonly args: {
    /** Place in the plan, from 0. */
    readonly dispatch: number;
    readonly workgroups: readonly [number, number, number];
    readonly flops: number;
    readonly bytes: number;
    /** Rates; null when the time is 0. */
    readonly gflops: number | null;
    readonly gbs: number | null;
  };
}

/** Gives a process or thread of the viewer its name. */
interface NameEvent {
  readonly name: 'process_name' | 'thread_name';
  readonly ph: 'M';
  readonly pid: 0;
  readonly tid: 0;
  readonly args: { readonly name: string };
}

export interface ChromeTrace {
  readonly displayTimeUnit: 'ms';
  readonly traceEvents: readonly (NameEvent | TraceEvent)[];
}

/**
 * `times`, in plan order, as a trace: `JSON.stringify` of it is the file. The bars follow one another without gaps,
 * because each stands for a median of several runs: what a device does between dispatches, and at the same time, is not
 * in them.
 * @param name what was profiled, the title of the viewer's row.
 */
export function chromeTrace(times: readonly DispatchTime[], name = 'downhill'): ChromeTrace {
  let elapsed = 0;
  const events = times.map(({ label, ns, flops, bytes, gflops, gbs, workgroups }, dispatch): TraceEvent => {
    // Sums of whole nanoseconds are exact; sums of microseconds would drift into overlaps.
    const ts = elapsed / 1000;
    elapsed += ns;
    return {
      ...({ name: label, cat: 'kernel', ph: 'X', ts, dur: ns / 1000, pid: 0, tid: 0 } as const),
      args: { dispatch, workgroups, flops, bytes, gflops: finite(gflops), gbs: finite(gbs) },
    };
  });
  return { displayTimeUnit: 'ms', traceEvents: [named('process_name', name), named('thread_name', 'GPU'), ...events] };
}

function named(what: NameEvent['name'], name: string): NameEvent {
  return { name: what, ph: 'M', pid: 0, tid: 0, args: { name } };
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

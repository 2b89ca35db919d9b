/**
 * A profile as the command line prints it: the record that `profile --json` ends with, and the table for people.
 */

import type { DispatchTime } from '../backend/profile.ts';
import { columns } from './output.ts';

/** What was profiled. */
export interface ProfileSubject {
  readonly model: string;
  readonly dataset: string;
  readonly batchSize: number;
  /** Steps that the times are the medians of. */
  readonly runs: number;
  readonly adapter: string;
}

/** The last line of `profile --json`. Rates of kernels that took no measurable time are null. */
export interface ProfileResult extends ProfileSubject {
  readonly dispatches: number;
  /** Sums over the kernels, and the rates that follow. */
  readonly ns: number;
  readonly flops: number;
  readonly bytes: number;
  readonly gflops: number;
  readonly gbs: number;
  /** In the order in which they run. */
  readonly kernels: readonly DispatchTime[];
}

export function profileResult(subject: ProfileSubject, kernels: readonly DispatchTime[]): ProfileResult {
  const total = (key: 'ns' | 'flops' | 'bytes') => kernels.reduce((sum, kernel) => sum + kernel[key], 0);
  const [ns, flops, bytes] = [total('ns'), total('flops'), total('bytes')];
  return { ...subject, dispatches: kernels.length, ns, flops, bytes, gflops: flops / ns, gbs: bytes / ns, kernels };
}

/** Longest name of a kernel in the table: a dispatch group has several names. */
const LONGEST_NAME = 56;

/** The `top` slowest kernels, the rest in one row, the total. */
export function describeProfile(result: ProfileResult, top: number): string[] {
  const sorted = result.kernels.map((kernel, number) => ({ ...kernel, number })).sort((a, b) => b.ns - a.ns);
  const rest = sorted.slice(top);
  const sum = (key: 'ns' | 'share') => rest.reduce((total, kernel) => total + kernel[key], 0);
  const rows = [
    ['', 'kernel', 'µs', '%', 'GFLOP/s', 'GB/s'],
    ...sorted.slice(0, top).map(({ number, label, ns, share, gflops, gbs }) => {
      return [String(number), shortened(label), micro(ns), percent(share), figure(gflops), figure(gbs)];
    }),
    ...(rest.length === 0
      ? []
      : [['', `${rest.length} more (--top)`, micro(sum('ns')), percent(sum('share')), '', '']]),
    ['', 'total', micro(result.ns), result.ns === 0 ? '' : percent(1), figure(result.gflops), figure(result.gbs)],
  ];
  return [
    '',
    ...columns(rows, [0, 2, 3, 4, 5]),
    '',
    ...columns([
      [
        'a step',
        `${(result.ns / 1e6).toFixed(2)} ms in ${result.dispatches} kernels, ` +
          (result.runs === 1 ? 'one run' : `medians of ${result.runs} runs`),
      ],
      ['adapter', result.adapter],
    ]),
    'GB/s count the bytes that must move at least: every value read and written once.',
  ];
}

function shortened(label: string): string {
  return label.length <= LONGEST_NAME ? label : `${label.slice(0, LONGEST_NAME - 1)}…`;
}

const micro = (ns: number) => (ns / 1000).toFixed(1);
const percent = (share: number) => (100 * share).toFixed(1);

/** Three significant digits at least; nothing where nothing was done or no time measured. */
function figure(rate: number): string {
  if (!Number.isFinite(rate) || rate === 0) return '';
  return rate >= 100
    ? rate.toFixed(0)
    : rate >= 10
      ? rate.toFixed(1)
      : rate >= 0.01
        ? rate.toFixed(2)
        : rate.toExponential(0);
}

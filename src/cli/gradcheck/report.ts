/**
 * The tables of a gradient check, and its verdict.
 */

import { columns } from '../output.ts';
import type { ParameterReport } from './check-model.ts';
import type { OpReport } from './check-op.ts';

export interface Summary {
  readonly ok: boolean;
  readonly tolerance: number;
  /** Gradients that were compared. */
  readonly checked: number;
  /** Names of those that do not agree, or could not be compared at all. */
  readonly failed: readonly string[];
}

export function summarize(reports: readonly (OpReport | ParameterReport)[], tolerance: number): Summary {
  const due = reports.filter((report) => !('op' in report) || report.state !== 'none');
  const failed = due.filter(({ error, derivatives }) => derivatives === 0 || !(error <= tolerance));
  return {
    ok: failed.length === 0,
    tolerance,
    checked: due.length,
    failed: failed.map((report) => ('op' in report ? report.op : report.parameter)),
  };
}

export function describeOps(reports: readonly OpReport[], summary: Summary): string[] {
  const without = reports.filter(({ state }) => state === 'none').map(({ op }) => op);
  const rows = reports
    .filter(({ state }) => state !== 'none')
    .map(({ op, state, samples, derivatives, error, worst }) => {
      const verdict = state === 'untested' ? 'NO SAMPLE' : summary.failed.includes(op) ? 'FAIL' : 'ok';
      return [op, String(samples), String(derivatives), error.toExponential(1), verdict, worst];
    });
  return [
    ...columns([['op', 'samples', 'derivatives', 'error', '', 'largest at'], ...rows], [1, 2, 3]),
    '',
    `no gradient, on purpose: ${without.join(', ') || 'none'}`,
    conclusion(summary),
  ];
}

export function describeParameters(reports: readonly ParameterReport[], summary: Summary): string[] {
  const rows = reports.map(({ parameter, derivatives, error }) => {
    const verdict = summary.failed.includes(parameter) ? 'FAIL' : 'ok';
    return [parameter, String(derivatives), error.toExponential(1), verdict];
  });
  return [...columns([['parameter', 'derivatives', 'error', ''], ...rows], [1, 2]), '', conclusion(summary)];
}

function conclusion({ checked, failed, tolerance }: Summary): string {
  return `${checked - failed.length} of ${checked} gradients agree with finite differences to ${tolerance}`;
}

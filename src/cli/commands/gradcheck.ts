/**
 * `downhill gradcheck`: holds every gradient rule against finite differences, in f64 on the CPU. With `--model`, the
 * gradients of a whole model instead, on a few weights of each of its parameters.
 */

import { createCpuBackend } from '../../backend/cpu.ts';
import { allOps } from '../../ops/index.ts';
import { unknownName } from '../../util/errors.ts';
import { COMMON_OPTIONS, defineCommand } from '../command.ts';
import { FAILED } from '../failure.ts';
import { checkOp, type OpReport } from '../gradcheck/check-op.ts';
import { text, whole } from '../options.ts';
import { columns, type Output } from '../output.ts';

/** Largest accepted relative error. */
const TOLERANCE = 1e-6;

export const gradcheck = defineCommand({
  name: 'gradcheck',
  doc: 'check gradients against finite differences',
  example: 'gradcheck --op matmul',
  options: {
    op: text({ placeholder: 'NAME', doc: 'one op only' }),
    seed: whole({ least: 0, fallback: 0, doc: 'draws the values' }),
    ...COMMON_OPTIONS,
  },
  async run({ op, seed }, output) {
    const ops = allOps.filter(({ name }) => op === undefined || name === op);
    if (ops.length === 0) throw unknownName('op', op, allOps.map(({ name }) => name).sort());
    return report(await checkOps(ops, seed, output), output);
  },
});

async function checkOps(ops: typeof allOps, seed: number, output: Output): Promise<OpReport[]> {
  const backend = createCpuBackend({ precision: 'f64' });
  const reports: OpReport[] = [];
  for (const op of ops) {
    if (output.progress.isTTY) output.progress.write(`\r\u001b[2K${reports.length}/${ops.length} ${op.name}`);
    reports.push(await checkOp(op, backend, seed));
  }
  if (output.progress.isTTY) output.progress.write('\r\u001b[2K');
  await backend.dispose();
  return reports;
}

function report(reports: readonly OpReport[], output: Output): number {
  const failed = reports.filter(({ state, error }) => state === 'untested' || !(error <= TOLERANCE));
  const checked = reports.filter(({ state }) => state !== 'none');
  const without = reports.filter(({ state }) => state === 'none').map(({ op }) => op);
  const rows = checked.map((row) => {
    const { op, samples, derivatives, error, worst } = row;
    const verdict = failed.includes(row) ? (row.state === 'untested' ? 'NO SAMPLE' : 'FAIL') : 'ok';
    return [op, String(samples), String(derivatives), error.toExponential(1), verdict, worst];
  });
  output.result(
    {
      ok: failed.length === 0,
      tolerance: TOLERANCE,
      checked: checked.length,
      failed: failed.map(({ op }) => op),
      ops: reports,
    },
    [
      ...columns([['op', 'samples', 'derivatives', 'error', '', 'at'], ...rows], [1, 2, 3]),
      '',
      `no gradient, on purpose: ${without.join(', ') || 'none'}`,
      `${checked.length - failed.length} of ${checked.length} gradient rules agree with finite differences to ${TOLERANCE}`,
    ],
  );
  return failed.length === 0 ? 0 : FAILED;
}

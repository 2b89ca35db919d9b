/**
 * `downhill self-test`: every kernel, forward and backward, on this machine's adapter against the f64 reference.
 */

import { allOps } from '../../ops/index.ts';
import { type SelfTestReport, selfTest } from '../../self-test.ts';
import { unknownName } from '../../util/errors.ts';
import { COMMON_OPTIONS, defineCommand } from '../command.ts';
import { FAILED } from '../failure.ts';
import { withBackend } from '../open-backend.ts';
import { text } from '../options.ts';
import { columns } from '../output.ts';

export const selfTestCommand = defineCommand({
  name: 'self-test',
  doc: 'check every kernel on this adapter against the f64 reference',
  example: 'self-test --json',
  options: { op: text({ placeholder: 'NAME', doc: 'one op only' }), ...COMMON_OPTIONS },
  async run({ op, seed, backend: wanted }, output) {
    if (op !== undefined && !allOps.some(({ name }) => name === op)) {
      throw unknownName('op', op, allOps.map(({ name }) => name).sort());
    }
    return withBackend(wanted, output, async (backend) => {
      const { progress } = output;
      const report = await selfTest(backend, {
        seed,
        ...(op !== undefined && { ops: [op] }),
        onProgress({ done, total, op: { name } }) {
          if (progress.isTTY) progress.write(`\r\u001b[2K${done < total ? `${done}/${total} ${name}` : ''}`);
        },
      });
      output.result(report, describe(report));
      return report.pass ? 0 : FAILED;
    });
  },
});

function describe({ adapter, ops, failed }: SelfTestReport): string[] {
  const exponent = (error: number | null) => (error === null ? 'NaN' : error.toExponential(1));
  const rows = ops.map(({ name, samples, worstError, tolerance, gradients, worstGradientError, pass }) => [
    name,
    String(samples),
    exponent(worstError),
    exponent(tolerance),
    String(gradients),
    gradients === 0 ? '' : exponent(worstGradientError),
    pass ? 'ok' : 'FAIL',
  ]);
  const head = ['op', 'samples', 'error', 'accepted', 'gradients', 'error', ''];
  return [
    ...columns([head, ...rows], [1, 2, 3, 4, 5]),
    '',
    ...ops.filter(({ pass }) => !pass).map(({ name, message }) => `${name}: ${message}`),
    `${ops.length - failed.length} of ${ops.length} ops agree with the f64 reference on ${adapter}`,
  ];
}

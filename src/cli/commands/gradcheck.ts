/**
 * `downhill gradcheck`: checks every gradient rule against finite differences in f64; with `--model`, the gradients of
 * a whole model instead. The gradients are computed in f64 on the CPU, or in f32 on the device with `--backend webgpu`.
 */

import { createCpuBackend } from '../../backend/cpu.ts';
import { digits } from '../../data/sets/digits.ts';
import { allOps } from '../../ops/index.ts';
import { openNodeWebGPU } from '../../runtime/use-backend.node.ts';
import { unknownName } from '../../util/errors.ts';
import { ZOO_NAMES, type ZooName } from '../../zoo/index.ts';
import { COMMON_OPTIONS, defineCommand } from '../command.ts';
import { FAILED } from '../failure.ts';
import { checkModel } from '../gradcheck/check-model.ts';
import { checkOp } from '../gradcheck/check-op.ts';
import { describeOps, describeParameters, summarize } from '../gradcheck/report.ts';
import { makeModel } from '../make-model.ts';
import { choice, type OptionValues, text } from '../options.ts';
import type { Output } from '../output.ts';

/** Largest accepted relative error where both sides are f64, and of an op's gradient in f32. */
const TOLERANCE = { cpu: 1e-6, webgpu: 1e-3 };
/** A relu among ten thousand that changes sides within a step costs more than rounding does. */
const MODEL_TOLERANCE = { cpu: 1e-5, webgpu: 1e-3 };
/** Examples of the batch that a model is checked on. */
const BATCH_SIZE = 2;

const OPTIONS = {
  op: text({ placeholder: 'NAME', doc: 'one op only' }),
  model: choice({ names: ZOO_NAMES, fallback: undefined, doc: 'check a model instead of the ops' }),
  ...COMMON_OPTIONS,
};

export const gradcheck = defineCommand({
  name: 'gradcheck',
  doc: 'check gradients against finite differences',
  example: 'gradcheck --op matmul',
  options: OPTIONS,
  async run(values, output) {
    const ops = allOps.filter(({ name }) => values.op === undefined || name === values.op);
    if (ops.length === 0) throw unknownName('op', values.op, allOps.map(({ name }) => name).sort());
    const reference = createCpuBackend({ precision: 'f64' });
    const backend = values.backend === 'webgpu' ? await openNodeWebGPU() : reference;
    try {
      const progress = progressLine(output);
      if (values.model !== undefined)
        return await modelCheck(values, values.model, backend, reference, output, progress);
      const reports = [];
      for (const op of ops) {
        progress(`${reports.length}/${ops.length} ${op.name}`);
        reports.push(await checkOp(op, backend, values.seed));
      }
      progress('');
      const summary = summarize(reports, TOLERANCE[values.backend ?? 'cpu']);
      output.result({ adapter: backend.description, ...summary, ops: reports }, describeOps(reports, summary));
      return summary.ok ? 0 : FAILED;
    } finally {
      await reference.dispose();
      if (backend !== reference) await backend.dispose();
    }
  },
});

type Backends = Parameters<typeof checkModel>;

async function modelCheck(
  { backend: wanted, seed }: OptionValues<typeof OPTIONS>,
  model: ZooName,
  backend: Backends[2],
  reference: Backends[3],
  output: Output,
  progress: (line: string) => void,
): Promise<number> {
  const { train: batch } = digits({ train: BATCH_SIZE, test: 1, seed });
  const make = () => makeModel({ model, optimizer: 'sgd', learningRate: undefined, seed }, batch);
  const { model: unused, prepare } = make();
  unused.dispose();
  const reports = await checkModel(() => make().model, prepare(batch), backend, reference, seed, progress);
  progress('');
  const summary = summarize(reports, MODEL_TOLERANCE[wanted ?? 'cpu']);
  output.result(
    { model, adapter: backend.description, ...summary, parameters: reports },
    describeParameters(reports, summary),
  );
  return summary.ok ? 0 : FAILED;
}

/** A line that is overwritten; only on a terminal, since the work takes seconds. */
function progressLine({ progress }: Output): (line: string) => void {
  return (line) => {
    if (progress.isTTY) progress.write(`\r\u001b[2K${line}`);
  };
}

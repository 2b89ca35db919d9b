/**
 * `downhill tune`: times the kernels of a model's training step on this machine's adapter, and stores the fastest tile
 * of each, which every later process on the adapter uses. Tunings of other models stay.
 */

import { tune } from '../../train/loop/tune.ts';
import { describeTile } from '../../tune/candidates.ts';
import { findStoredTuning, saveTuning, tuningPath } from '../../tune/store.node.ts';
import type { TuneProgress, TuneReport } from '../../tune/tune.ts';
import { exportTuning, makeTuning, type Tuning } from '../../tune/tuning.ts';
import { DownhillError } from '../../util/errors.ts';
import { assertWritable, writeFileAtomic } from '../../util/files.node.ts';
import { COMMON_OPTIONS, defineCommand } from '../command.ts';
import { Interrupt } from '../interrupt.ts';
import { DATASET_OPTIONS, loadDataset } from '../load-data.ts';
import { MODEL_OPTIONS, makeModel } from '../make-model.ts';
import { withBackend } from '../open-backend.ts';
import { positive, text, whole } from '../options.ts';
import { columns, type Output } from '../output.ts';

/** Seconds: enough for LeNet on a software adapter with two cores. */
const BUDGET = 40;

export const tuneCommand = defineCommand({
  name: 'tune',
  doc: "time a model's kernels on this adapter and keep the fastest",
  example: 'tune --model lenet --dataset digits --batch-size 64',
  options: {
    ...MODEL_OPTIONS,
    ...DATASET_OPTIONS,
    batchSize: whole({ least: 1, fallback: 64, doc: 'examples per step, as for train' }),
    budget: positive({
      fallback: BUDGET,
      doc: 'seconds; the largest kernels come first, those not reached keep their defaults',
    }),
    out: text({
      placeholder: 'FILE',
      doc: 'where to write the tuning, to ship it with a page, instead of the cache folder',
    }),
    ...COMMON_OPTIONS,
  },
  async run(values, output) {
    if (values.backend === 'cpu') {
      throw new DownhillError('argument', 'tune: --backend cpu has no kernels to time; tuning is for WebGPU adapters');
    }
    const { train } = await loadDataset(values, output);
    const { model, prepare } = makeModel(values, train);
    using _model = model;
    const stop = new AbortController();
    using interrupt = new Interrupt(() => {
      output.warn('\ninterrupted: keeping what was found (again to quit at once)');
      stop.abort();
    });
    return await withBackend('webgpu', output, async (backend) => {
      await assertWritable(values.out ?? tuningPath(makeTuning(backend, {})));
      output.say(`tuning ${values.model} in batches of ${values.batchSize}, ${backend.description}`);
      const stored = values.out === undefined ? await findStoredTuning(backend) : undefined;
      const report = await tune(model, prepare(train), {
        batchSize: values.batchSize,
        budgetMs: values.budget * 1000,
        signal: stop.signal,
        onProgress: (progress) => showProgress(progress, output),
        ...(stored?.state === 'usable' && { earlier: stored.tuning }),
      });
      const path = await keep(report.tuning, values.out);
      const { tuning: _, ...found } = report;
      const { model: name, dataset, batchSize } = values;
      const result = { model: name, dataset, adapter: backend.description, batchSize, ...found, path };
      output.result(result, describe(report, path, values.out !== undefined));
      return interrupt.status;
    });
  },
});

async function keep(tuning: Tuning, out: string | undefined): Promise<string> {
  if (out === undefined) return saveTuning(tuning);
  await writeFileAtomic(out, exportTuning(tuning));
  return out;
}

/** One line that is overwritten on a terminal, one line per kernel elsewhere. */
function showProgress({ done, total, label }: TuneProgress, { progress }: Output): void {
  const line = label === undefined ? '' : `${done + 1}/${total} ${label}`;
  if (progress.isTTY) progress.write(`\r\u001b[2K${line}`);
  else if (line !== '') progress.write(`${line}\n`);
}

function describe({ kernels, total, seconds }: TuneReport, path: string, exported: boolean): string[] {
  const [before, after] = [sumOf(kernels.map((kernel) => kernel.defaultMs)), sumOf(kernels.map((kernel) => kernel.ms))];
  const milliseconds = (ms: number) => ms.toFixed(3);
  const rows = kernels.map(({ label, defaultMs, ms, tile }) => [
    label,
    milliseconds(defaultMs),
    milliseconds(ms),
    (defaultMs / ms).toFixed(2),
    describeTile(tile),
  ]);
  const dropped = kernels.flatMap(({ label, dropped }) =>
    dropped.map(({ tile, why }) => `dropped: ${describeTile(tile)} for ${label}: ${why}`),
  );
  const all = ['all', milliseconds(before), milliseconds(after), (before / after).toFixed(2)];
  const head = ['kernel', 'default ms', 'tuned ms', '×', 'tile'];
  const rest = kernels.length < total ? '; the others keep their defaults (a larger --budget reaches them)' : '';
  return [
    ...columns([head, ...rows, ...(rows.length > 1 ? [all] : [])], [1, 2, 3]),
    '',
    ...dropped,
    `${kernels.length} of ${total} kernels in ${seconds.toFixed(1)} s${rest}`,
    exported ? `written to ${path}` : `stored in ${path}; used from now on, unless DOWNHILL_TUNING=off`,
  ];
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

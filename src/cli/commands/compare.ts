/**
 * `downhill compare`: the same training (same weights, same batches in the same order) on a device and on the f64
 * reference: the loss of every step, and the gradient of every parameter. Fails when they differ. The losses come from
 * two independent trainings. Each gradient is taken at the same weights on both: the initial ones, and those that the
 * device has after step 1. Where rounding flips a near tie there (max pooling, relu), the point is moved by 0.1 %.
 */

import { createCpuBackend } from '../../backend/cpu.ts';
import type { TrainTest } from '../../data/dataset.ts';
import { COMMON_OPTIONS, defineCommand } from '../command.ts';
import { type Comparison, compareRuns, GRADIENT_TOLERANCE, LOSS_TOLERANCE } from '../compare/compare-runs.ts';
import { traceTraining } from '../compare/trace-training.ts';
import { FAILED } from '../failure.ts';
import { DATASET_OPTIONS, loadDataset } from '../load-data.ts';
import { MODEL_OPTIONS } from '../make-model.ts';
import { withBackend } from '../open-backend.ts';
import { whole } from '../options.ts';
import { columns } from '../output.ts';

/** Steps that the table for people shows. */
const SHOWN_STEPS = 10;

export const compare = defineCommand({
  name: 'compare',
  doc: 'compare a training on the device with the f64 reference',
  example: 'compare --model lenet --dataset digits --steps 10',
  options: {
    ...MODEL_OPTIONS,
    ...DATASET_OPTIONS,
    steps: whole({ least: 1, fallback: 50, doc: 'training steps' }),
    batchSize: whole({ least: 1, fallback: 64, doc: 'examples per step' }),
    ...COMMON_OPTIONS,
  },
  async run(values, output) {
    const { train }: TrainTest = await loadDataset(values, output);
    const { adapter, kind, device } = await withBackend(values.backend, output, async (backend) => {
      output.say(`${values.steps} steps on ${backend.description}`);
      return {
        adapter: backend.description,
        kind: backend.kind,
        device: await traceTraining(values, train, backend, output),
      };
    });
    const exact = createCpuBackend({ precision: 'f64' });
    output.say(`${values.steps} steps on ${exact.description}`);
    const reference = await traceTraining(values, train, exact, output, device).finally(() => exact.dispose());
    const comparison = compareRuns(reference, device);
    const { model, dataset, steps, batchSize, seed } = values;
    const setting = { model, dataset, backend: kind, adapter, reference: exact.description, steps, batchSize, seed };
    output.result({ ...setting, ...comparison }, describe(comparison));
    return comparison.ok ? 0 : FAILED;
  },
});

function describe({
  ok,
  losses,
  gradients,
  gradientPoints,
  maxLossDifference,
  maxGradientDifference,
}: Comparison): string[] {
  const every = Math.max(1, Math.ceil(losses.length / SHOWN_STEPS));
  const shown = losses.filter(({ step }) => step === 1 || step === losses.length || step % every === 0);
  const scientific = (value: number) => value.toExponential(1);
  const verdict = (error: number, tolerance: number) =>
    `${scientific(error)}, ${error <= tolerance ? 'within' : 'BEYOND'} ${scientific(tolerance)}`;
  return [
    '',
    ...columns(
      [
        ['step', 'loss, reference', 'loss, device', 'difference'],
        ...shown.map(({ step, reference, device, difference }) => [
          String(step),
          reference.toFixed(6),
          device.toFixed(6),
          scientific(difference),
        ]),
      ],
      [0, 1, 2, 3],
    ),
    '',
    ...columns(
      [
        ['gradient of', 'at step 1', 'after step 1'],
        ...gradients.map(({ name, atStep1, afterStep1 }) => [name, scientific(atStep1), scientific(afterStep1)]),
      ],
      [1, 2],
    ),
    "(at the same weights on both: the initial ones, and the device's after step 1)",
    ...Object.values(gradientPoints).flatMap((point, k) =>
      point === 0
        ? []
        : [`(${k === 0 ? 'at' : 'after'} step 1, moved by 0.1 %: they agree there, so rounding flipped a tie)`],
    ),
    '',
    `largest relative difference of a loss: ${verdict(maxLossDifference, LOSS_TOLERANCE)}`,
    `largest relative difference of a gradient: ${verdict(maxGradientDifference, GRADIENT_TOLERANCE)}`,
    ok ? 'PASS' : 'FAIL',
  ];
}

/**
 * `bench tune`: how near the tuner's choices are to the best candidate, on random sizes; and what tuning a model takes
 * and gives. It fails when a choice is over 10 % slower than the best, or a model takes a minute.
 */

import { formatMs, markdownTable } from '../core/table.ts';
import type { TunedStepsReport } from '../core/tuned-steps.ts';
import { measureTuning } from '../core/tuning-quality.ts';
import { runChild } from './child.ts';
import type { Options, Outcome } from './commands.ts';
import { openBackend } from './gpu.ts';

const SHAPES = 20;
const SEED = 1;
const WORST_RATIO = 1.1;
const MOST_SECONDS = 60;

export async function runTune({ models, budgetMs, say }: Options): Promise<Outcome> {
  // One model says what tuning costs; more of them when asked for by name.
  const [name] = models;
  say(`tuning ${name}`);
  const steps = await runChild<TunedStepsReport>('node/child-tuned-steps.ts', [name, String(budgetMs / 4)]);
  const backend = await openBackend();
  const rows = await measureTuning(backend, SHAPES, SEED, ({ label, ratio }) => say(`${label}: ${ratio.toFixed(3)}`));
  await backend.dispose();
  const table = markdownTable(
    [
      'contraction',
      'candidates',
      'default ms',
      'chosen ms',
      'best ms',
      'chosen / best',
      'default / best',
      'chosen',
      'tuning s',
    ],
    rows.map((r) => [
      r.label,
      r.candidates,
      r.defaultMs,
      r.chosenMs,
      r.bestMs,
      r.ratio,
      r.defaultRatio,
      r.chosen,
      r.tuneSeconds,
    ]),
  );
  const worst = Math.max(...rows.map(({ ratio }) => ratio));
  const mean = (values: readonly number[]) => Math.exp(values.reduce((sum, v) => sum + Math.log(v), 0) / values.length);
  const gain = mean(rows.map(({ defaultMs, chosenMs }) => defaultMs / chosenMs));
  const { title, batch, tuneSeconds, kernels, total, defaultStep, tunedStep } = steps;
  const lines = [
    `**${title}**, batch ${batch}: tuned in ${tuneSeconds.toFixed(1)} s, ${kernels} of ${total} kernels; ` +
      'the kernels one by one ' +
      `${formatMs(steps.kernelsDefaultMs)} → ${formatMs(steps.kernelsTunedMs)}, a step of \`fit\` ` +
      `${formatMs(defaultStep.median)} → ${formatMs(tunedStep.median)} ` +
      `(fastest ${formatMs(defaultStep.min)} → ${formatMs(tunedStep.min)}).`,
    `**${SHAPES} random contractions**: at worst the choice takes ${worst.toFixed(3)} times as long as the best ` +
      `candidate; in the geometric mean it is ${gain.toFixed(2)} times as fast as the default.`,
    table,
    'Chosen by the tuner, then all candidates timed again: the fastest of thirty samples in turn, and of 150 more ' +
      'for the chosen and the best one where these differ by over 5 %. The model is tuned in a fresh ' +
      'process with Mesa’s shader cache off.',
  ];
  const failed = worst > WORST_RATIO || tuneSeconds > MOST_SECONDS;
  return { data: { steps, rows, worst, gain }, markdown: lines.join('\n\n'), failed };
}

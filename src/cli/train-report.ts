/**
 * The result of a training: the record that `train --json` ends with, and the same for people.
 */

import type { Backend } from '../backend/backend.ts';
import type { History } from '../train/loop/history.ts';
import { validationName } from '../train/step/report.ts';
import { formatBytes } from '../util/text.ts';
import { columns } from './output.ts';

/** The last line of `train --json`. Numbers that are not known (a training cut short) are null. */
export interface TrainResult {
  readonly model: string;
  readonly dataset: string;
  readonly backend: string;
  readonly adapter: string;
  /** Epochs begun and steps made. */
  readonly epochs: number;
  readonly steps: number;
  /** Mean over the examples of the last epoch. */
  readonly trainLoss: number;
  readonly testLoss: number;
  /** NaN, null in JSON, for a model without accuracy. */
  readonly testAccuracy: number;
  /** The other metrics over the held-out examples, by name; left out where there is none. */
  readonly testMetrics?: Readonly<Record<string, number>>;
  /** Wall clock of the whole training: compiling, steps, test scores. */
  readonly seconds: number;
  readonly firstStepMs: number;
  readonly stepMsMedian: number;
  /** Over all steps but the first. */
  readonly samplesPerSecond: number;
  readonly dispatchesPerStep: number;
  readonly submitsPerStep: number;
  readonly pipelines: number;
  /** Most bytes that buffers took at one time. */
  readonly peakBytes: number;
  /** Fingerprint of the bits of every step's loss. */
  readonly digest: string;
}

/** @param seconds wall clock of `fit`. */
export function trainResult(
  model: string,
  dataset: string,
  backend: Backend,
  history: History,
  seconds: number,
): TrainResult {
  const { facts, last } = history;
  return {
    model,
    dataset,
    backend: backend.kind,
    adapter: backend.description,
    epochs: history.epoch.length,
    steps: history.lossHistory.length,
    trainLoss: last.loss ?? Number.NaN,
    testLoss: last.valLoss ?? Number.NaN,
    testAccuracy: last.valAccuracy ?? Number.NaN,
    ...otherMetrics(history),
    seconds,
    firstStepMs: facts.firstStepMs,
    stepMsMedian: facts.stepMsMedian,
    samplesPerSecond: facts.samplesPerSecond,
    dispatchesPerStep: facts.dispatchesPerStep,
    submitsPerStep: facts.submitsPerStep,
    pipelines: facts.pipelines,
    peakBytes: facts.peakBytes,
    digest: history.digest,
  };
}

/** The last values of the metrics other than the accuracy. */
function otherMetrics({ last }: History): Pick<TrainResult, 'testMetrics'> {
  const others = Object.keys(last).filter((name) => !name.startsWith('val') && !['loss', 'accuracy'].includes(name));
  const known = others.filter((name) => last[validationName(name)] !== undefined);
  if (known.length === 0) return {};
  return { testMetrics: Object.fromEntries(known.map((name) => [name, last[validationName(name)]])) };
}

/** The result in lines; `planBytes` is the memory of one step's plan with its inputs. */
export function describeResult(result: TrainResult, planBytes: number): string[] {
  const rate = `${result.samplesPerSecond.toFixed(0)} samples/s, ${result.stepMsMedian.toFixed(2)} ms a step`;
  const timed = Number.isFinite(result.stepMsMedian);
  return [
    '',
    ...columns([
      scoreRow(result.testAccuracy, result.testLoss),
      ...metricRows(result.testMetrics),
      ['training', `${result.steps} steps in ${result.seconds.toFixed(1)} s, loss ${fixed(result.trainLoss)}`],
      ['speed', timed ? rate : 'unknown: the first step is not counted'],
      ['first step', `${fixed(result.firstStepMs / 1000, 2)} s, compiling included`],
      [
        'a step',
        `${result.dispatchesPerStep} dispatches, ${result.submitsPerStep} submit, ${result.pipelines} pipelines`,
      ],
      ['memory', `${formatBytes(planBytes)} for a step, ${formatBytes(result.peakBytes)} at the peak`],
      ['adapter', `${result.adapter} (${result.backend})`],
      ['digest', result.digest],
    ]),
  ];
}

/** The row about the held-out examples: accuracy and loss, or the loss alone. */
export function scoreRow(accuracy: number | undefined, loss: number): string[] {
  if (accuracy === undefined || Number.isNaN(accuracy)) return ['test loss', fixed(loss)];
  return ['test accuracy', `${(100 * accuracy).toFixed(2)} %, loss ${fixed(loss)}`];
}

function fixed(value: number, digits = 4): string {
  return Number.isNaN(value) ? 'unknown' : value.toFixed(digits);
}

export function metricRows(metrics: Readonly<Record<string, number>> = {}): string[][] {
  return Object.entries(metrics).map(([name, value]) => [`test ${name}`, value.toPrecision(5)]);
}

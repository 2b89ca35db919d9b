/**
 * What a training comes to: the record that `train --json` ends with, and the same for people.
 */

import type { Backend } from '../backend/backend.ts';
import type { History } from '../train/history.ts';
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
  readonly testAccuracy: number;
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
    trainLoss: last.loss,
    testLoss: last.valLoss,
    testAccuracy: last.valAccuracy,
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

/** The result in lines; `planBytes` is the memory of one step's plan with its inputs. */
export function describeResult(result: TrainResult, planBytes: number): string[] {
  const percent = (value: number) => `${(100 * value).toFixed(2)} %`;
  const rate = `${result.samplesPerSecond.toFixed(0)} samples/s, ${result.stepMsMedian.toFixed(2)} ms a step`;
  return [
    '',
    ...columns([
      ['test accuracy', `${percent(result.testAccuracy)}, loss ${result.testLoss.toFixed(4)}`],
      ['training', `${result.steps} steps in ${result.seconds.toFixed(1)} s, loss ${result.trainLoss.toFixed(4)}`],
      ['speed', result.steps > 1 ? rate : 'unknown: the first step is not counted'],
      ['first step', `${(result.firstStepMs / 1000).toFixed(2)} s, compiling included`],
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

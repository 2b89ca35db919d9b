/**
 * The commands of the bench: what each measures, and the table that it makes of it. Measuring is core/'s work; here
 * processes are started and figures laid out.
 */

import { formatBytes } from '../../src/util/text.ts';
import type { StepsReport } from '../core/steps.ts';
import { formatMs, markdownTable } from '../core/table.ts';
import { WORKLOADS, type WorkloadName } from '../core/workloads.ts';
import { runBrowser } from './browser.ts';
import { runChild } from './child.ts';
import { runKernels } from './kernels.ts';
import { runOps } from './ops.ts';
import { runPeers } from './peers.ts';
import { runProfile } from './profile.ts';
import { runTune } from './tune.ts';

export interface Options {
  readonly models: readonly WorkloadName[];
  /** Milliseconds of timed steps a measurement. */
  readonly budgetMs: number;
  /** Text in the names of the ops to be measured, for kernels and ops. */
  readonly filter: string;
  /** Fresh processes an engine, for peers and ops. */
  readonly rounds: number;
  /** What is being done, for a person who waits. */
  readonly say: (text: string) => void;
}

export interface Outcome {
  readonly data: unknown;
  readonly markdown: string;
  /** A check failed: the process shall end with a status. */
  readonly failed?: boolean;
}

export interface BenchCommand {
  readonly title: string;
  run(options: Options): Promise<Outcome>;
}

const MAX_STEPS = 200;

export const COMMANDS: Readonly<Record<string, BenchCommand>> = {
  steps: { title: 'Training steps (`model.fit`)', run: runSteps },
  peers: { title: 'Next to other engines', run: runPeers },
  browser: { title: 'Next to other engines, in Chromium', run: runBrowser },
  ops: { title: 'Single ops next to other engines', run: runOps },
  profile: { title: 'Where the time of a step goes', run: runProfile },
  kernels: { title: 'Kernels', run: runKernels },
  'cpu-vs-gpu': { title: 'CPU backend and WebGPU', run: runCpuVsGpu },
  tune: { title: 'The tuner’s choices', run: runTune },
  scaling: { title: 'Cost against batch size', run: runScaling },
};

/** `model.fit` in a process of its own. */
function stepsOf(
  name: WorkloadName,
  options: Options,
  batch: number = WORKLOADS[name].batch,
  kind = 'webgpu',
  maxSteps = MAX_STEPS,
): Promise<StepsReport> {
  options.say(`${name}, batch ${batch}, ${kind}`);
  return runChild('node/child-steps.ts', [name, String(batch), String(options.budgetMs), String(maxSteps), kind]);
}

async function runSteps(options: Options): Promise<Outcome> {
  const data: StepsReport[] = [];
  for (const name of options.models) data.push(await stepsOf(name, options));
  const table = markdownTable(
    ['model', 'batch', 'first step', 'step', 'fastest', 'samples/s', 'dispatches', 'submits', 'new objects'].concat([
      'pipelines',
      'peak memory',
      'of it data',
    ]),
    data.map((r) => [
      r.model,
      r.batch,
      formatMs(r.firstStepMs),
      formatMs(r.step.median),
      formatMs(r.step.min),
      Math.round(r.samplesPerSecond),
      r.dispatches,
      r.submits,
      r.newObjects,
      r.pipelines,
      formatBytes(r.peakBytes),
      formatBytes(r.dataBytes),
    ]),
  );
  const note =
    'Adam, or momentum for the networks with batch normalisation; accuracy as metric, images resident as bytes, ' +
    'shuffled on the device. A fresh process each, Mesa’s shader cache off (`MESA_SHADER_CACHE_DISABLE=true`); ' +
    '`step` is the median time between the ends of two steps, without the first epoch.';
  return { data, markdown: `${table}\n\n${note}` };
}

async function runCpuVsGpu(options: Options): Promise<Outcome> {
  const rows: { name: WorkloadName; batch: number; cpu: StepsReport; gpu: StepsReport }[] = [];
  for (const name of options.models) {
    const batch = 16;
    const cpu = await stepsOf(name, options, batch, 'cpu', 20);
    rows.push({ name, batch, cpu, gpu: await stepsOf(name, options, batch) });
  }
  const table = markdownTable(
    ['model', 'batch', 'CPU backend', 'WebGPU', 'ratio'],
    rows.map(({ batch, cpu, gpu }) => [
      gpu.model,
      batch,
      formatMs(cpu.step.median),
      formatMs(gpu.step.median),
      cpu.step.median / gpu.step.median,
    ]),
  );
  const note =
    'Median steps. The CPU backend runs the ops’ reference functions in f32 on one thread: it is written to be read, ' +
    'not to be fast.';
  return { data: rows, markdown: `${table}\n\n${note}` };
}

async function runScaling(options: Options): Promise<Outcome> {
  const data: StepsReport[] = [];
  for (const name of options.models) {
    for (const batch of [1, 4, 16, 64, 256]) data.push(await stepsOf(name, options, batch));
  }
  const table = markdownTable(
    ['model', 'batch', 'step', 'µs per sample', 'samples/s'],
    data.map((r) => [
      r.model,
      r.batch,
      formatMs(r.step.median),
      (1000 * r.step.median) / r.batch,
      Math.round(r.samplesPerSecond),
    ]),
  );
  return { data, markdown: `${table}\n\nMedian steps of \`model.fit\`.` };
}

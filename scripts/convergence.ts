/**
 * Trains networks of the zoo to the accuracy that issue 4 ("Done when", line 3) asks of them, one seed each:
 *
 *   npm run -s convergence -- NAME…            all without a name; --steps N ends each after N steps (a speed trial)
 *   npm run -s convergence -- --data DIR NAME  folder of the data sets; ../shared/datasets unless given
 *
 * Prints a table and keeps every run in bench/results/DATE-ADAPTER-convergence.json; fails when a target accuracy is
 * missed.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Environment, loadAverage, readEnvironment } from '../bench/node/environment.ts';
import { openBackend } from '../bench/node/gpu.ts';
import { columns } from '../src/cli/output.ts';
import { setBackend } from '../src/runtime/index.ts';
import type { Callback, TrainedModel } from '../src/train/callbacks/callback.ts';
import type { History } from '../src/train/loop/history.ts';
import { EXPERIMENTS, type Experiment } from './convergence/experiments.ts';
import { runScript } from './run-script.ts';

interface Run {
  readonly date: string;
  readonly environment: Environment;
  readonly load: readonly [before: number, after: number];
  readonly model: string;
  readonly dataset: string;
  readonly parameters: number;
  readonly setting: string;
  readonly seed: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly target: number;
  /** Of the held-out examples, an epoch each. */
  readonly accuracy: readonly number[];
  readonly loss: readonly number[];
  readonly reached: boolean;
  /** Wall clock of the whole fit. */
  readonly seconds: number;
  readonly stepMsMedian: number;
  readonly digest: string;
}

const SEED = 1;

interface Words {
  readonly names: readonly string[];
  readonly folder: string;
  readonly steps: number | undefined;
}

function readWords(words: readonly string[]): Words {
  const names: string[] = [];
  let folder = fileURLToPath(new URL('../../shared/datasets', import.meta.url));
  let steps: number | undefined;
  for (let k = 0; k < words.length; k++) {
    if (words[k] === '--data') folder = words[++k];
    else if (words[k] === '--steps') steps = Number(words[++k]);
    else names.push(words[k]);
  }
  const known = EXPERIMENTS.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`convergence: unknown name "${unknown}". Known: ${known.join(', ')}`);
  if (steps !== undefined && !(Number.isInteger(steps) && steps > 1))
    throw new Error('convergence: --steps takes a number of at least 2');
  return { names: names.length === 0 ? known : names, folder, steps };
}

/** Prints an epoch as it ends, and ends the training after `steps`. */
function watcher(name: string, steps: number | undefined, accuracy: number[]): Callback {
  let model: TrainedModel | undefined;
  let done = 0;
  const start = performance.now();
  return {
    onTrainBegin(_, trained) {
      model = trained;
    },
    onBatchEnd() {
      if (++done === steps && model !== undefined) model.stopTraining = true;
    },
    onEpochEnd(epoch, logs) {
      accuracy.push(logs.valAccuracy);
      const seconds = ((performance.now() - start) / 1000).toFixed(0);
      const held = `held out ${(100 * logs.valAccuracy).toFixed(2)} %, loss ${logs.valLoss.toFixed(4)}`;
      console.log(`${name} epoch ${epoch + 1}, ${seconds} s: loss ${logs.loss.toFixed(4)}, ${held}`);
    },
  };
}

async function run(experiment: Experiment, { folder, steps }: Words, environment: Environment): Promise<Run> {
  const { train, test } = await experiment.load(folder);
  const { epochs, batchSize, target, name } = experiment;
  const totalSteps = epochs * Math.ceil(train.size / batchSize);
  const backend = await openBackend();
  setBackend(backend);
  try {
    using model = experiment.make(SEED);
    model.compile({
      optimizer: experiment.optimizer(totalSteps),
      loss: 'sparseCategoricalCrossentropy',
      metrics: ['accuracy'],
    });
    const before = loadAverage();
    const date = new Date().toISOString();
    const start = performance.now();
    const accuracy: number[] = [];
    const history: History = await model.fit(train, {
      ...{ epochs, batchSize, seed: SEED, verbose: 0, validationData: test },
      callbacks: [watcher(name, steps, accuracy)],
    });
    return {
      date,
      environment,
      load: [before, loadAverage()],
      model: model.name,
      dataset: train.name,
      parameters: model.countParams(),
      setting: experiment.setting,
      ...{ seed: SEED, epochs, batchSize, target, accuracy },
      loss: history.history.valLoss,
      reached: (accuracy.at(-1) ?? 0) >= target,
      seconds: (performance.now() - start) / 1000,
      stepMsMedian: history.facts.stepMsMedian,
      digest: history.digest,
    };
  } finally {
    setBackend(undefined);
    await backend.dispose();
  }
}

/** Adds `result` to the runs of the day on this adapter; a name that runs again replaces its own. */
function keep(name: string, result: Run): string {
  const adapter = result.environment.adapter
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean)
    .slice(0, 3)
    .join('-');
  const path = fileURLToPath(
    new URL(`../bench/results/${result.date.slice(0, 10)}-${adapter}-convergence.json`, import.meta.url),
  );
  const known = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
  writeFileSync(path, `${JSON.stringify({ ...known, [name]: result }, null, 2)}\n`);
  return path;
}

/** Each network in a process of its own: Dawn's memory goes with it. */
async function main(): Promise<void> {
  const words = readWords(process.argv.slice(2));
  if (words.names.length > 1) {
    const more = process.argv.slice(2).filter((word) => !words.names.includes(word));
    let failed = 0;
    for (const name of words.names) {
      try {
        execFileSync(process.execPath, ['--import', 'tsx', fileURLToPath(import.meta.url), name, ...more], {
          stdio: 'inherit',
        });
      } catch {
        failed++;
      }
    }
    if (failed > 0) throw new Error(`convergence: ${failed} of ${words.names.length} missed their target or failed`);
    return;
  }
  const experiment = EXPERIMENTS.find(({ name }) => name === words.names[0])!;
  const environment = await readEnvironment();
  const result = await run(experiment, words, environment);
  const percent = (value: number | undefined) => (value === undefined ? '' : `${(100 * value).toFixed(2)} %`);
  const rows = [
    ['model', 'data', 'parameters', 'target', 'held out', 'seconds', 'ms a step'],
    [
      ...[experiment.name, result.dataset, String(result.parameters), percent(result.target)],
      ...[percent(result.accuracy.at(-1)), result.seconds.toFixed(0), result.stepMsMedian.toFixed(1)],
    ],
  ];
  console.log(columns(rows, [2, 3, 4, 5, 6]).join('\n'));
  if (words.steps !== undefined) {
    const trained = await experiment.load(words.folder);
    const stepsPerEpoch = Math.ceil(trained.train.size / experiment.batchSize);
    const minutes = (experiment.epochs * stepsPerEpoch * result.stepMsMedian) / 60_000;
    console.log(`a trial: ${experiment.epochs} epochs would take ${minutes.toFixed(1)} minutes of steps`);
    return;
  }
  console.log(`kept in ${join('bench', 'results', keep(experiment.name, result).split('/').at(-1)!)}`);
  if (!result.reached) throw new Error(`convergence: ${experiment.name} missed its ${percent(result.target)}`);
}

runScript(import.meta.url, main);

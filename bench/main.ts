/**
 * `npm run bench -- COMMAND`: measures, prints a table (or JSON), and keeps both under bench/results/. What measures is
 * in core/, free of Node, so that a browser page can run it too; node/ has processes, files and the command line.
 */

import { parseArgs } from 'node:util';
import { unknownName } from '../src/util/errors.ts';
import { WORKLOADS, type WorkloadName } from './core/workloads.ts';
import { COMMANDS } from './node/commands.ts';
import { loadAverage, readEnvironment } from './node/environment.ts';
import { describe, saveSection } from './node/results.ts';

const USAGE = `npm run bench -- COMMAND [options]

  steps        training with model.fit: first step, median step, dispatches, memory
  peers        the same steps in TensorFlow.js webgpu and jax-js (installs them in bench/peers)
  browser      the steps of peers in headless Chromium (SwiftShader)
  ops          matmul, conv2d and its gradients, each alone, next to the same peers
  profile      device time of each dispatch of a training step
  kernels      every op's bench row, next to the adapter's measured ceilings
  cpu-vs-gpu   the CPU backend next to WebGPU
  scaling      cost against batch size
  tune         the tuner's choices against all candidates, and what tuning a model takes and gives

  --model NAME     ${Object.keys(WORKLOADS).join(' or ')}; all when left out
  --op TEXT        kernels, ops: only those whose name contains TEXT
  --seconds S      time for timed steps or calls of each measurement; 10 when left out
  --rounds N       peers, ops: fresh processes an engine, in turn; 1 when left out
  --json           print JSON
  --no-save        leave bench/results/ alone`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      model: { type: 'string' },
      op: { type: 'string' },
      seconds: { type: 'string', default: '10' },
      rounds: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
      'no-save': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [name] = positionals;
  if (values.help || name === undefined) {
    process.stdout.write(`${USAGE}\n`);
    return values.help ? 0 : 1;
  }
  if (!Object.hasOwn(COMMANDS, name)) throw unknownName('bench command', name, Object.keys(COMMANDS));
  const command = COMMANDS[name];
  const models = modelNames(values.model);
  const budgetMs = 1000 * Number(values.seconds);
  if (!(budgetMs > 0)) throw new Error(`--seconds takes a number above 0, found ${values.seconds}`);
  const rounds = Number(values.rounds);
  if (!(Number.isInteger(rounds) && rounds >= 1))
    throw new Error(`--rounds takes a whole number, found ${values.rounds}`);
  const before = loadAverage();
  const date = new Date().toISOString();
  const environment = await readEnvironment();
  const say = (text: string): void => void process.stderr.write(`${name}: ${text}\n`);
  const { data, markdown, failed } = await command.run({ models, budgetMs, filter: values.op ?? '', rounds, say });
  const load = [before, loadAverage()] as const;
  const section = { title: command.title, date, load, environment, data, markdown };
  process.stdout.write(values.json ? `${JSON.stringify(section)}\n` : `${describe(section)}\n`);
  // A part of the rows is not a result worth keeping.
  const whole = values.op === undefined && values.model === undefined;
  if (whole && !values['no-save']) say(`saved as ${saveSection(name, section)}.json and .md`);
  return failed === true ? 1 : 0;
}

function modelNames(name: string | undefined): WorkloadName[] {
  const known = Object.keys(WORKLOADS) as WorkloadName[];
  if (name === undefined) return known;
  if (!Object.hasOwn(WORKLOADS, name)) throw unknownName('model', name, known);
  return [name as WorkloadName];
}

await main().then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);

/**
 * The race: two lanes, each a worker with its own backend. The page shows their results next to each other, and
 * compares the losses step by step as soon as both lanes have one.
 */

import './race.css';
import { proxy } from 'comlink';
import { LineChart } from '../shared/line-chart.ts';
import { adviseRate } from '../shared/rate-advice.ts';
import { element, messageOf, notify, showDevice, startPage } from '../shared/shell.ts';
import { missingWebGPU, offerCpu, preparing } from '../shared/webgpu-check.ts';
import { type Started, startWorker } from '../shared/worker/start.ts';
import type { LaneKind, LaneProgress, RaceSettings } from './lane.ts';

/** Relative difference of two losses from which on the lanes have drifted apart. */
const TOLERANCE = 1e-3;
/** The logarithmic axis begins here: equal losses have no logarithm. */
const FLOOR = 1e-8;

type State = 'ready' | 'running' | 'paused' | 'done';

/** The usual learning rate of each optimizer. */
const RATES: Readonly<Record<RaceSettings['optimizer'], number>> = {
  adam: 0.001,
  sgd: 0.05,
  momentum: 0.01,
  rmsprop: 0.001,
  adagrad: 0.01,
};

startPage();

const form = element<HTMLFormElement>('settings');
const play = element<HTMLButtonElement>('play');
const reset = element<HTMLButtonElement>('reset');

const lossChart = new LineChart(element('losses'), {
  label: 'Loss of each batch by step, on both backends',
  xLabel: 'step',
  yLabel: 'loss',
  empty: 'Press Start to see both losses here.',
  series: [
    { label: 'GPU', color: 'series-1', noisy: true },
    { label: 'CPU', color: 'series-2', dashed: true, noisy: true },
  ],
});
const differenceChart = new LineChart(element('difference'), {
  label: 'Relative difference of the two losses by step',
  xLabel: 'step',
  yLabel: 'relative difference',
  empty: 'Appears when both have made a step.',
  logarithmic: true,
  leftRange: [FLOOR, 1],
  floor: FLOOR,
  series: [
    { label: 'difference', color: 'series-3', digits: 8 },
    { label: 'tolerance', color: 'series-4', dashed: true },
  ],
});

const runners: Partial<Record<LaneKind, Started<'lane'>>> = {};
let kinds: readonly LaneKind[] = ['gpu', 'cpu'];
let state: State = 'ready';
let race = 0;
const losses: Record<LaneKind, number[]> = { gpu: [], cpu: [] };
const progress: Partial<Record<LaneKind, LaneProgress>> = {};

form.addEventListener('submit', (event) => event.preventDefault());
input('optimizer').addEventListener('change', () => {
  input('learningRate').value = String(RATES[readSettings().optimizer]);
});
adviseRate(form.elements.namedItem('optimizer') as HTMLSelectElement, input('learningRate'), element('rate-advice'));
play.addEventListener('click', () => {
  if (state === 'running') pause();
  else if (state === 'paused') resume();
  else start();
});
reset.addEventListener('click', clear);

const missing = await missingWebGPU();
if (missing !== undefined) {
  play.disabled = true;
  await offerCpu(element('status'), missing);
  kinds = ['cpu'];
  play.disabled = false;
  show('state', 'Ready; on the CPU alone, as there is no WebGPU to race against.');
}
showDevice(
  kinds.length === 1 ? 'CPU backend, f32: no WebGPU here' : 'WebGPU and the CPU backend, each in its own worker',
);

function start(): void {
  if (!form.reportValidity()) return;
  clear();
  const settings = readSettings();
  setState('running', preparing());
  const current = ++race;
  runAll(settings, current)
    .then(() => {
      if (current === race) setState('done', finalWords());
    })
    .catch((error) => {
      if (current !== race) return;
      clear();
      notify(`The race stopped: ${messageOf(error)}`, { kind: 'error', key: 'race' });
      show('state', 'Stopped by an error. Change the settings or start again.');
    });
}

async function runAll(settings: RaceSettings, current: number): Promise<void> {
  const apart = input('order').value === 'apart';
  let before: Promise<void> = Promise.resolve();
  const all = kinds.map((kind) => {
    const turn = apart ? before : Promise.resolve();
    before = turn.then(() => (current === race ? runLane(kind, settings, current) : undefined));
    return before;
  });
  await Promise.all(all);
}

async function runLane(kind: LaneKind, settings: RaceSettings, current: number): Promise<void> {
  const { remote, died } = await runnerOf(kind);
  const report = (found: LaneProgress): void => {
    if (current !== race) return;
    losses[kind].push(...found.losses);
    progress[kind] = found;
    showProgress(settings);
  };
  await Promise.race([remote.run(settings, proxy(report)), died]);
}

async function runnerOf(kind: LaneKind): Promise<Started<'lane'>> {
  const known = runners[kind];
  if (known !== undefined) return known;
  const runner = startWorker('lane');
  runners[kind] = runner;
  const description = await Promise.race([runner.remote.open(kind), runner.died]);
  if (kind === 'gpu') showDevice(`${description}, and the CPU backend in f32`);
  return runner;
}

function pause(): void {
  for (const runner of Object.values(runners)) void runner.remote.pause();
  setState('paused', 'Paused.');
}

function resume(): void {
  for (const runner of Object.values(runners)) void runner.remote.resume();
  setState('running', 'Running.');
}

/** Ends what runs and empties the page. A lane in mid-step is not waited for: its worker is ended. */
function clear(): void {
  race++;
  if (state === 'running' || state === 'paused') {
    for (const kind of kinds) {
      runners[kind]?.end();
      delete runners[kind];
    }
  }
  for (const kind of ['gpu', 'cpu'] as const) {
    losses[kind] = [];
    delete progress[kind];
    for (const name of ['steps', 'first', 'rate', 'samples']) show(`${kind}-${name}`, '–');
  }
  lossChart.clear();
  differenceChart.clear();
  for (const id of ['largest', 'compared', 'drift']) show(id, '–');
  show('ratio', '\u00a0');
  setState('ready', 'Ready.');
}

function showProgress({ steps, batchSize, examples }: RaceSettings): void {
  const length = Math.max(losses.gpu.length, losses.cpu.length);
  const xs = Array.from({ length }, (_, k) => k + 1);
  lossChart.set(xs, [xs.map((x) => losses.gpu[x - 1] ?? null), xs.map((x) => losses.cpu[x - 1] ?? null)]);
  showDifference();
  const rates = kinds.map((kind) => showSpeed(kind, steps, Math.min(batchSize, examples)));
  const [gpu, cpu] = rates;
  if (kinds.length === 2 && gpu > 0 && cpu > 0) {
    const faster = gpu >= cpu ? 'GPU' : 'CPU';
    show('ratio', `The ${faster} is ${format(Math.max(gpu / cpu, cpu / gpu))} times as fast.`);
  }
  if (state !== 'running') return;
  const { gpu: lane } = progress;
  if (lane?.done === 0 && lane.compiled[1] > 0) show('state', preparing(...lane.compiled));
  else show('state', 'Running.');
}

function showDifference(): void {
  const length = Math.min(losses.gpu.length, losses.cpu.length);
  if (length === 0) return;
  const differences = Array.from({ length }, (_, k) => relative(losses.gpu[k], losses.cpu[k]));
  const xs = differences.map((_, k) => k + 1);
  differenceChart.set(xs, [differences, xs.map(() => TOLERANCE)]);
  const largest = differences.reduce((a, b) => (Number.isNaN(a) || a > b ? a : b));
  const drift = firstDrift();
  show('largest', largest.toExponential(2));
  show('compared', String(length));
  show('drift', drift === undefined ? 'never' : `from step ${drift}`);
}

/** The first step at which the lanes are further apart than the tolerance. */
function firstDrift(): number | undefined {
  const index = losses.gpu
    .slice(0, losses.cpu.length)
    .findIndex((loss, k) => !(relative(loss, losses.cpu[k]) <= TOLERANCE));
  return index < 0 ? undefined : index + 1;
}

function showSpeed(kind: LaneKind, steps: number, batch: number): number {
  const found = progress[kind];
  if (found === undefined) return 0;
  show(`${kind}-steps`, `${found.done} of ${steps}`);
  if (found.done > 0) show(`${kind}-first`, `${format(found.firstStepMs)} ms`);
  const rate = found.done > 1 ? ((found.done - 1) * 1000) / found.steadyMs : 0;
  if (rate > 0) {
    show(`${kind}-rate`, format(rate));
    show(`${kind}-samples`, format(rate * batch));
  }
  return rate;
}

function finalWords(): string {
  const drift = kinds.length === 1 ? undefined : firstDrift();
  if (drift !== undefined) return `Done. From step ${drift} on the curves differ by over 0.1 %.`;
  const broken = losses[kinds[0]].findIndex((loss) => !Number.isFinite(loss));
  if (broken >= 0) return `Done. From step ${broken + 1} on the loss is not a number: the steps were too large.`;
  return kinds.length === 1 ? 'Done.' : 'Done. The curves agree: no step differs by over 0.1 %.';
}

function setState(next: State, words: string): void {
  state = next;
  play.textContent = next === 'running' ? 'Pause' : next === 'paused' ? 'Resume' : next === 'done' ? 'Again' : 'Start';
  reset.disabled = next === 'ready';
  form.querySelector('fieldset')!.disabled = next === 'running' || next === 'paused';
  show('state', words);
}

function readSettings(): RaceSettings {
  return {
    model: input('model').value as RaceSettings['model'],
    optimizer: input('optimizer').value as RaceSettings['optimizer'],
    learningRate: Number(input('learningRate').value),
    batchSize: Number(input('batchSize').value),
    examples: Number(input('examples').value),
    steps: Number(input('steps').value),
    seed: Number(input('seed').value),
  };
}

function input(name: string): HTMLInputElement {
  return form.elements.namedItem(name) as HTMLInputElement;
}

function show(id: string, text: string): void {
  element(id).textContent = text;
}

function relative(a: number, b: number): number {
  // Two losses that are both not numbers count as equal.
  return Object.is(a, b) ? 0 : Math.abs(a - b) / Math.max(Math.abs(b), 1e-6);
}

function format(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toPrecision(3);
}

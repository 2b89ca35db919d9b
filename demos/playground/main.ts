/** The playground's page: knobs on one side, a worker that trains on the other, pictures in between. */

import './playground.css';
import { download } from '../shared/download.ts';
import { LineChart } from '../shared/line-chart.ts';
import { PlayControls } from '../shared/play-controls.ts';
import { adviseRate } from '../shared/rate-advice.ts';
import { element, messageOf, notify, showDevice, startPage } from '../shared/shell.ts';
import { missingWebGPU, offerCpu, preparing, runsOnCpu } from '../shared/webgpu-check.ts';
import type { BackendName } from '../shared/worker/run-protocol.ts';
import { keepWorker } from '../shared/worker/start.ts';
import { palette } from './colors.ts';
import { Knobs } from './knobs.ts';
import { NetworkView, type Place } from './network-view.ts';
import type { Built, Frame } from './protocol.ts';
import { fromHash, isRegression, toHash } from './settings.ts';
import { SurfaceView } from './surface-view.ts';

/** Pictures for each point of the chart: it is drawn less often than they are. */
const FRAMES_PER_POINT = 5;

const HINT = 'Point at a neuron, or move between neurons with the arrow keys, to enlarge its surface.';

startPage();
const start = fromHash(location.hash);
if (start.refused.length > 0) {
  notify(`The URL has values that cannot be set: ${start.refused.join(', ')}. Defaults are used instead.`, {
    kind: 'warning',
  });
}

let place: Place | undefined;
let built: Built | undefined;
let frame: Frame | undefined;
let frames = 0;
const checked = (id: string): boolean => element<HTMLInputElement>(id).checked;
const viewOptions = () => ({ discrete: checked('discrete'), showTest: checked('showTest') });

const canvas = element<HTMLCanvasElement>('surface');
const surface = new SurfaceView(canvas, palette(), viewOptions());
const network = new NetworkView(element('network'), element<HTMLCanvasElement>('links'), palette(), {
  toggle: (feature) => knobs.toggle(feature),
  look: (at) => {
    place = at;
    drawSurface();
  },
});
const chart = new LineChart(element('chart'), {
  label: 'Loss and accuracy by update',
  xLabel: 'update',
  yLabel: 'loss',
  rightLabel: 'share right',
  empty: 'Press Play to see loss and accuracy here.',
  rightRange: [0, 1],
  series: [
    { label: 'loss, trained on', color: 'series-1' },
    { label: 'loss, held out', color: 'series-4' },
    { label: 'right, trained on', color: 'series-1', axis: 'right', dashed: true, digits: 3 },
    { label: 'right, held out', color: 'series-4', axis: 'right', dashed: true, digits: 3 },
  ],
});
const knobs = new Knobs(start.settings, (settings) => {
  history.replaceState(null, '', `#${toHash(settings)}`);
  asked.settings = true;
  void work();
});
network.layOut(start.settings);
adviseRate(element('optimizer'), element('learningRate'), element('rate-advice'));

const engine = keepWorker('playground', () => controls.die());
const controls = new PlayControls<Frame>({
  engine,
  unit: 'update',
  draw: show,
  onCompile: (built, total) => {
    if (frame === undefined) say(preparing(built, total));
  },
  onRecovered: () => chart.clear(),
  onDiverged: () =>
    notify('The loss is no longer a number: the steps were too large. Lower the learning rate, then press Reset.', {
      kind: 'warning',
      key: 'diverged',
    }),
  onFailed: (message) =>
    notify(`${message} Reload the page to open the device again, or continue on the CPU from the last weights.`, {
      kind: 'error',
      key: 'device',
      action: {
        label: 'Continue on the CPU',
        run: () => void open('cpu').then(async () => stand(await engine.resume())),
      },
    }),
});

/** What is asked for and not done yet; of several settings only the last count. */
const asked = { settings: false, reset: false };
let busy = false;

async function work(): Promise<void> {
  if (busy || !controls.ready) return;
  busy = true;
  settle();
  try {
    while (asked.settings || asked.reset) {
      if (asked.settings) {
        asked.settings = false;
        stand(await engine.apply(knobs.settings));
      } else {
        asked.reset = false;
        stand(await engine.reset());
      }
    }
  } catch (error) {
    notify(messageOf(error), { kind: 'error', key: 'apply' });
  } finally {
    busy = false;
    settle();
  }
}

/** Says whether the page shows the network that the controls describe. */
function settle(): void {
  const settled = !busy && built !== undefined && frame?.build === built.build;
  element('network').setAttribute('aria-busy', String(!settled));
}

/** A network is ready. */
function stand(next: Built): void {
  const same =
    String(built?.sizes) === String(next.sizes) && String(built?.settings.features) === String(next.settings.features);
  built = next;
  controls.begun();
  const { settings, restart } = next;
  if (!same) network.layOut(settings);
  network.setBuilt(next);
  surface.setPoints(next.points, next.trainCount);
  if (restart !== undefined) {
    chart.clear();
    frames = 0;
    if (frame !== undefined) say(`The network starts over: ${restart}.`);
  } else if (frame !== undefined) {
    say('Changed; the network continues from its weights.');
  }
  const held = next.points.length / 3 - next.trainCount;
  const shapes = next.sizes.slice(1).map((count, k) => `${next.sizes[k]}×${count}`);
  const kept = next.slots.length === 0 ? 'nothing' : next.slots.join(' and ');
  element('facts').textContent =
    `${next.trainCount} points to learn from, ${held} held out; ${next.updatesPerEpoch} updates an epoch. ` +
    `Weights ${shapes.join(', ')}: ${next.parameters} numbers with the biases; the optimizer keeps ${kept} for each.`;
  settle();
  element('low').textContent = isRegression(settings) ? '−1 and below' : 'class 0';
  element('high').textContent = isRegression(settings) ? '1 and above' : 'class 1';
}

function say(text: string): void {
  element('about').textContent = text;
}

function drawSurface(): void {
  const cells = network.surface(place);
  if (cells !== undefined) surface.draw(cells);
  const broken = cells?.includes(0) ?? false;
  canvas.closest('.result')!.classList.toggle('broken', broken);
  canvas.setAttribute(
    'aria-label',
    broken ? 'Decision surface: in the striped part the output is not a number' : 'Decision surface',
  );
  element('result-title').textContent = place === undefined ? 'Output' : network.name(place);
  if (place !== undefined) say(network.describe(place));
}

function show(next: Frame): void {
  if (next.build !== built?.build) return;
  if (frame === undefined) say(HINT);
  frame = next;
  network.draw(next);
  drawSurface();
  showFigures(next);
  if (frames++ % FRAMES_PER_POINT === 0 || !controls.playing) addPoint(next);
  settle();
}

function showFigures(next: Frame): void {
  const share = (value = Number.NaN): string => (Number.isNaN(value) ? '–' : `${(100 * value).toFixed(1)} %`);
  const figures = {
    epoch: String(next.epoch),
    updates: String(next.updates),
    rate: controls.playing ? next.updatesPerSecond.toFixed(0) : '–',
    perFrame: controls.playing ? String(next.updatesPerFrame) : '–',
    trainLoss: next.trainLoss.toFixed(4),
    testLoss: next.testLoss.toFixed(4),
    trainAccuracy: share(next.trainAccuracy),
    testAccuracy: share(next.testAccuracy),
  };
  for (const [id, text] of Object.entries(figures)) element(id).textContent = text;
}

function addPoint({ updates, trainLoss, testLoss, trainAccuracy, testAccuracy }: Frame): void {
  const last = chart.data.x.at(-1) ?? -1;
  if (updates < last || !Number.isFinite(trainLoss + testLoss)) return;
  chart.push(updates, [trainLoss, testLoss, trainAccuracy ?? null, testAccuracy ?? null]);
}

element('reset').addEventListener('click', () => {
  asked.reset = true;
  void work();
});
for (const id of ['showTest', 'discrete']) {
  element(id).addEventListener('change', () => {
    surface.view = viewOptions();
    drawSurface();
  });
}
document.addEventListener('themechange', () => {
  surface.palette = palette();
  network.palette = palette();
  drawSurface();
});
new ResizeObserver(() => drawSurface()).observe(element('surface'));
addEventListener('hashchange', () => location.reload());
element('download').addEventListener('click', () => {
  if (built === undefined || frame === undefined) return;
  const { cells: _, layers, ...figures } = frame;
  const weights = layers.map(({ kernel, bias }) => ({ kernel: [...kernel], bias: [...bias] }));
  const { settings, sizes, trainCount, updatesPerEpoch, slots } = built;
  const state = { settings, sizes, trainCount, updatesPerEpoch, slots, points: [...built.points], ...figures, weights };
  download(JSON.stringify(state, null, 1), 'playground.json');
});

async function open(choice: BackendName): Promise<void> {
  if (choice === 'cpu') runsOnCpu();
  await controls.open(choice);
}

const missing = await missingWebGPU();
if (missing !== undefined) {
  showDevice('No WebGPU here');
  await offerCpu(element('status'), missing);
}
await open(missing === undefined ? 'webgpu' : 'cpu');
asked.settings = true;
await work();

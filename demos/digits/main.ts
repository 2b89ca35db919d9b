/** Digits: a network learns to read digits, and reads the one that the user draws. */

import '../shared/training/training.css';
import './digits.css';
import { element, messageOf, notify, startPage } from '../shared/shell.ts';
import { sent } from '../shared/training/client.ts';
import { takeFiles } from '../shared/training/file-drop.ts';
import { examiner } from '../shared/training/insight-view.ts';
import { drawPlanes } from '../shared/training/pictures.ts';
import { RunView } from '../shared/training/run-view.ts';
import { keepWorker } from '../shared/worker/start.ts';
import { Pad } from './pad.ts';

startPage();

const engine = keepWorker('training', () => view.die());
const bars = Array.from({ length: 10 }, (_, digit) => makeBar(digit));
element('bars').append(...bars.map(({ item }) => item));
const pad = new Pad(element<HTMLCanvasElement>('pad'), () => void look());

/** With the filters, as they are then. */
const examine = examiner(
  engine,
  () => view,
  async () => {
    for (const planes of await engine.filters()) drawPlanes(element('filters'), planes, true);
  },
);

const view = new RunView({
  engine,
  page: 'digits',
  models: ['lenet', 'mlp', 'cnn'],
  sources: [
    { label: 'Embedded digits', source: { kind: 'digits', train: 4000, test: 1000 } },
    { label: 'Embedded, small', source: { kind: 'digits', train: 1000, test: 500 } },
    { label: 'MNIST, downloaded', source: { kind: 'url', name: 'mnist' } },
    { label: 'Fashion-MNIST, downloaded', source: { kind: 'url', name: 'fashion-mnist' } },
    { label: 'Files of yours …', source: 'ask' },
  ],
  defaults: { model: 'lenet', optimizer: 'adam', learningRate: 0.002, batchSize: 64, epochs: 8, seed: 1 },
  fileName: 'digits.downhill.zip',
  onData: ({ classNames }) => {
    bars.forEach(({ name }, k) => {
      name.textContent = classNames[k] ?? '';
    });
    element<HTMLButtonElement>('another').disabled = false;
  },
  onSteps: () => void look(),
  onEpoch: () => void examine(),
  onEnd: () => {
    void look();
    void examine();
  },
});

/** What the network thinks of the drawing; one question at a time, the newest drawing counts. */
let looking = false;
let lastMaps = 0;
async function look(): Promise<void> {
  if (looking) return;
  if (pad.image === undefined || !view.hasModel) return showProbabilities(undefined);
  looking = true;
  try {
    for (
      let image = pad.image, asked: Float32Array | undefined;
      image !== undefined && image !== asked;
      image = pad.image
    ) {
      asked = image;
      const { version } = pad;
      showProbabilities(await engine.predict(sent(image)));
      element('bars').dataset.version = String(version);
      if (performance.now() - lastMaps < 500) continue;
      lastMaps = performance.now();
      for (const planes of await engine.featureMaps(sent(image))) drawPlanes(element('maps'), planes, false);
    }
  } catch (error) {
    notify(messageOf(error), { kind: 'error', key: 'look' });
  } finally {
    looking = false;
  }
}

function showProbabilities(probabilities: Float32Array | undefined): void {
  const numbers = probabilities?.every(Number.isFinite) ?? false;
  const best = numbers ? probabilities!.indexOf(Math.max(...probabilities!)) : -1;
  bars.forEach(({ item, bar, number }, k) => {
    const value = numbers ? probabilities![k] : 0;
    item.classList.toggle('best', k === best);
    bar.style.transform = `scaleX(${value})`;
    number.textContent = !numbers ? '' : `${(100 * value).toFixed(0)} %`;
  });
  const answer = element('answer');
  if (best >= 0) {
    const name = bars[best].name.textContent;
    answer.textContent = `It is a ${name}, says the network (${(100 * probabilities![best]).toFixed(0)} %).`;
  } else if (probabilities !== undefined) {
    answer.textContent = "The network's output is not a number: its steps were too large.";
  } else {
    answer.textContent =
      pad?.image === undefined ? 'Nothing drawn yet.' : 'Press Train first: there is no network yet.';
  }
}

function makeBar(digit: number) {
  const item = document.createElement('li');
  const name = Object.assign(document.createElement('span'), { textContent: String(digit) });
  const bar = document.createElement('i');
  const number = Object.assign(document.createElement('span'), { className: 'number' });
  item.append(name, bar, number);
  return { item, name, bar, number };
}

element('clear').addEventListener('click', () => pad.clear());
let shown = 0;
element('another').addEventListener('click', async () => {
  if (view.data === undefined) return;
  const { pixels } = await engine.example('test', (shown += 37) % view.data.test);
  pad.show(pixels);
});

takeFiles(view, 'mnist');

await view.start();

/** Images: convolutional networks on colour images, with augmentation that can be seen. */

import '../shared/training/training.css';
import './images.css';
import { element, messageOf, notify, startPage } from '../shared/shell.ts';
import { takeFiles } from '../shared/training/file-drop.ts';
import { examiner } from '../shared/training/insight-view.ts';
import { drawPixels } from '../shared/training/pictures.ts';
import type { Augmentation, DataInfo } from '../shared/training/protocol.ts';
import { field } from '../shared/training/run-form.ts';
import { RunView } from '../shared/training/run-view.ts';
import { keepWorker } from '../shared/worker/start.ts';
import { PredictionGrid } from './predictions.ts';

startPage();

/** Images in the grid of predictions, and versions of the previewed one. */
const SHOWN = 40;
const VERSIONS = 11;
/** Milliseconds between two refreshes of the predictions. */
const REFRESH = 700;

const engine = keepWorker('training', () => view.die());
const form = element<HTMLFormElement>('augmentation');
const grid = new PredictionGrid(element('predictions'));

const examine = examiner(engine, () => view);

const view = new RunView({
  engine,
  page: 'images',
  models: ['resnet', 'vgg', 'cnn', 'lenet'],
  sources: [
    { label: 'Embedded shapes', source: { kind: 'shapes', train: 2000, test: 500 } },
    { label: 'Embedded shapes, few', source: { kind: 'shapes', train: 640, test: 200 } },
    { label: 'Fashion-MNIST, downloaded', source: { kind: 'url', name: 'fashion-mnist' } },
    { label: 'Files of yours …', source: 'ask' },
  ],
  defaults: { model: 'resnet', optimizer: 'adam', learningRate: 0.003, batchSize: 32, epochs: 10, seed: 1 },
  fileName: 'images.downhill.zip',
  augmentation,
  onData: (data) => void useData(data),
  onSteps: () => void refresh(),
  onEpoch: () => void examine(),
  onEnd: () => {
    lastRefresh = 0;
    void refresh();
    void examine();
  },
});

/** What the knobs ask for; undefined when they ask for nothing. */
function augmentation(): Augmentation | undefined {
  const share = (name: string) => Number(field(form, name).value) / 100;
  const asked = {
    flip: field(form, 'flip').value !== '',
    shift: share('shift'),
    rotation: Number(field(form, 'rotation').value),
    zoom: share('zoom'),
  };
  return asked.flip || asked.shift + asked.rotation + asked.zoom > 0 ? asked : undefined;
}

async function useData(data: DataInfo): Promise<void> {
  element<HTMLButtonElement>('another').disabled = false;
  const count = Math.min(SHOWN, data.test);
  const images = await Promise.all(Array.from({ length: count }, (_, k) => engine.example('test', k)));
  grid.show(images, data);
  await showPreview();
}

/** One training image as it is, and as augmentation changes it; the newest wish counts. */
let image = 0;
let previewing = false;
let previewStale = false;
async function showPreview(): Promise<void> {
  previewStale = true;
  if (previewing || view.data === undefined) return;
  previewing = true;
  try {
    while (previewStale) {
      previewStale = false;
      const { shape, classNames } = view.data;
      const { pixels, label } = await engine.example('train', image);
      const asked = augmentation();
      const changed = asked === undefined ? pixels : await engine.preview(asked, image, VERSIONS);
      const versions = Array.from({ length: changed.length / pixels.length }, (_, k) =>
        changed.subarray(k * pixels.length, (k + 1) * pixels.length),
      );
      const canvases = [pixels, ...versions].map((one) => {
        const canvas = document.createElement('canvas');
        drawPixels(canvas, one, shape);
        return canvas;
      });
      element('preview').replaceChildren(...canvases);
      const words = asked === undefined ? 'as it is: no augmentation' : `as it is, then in ${VERSIONS} versions`;
      element('preview-text').textContent = `A training image (${classNames[label]}) ${words}.`;
    }
  } catch (error) {
    notify(messageOf(error), { kind: 'error', key: 'preview' });
  } finally {
    previewing = false;
  }
}

let lastRefresh = 0;
let refreshing = false;
async function refresh(): Promise<void> {
  if (refreshing || performance.now() - lastRefresh < REFRESH || !view.hasModel) return;
  refreshing = true;
  try {
    const { probabilities } = await engine.predictTest(SHOWN);
    grid.answer(probabilities);
  } catch (error) {
    notify(messageOf(error), { kind: 'error', key: 'refresh' });
  } finally {
    refreshing = false;
    lastRefresh = performance.now();
  }
}

form.addEventListener('input', () => void showPreview());
form.addEventListener('submit', (event) => event.preventDefault());
element('another').addEventListener('click', () => {
  if (view.data !== undefined) image = (image + 17) % view.data.train;
  void showPreview();
});
takeFiles(view, 'fashion-mnist');

await view.start();

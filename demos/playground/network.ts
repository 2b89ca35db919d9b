/** The network that settings ask for, and what is read out of it for the page. Used in the worker. */

import { type LayerOutput, layers, optimizers, regularizers, type Sequential, sequential } from '../../src/index.ts';
import { joinBytes } from '../../src/util/join-bytes.ts';
import { cellCentres, features, judge, toBytes } from './data.ts';
import type { Frame } from './protocol.ts';
import { CELLS, FEATURES, type FeatureName, isRegression, type Settings, trainCount } from './settings.ts';

const MOMENTUM = 0.9;
/** Activations that let half of the values through want weights larger by √2 (He et al. 2015). */
const HALF_OPEN: readonly Settings['activation'][] = ['silu', 'relu', 'leakyRelu', 'elu', 'gelu'];

/** A compiled model: hidden layers, and one output: the probability of class 1, or the value. */
export function makeNetwork(settings: Settings): Sequential {
  const { activation, hidden, seed } = settings;
  const rule = penaltyOf(settings);
  const regularized = rule === undefined ? {} : { kernelRegularizer: rule };
  const kernelInitializer = HALF_OPEN.includes(activation) ? 'heNormal' : 'glorotUniform';
  const network = sequential(
    [
      layers.input({ shape: [settings.features.length] }),
      ...hidden.map((units) => layers.dense({ units, activation, kernelInitializer, ...regularized })),
      layers.dense({ units: 1, activation: isRegression(settings) ? 'linear' : 'sigmoid', ...regularized }),
    ],
    { seed },
  );
  const loss = isRegression(settings) ? 'meanSquaredError' : 'binaryCrossentropy';
  return network.compile({ optimizer: makeOptimizer(settings), loss });
}

function penaltyOf({ penalty, penaltyRate }: Settings) {
  if (penalty === 'none') return undefined;
  return penalty === 'l1' ? regularizers.l1({ l1: penaltyRate }) : regularizers.l2({ l2: penaltyRate });
}

export function makeOptimizer({ optimizer, learningRate }: Settings) {
  if (optimizer === 'momentum') return optimizers.sgd({ learningRate, momentum: MOMENTUM });
  if (optimizer === 'nesterov') return optimizers.sgd({ learningRate, momentum: MOMENTUM, nesterov: true });
  return optimizers[optimizer]({ learningRate });
}

/** Surfaces of all inputs that there could be: [FEATURES, CELLS²] bytes. */
export function inputCells(): Uint8Array {
  const names = Object.keys(FEATURES) as FeatureName[];
  return columns(features(cellCentres(), names), names.length, true);
}

/** Looks at a network: surfaces of all neurons, losses and weights, from one run over the cells and the points. */
export class Observer {
  private readonly inputs: Float32Array;
  private readonly targets: ArrayLike<number>;

  constructor(
    private readonly network: Sequential,
    private readonly settings: Settings,
    points: { readonly x: ArrayLike<number>; readonly y: ArrayLike<number> },
  ) {
    const cells = cellCentres();
    const places = new Float32Array(cells.length + points.x.length);
    places.set(cells);
    places.set(points.x, cells.length);
    this.inputs = features(places, settings.features);
    this.targets = points.y;
  }

  /** @throws DownhillError `device-lost`. */
  async look(): Promise<Omit<Frame, 'build' | 'updates' | 'epoch' | 'updatesPerSecond' | 'updatesPerFrame'>> {
    const { settings, network, targets } = this;
    const started = performance.now();
    const width = settings.features.length;
    const x = { data: this.inputs, shape: [this.inputs.length / width, width] };
    const outputs = (await network.activationsOnBatch(x)).filter(({ layer }) => layer.className === 'Dense');
    const weights = await network.getWeights();
    // A kernel may make a number of NaN (max(NaN, 0) is 0 on some adapters): what follows such weights answers nothing.
    const broken = weights.findIndex(({ data }) => !data.every(Number.isFinite));
    if (broken >= 0) for (const { data } of outputs.slice(broken >> 1)) data.fill(Number.NaN);
    const last = outputs.at(-1)!;
    const answers = last.data.subarray(CELLS * CELLS);
    const count = Math.min(targets.length - 1, trainCount(settings));
    const train = judge(answers, targets, 0, count, settings);
    const test = judge(answers, targets, count, targets.length, settings);
    const cells = surfaces(outputs, !isRegression(settings));
    return {
      trainLoss: train.loss,
      testLoss: test.loss,
      trainAccuracy: train.accuracy,
      testAccuracy: test.accuracy,
      cells,
      layers: outputs.map((_, k) => ({
        kernel: Float32Array.from(weights[2 * k].data),
        bias: Float32Array.from(weights[2 * k + 1].data),
      })),
      surfaceMs: performance.now() - started,
    };
  }
}

/** The first CELLS² rows of each layer's neurons; the output is a probability, or a value in about [−1, 1]. */
function surfaces(outputs: readonly LayerOutput[], probability: boolean): Uint8Array {
  const parts = outputs.map(({ data, shape }, k) => {
    const isOutput = k === outputs.length - 1;
    const values = isOutput && probability ? data.subarray(0, CELLS * CELLS).map((p) => 2 * p - 1) : data;
    return columns(values, shape[1], !isOutput);
  });
  return joinBytes(parts);
}

/** Columns of the first CELLS² rows of values [rows, width], as bytes one after the other. */
function columns(values: ArrayLike<number>, width: number, scaled: boolean): Uint8Array {
  const size = CELLS * CELLS;
  const bytes = new Uint8Array(width * size);
  const one = new Float32Array(size);
  for (let column = 0; column < width; column++) {
    for (let k = 0; k < size; k++) one[k] = values[k * width + column];
    toBytes(one, bytes.subarray(column * size, (column + 1) * size), scaled);
  }
  return bytes;
}

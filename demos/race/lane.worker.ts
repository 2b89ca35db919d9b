/**
 * One training of the race, in a worker of its own. Steps of the CPU backend run to their end in one piece, so the
 * worker lets messages in between two steps: that is how pause and stop are heard.
 */

import {
  type Callback,
  digits,
  layers,
  lenet5,
  mlp,
  type OptimizerLike,
  optimizers,
  type Sequential,
  sequential,
} from '../../src/index.ts';
import { Device } from '../shared/worker/device.ts';
import { eventLoopTurn } from '../shared/worker/player.ts';
import type { Lane, LaneProgress, RaceSettings } from './lane.ts';

/** Milliseconds between two reports, and between two looks at the messages that came. */
const REPORT_MS = 80;
const LISTEN_MS = 12;

const device = new Device();
let paused = false;
let stopped = false;
let wake: () => void = () => {};

const lane: Lane = {
  async open(kind) {
    const description = await device.open(kind === 'gpu' ? 'webgpu' : 'cpu');
    return kind === 'gpu' ? description : 'CPU backend, f32';
  },

  async run(settings, report) {
    paused = stopped = false;
    const { train } = digits({ train: settings.examples, test: 1, seed: settings.seed });
    using model = modelOf(settings);
    model.compile({ optimizer: optimizerOf(settings), loss: 'sparseCategoricalCrossentropy' });
    const watch = new Watch(settings.steps, report, () => {
      model.stopTraining = true;
    });
    const stepsPerEpoch = Math.ceil(settings.examples / settings.batchSize);
    await model.fit(train, {
      batchSize: settings.batchSize,
      epochs: Math.ceil(settings.steps / stepsPerEpoch),
      seed: settings.seed,
      verbose: 0,
      callbacks: [watch],
    });
    watch.flush();
  },

  pause() {
    paused = true;
  },
  resume() {
    paused = false;
    wake();
  },
  stop() {
    stopped = true;
    lane.resume();
  },
};

/** Counts and times the steps, waits while the race is paused, and ends it after the last step. */
class Watch implements Callback {
  private readonly began = performance.now();
  private readonly compiled: [number, number] = [0, 0];
  private losses: number[] = [];
  private sent = 0;
  private done = 0;
  private firstStepMs = Number.NaN;
  private lastEnd = Number.NaN;
  private pausedMs = 0;
  private reported = performance.now();
  private listened = performance.now();

  constructor(
    private readonly steps: number,
    private readonly report: (progress: LaneProgress) => void,
    private readonly end: () => void,
  ) {}

  onCompile(built: number, total: number): void {
    this.compiled[0] = built;
    this.compiled[1] = total;
    this.flushAfter(REPORT_MS);
  }

  onBatchBegin(): Promise<void> | undefined {
    if (++this.sent >= this.steps) this.end();
    if (performance.now() - this.listened < LISTEN_MS && !paused) return undefined;
    return this.listen();
  }

  onBatchEnd(_batch: number, { loss }: Readonly<Record<string, number>>): void {
    this.losses.push(loss);
    this.done++;
    this.lastEnd = performance.now();
    if (this.done === 1) {
      this.firstStepMs = this.lastEnd - this.began;
      this.pausedMs = 0;
    }
    this.flushAfter(this.done === 1 ? 0 : REPORT_MS);
  }

  flush(): void {
    this.reported = performance.now();
    const steadyMs = this.lastEnd - this.began - this.firstStepMs - this.pausedMs;
    const { losses, done, firstStepMs, compiled } = this;
    this.losses = [];
    this.report({ losses, done, firstStepMs, steadyMs, compiled });
  }

  private flushAfter(ms: number): void {
    if (performance.now() - this.reported >= ms) this.flush();
  }

  private async listen(): Promise<void> {
    await eventLoopTurn();
    if (paused) {
      this.flush();
      const began = performance.now();
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      this.pausedMs += performance.now() - began;
    }
    if (stopped) this.end();
    this.listened = performance.now();
  }
}

function modelOf({ model, seed }: RaceSettings): Sequential {
  const output = layers.dense({ units: 10, activation: 'softmax' });
  const options = { inputShape: [28, 28, 1], seed };
  switch (model) {
    case 'lenet':
      return lenet5({ seed });
    case 'mlp':
      return mlp({ seed });
    case 'mlpSmall':
      return sequential([layers.flatten(), layers.dense({ units: 64, activation: 'relu' }), output], options);
    case 'cnn': {
      const convolution = layers.conv2d({ filters: 8, kernelSize: 3, activation: 'relu' });
      return sequential([convolution, layers.maxPooling2d({ poolSize: 2 }), layers.flatten(), output], options);
    }
  }
}

function optimizerOf({ optimizer, learningRate }: RaceSettings): OptimizerLike {
  return optimizer === 'momentum'
    ? optimizers.sgd({ learningRate, momentum: 0.9 })
    : optimizers[optimizer]({ learningRate });
}

export default lane;

/**
 * Trainer: one network in training, in the worker. `fit` runs all the time; before each update it asks here whether it
 * may go on, so that playing, pausing, single steps and looking at the network are one gate, and nothing is built
 * twice.
 *
 * Invariants: settings that change no shape go on from the weights (and from the optimizer's state, if it is the same
 * optimizer); at most a second of work is lost with a device. Surfaces take at most a third of the time.
 */

import type { Sequential, WeightValue } from '../../src/index.ts';
import { eventLoopTurn, Player } from '../shared/worker/player.ts';
import { drawPoints, split } from './data.ts';
import { inputCells, makeNetwork, makeOptimizer, Observer } from './network.ts';
import type { Built, Frame } from './protocol.ts';
import { restartCause, type Settings } from './settings.ts';

/** What a training goes on from. */
interface Snapshot {
  readonly weights: readonly WeightValue[];
  /** Weights file that holds the state of `optimizer` too. */
  readonly file: Uint8Array;
  readonly optimizer: Settings['optimizer'];
  readonly updates: number;
  readonly epoch: number;
  /** Updates of that epoch. */
  readonly step: number;
}

/** Milliseconds between two looks at the network, and between two snapshots. */
const FRAME_MS = 33;
const SNAPSHOT_MS = 1000;
/** Milliseconds of updates that may be queued before a look. */
const FRAME_BUDGET_MS = 8;
/** Looking may take this share of the time. */
const LOOK_SHARE = 1 / 3;
/** Milliseconds after which the worker hears what the page says: a backend may compute without ever waiting. */
const TURN_MS = 15;
/** Thrown in the gate: ends a `fit` before its next update. */
const INTERRUPT = Symbol('interrupt');

export class Trainer extends Player<Frame> {
  private network: Sequential | undefined;
  private observer!: Observer;
  private settings!: Settings;
  private run: Promise<void> = Promise.resolve();
  private snapshot: Snapshot | undefined;
  /** Single updates that were asked for. */
  private asked = 0;
  private builds = 0;
  private interrupted = false;
  private goOn: (() => void) | undefined;
  private epoch = 0;
  /** The next update within the epoch. */
  private nextStep = 0;
  /** Updates at the last look. */
  private seen = -1;
  private drawn = true;
  private nextLook = 0;
  private lastSnapshot = 0;
  private lastTurn = 0;

  /** Makes the network of `settings`, or changes the one there is. @returns what is ready; a look at it follows. */
  async apply(settings: Settings): Promise<Built> {
    const restart = this.network === undefined ? 'the start' : restartCause(this.settings, settings);
    if (restart === undefined && onlyRateDiffers(this.settings, settings)) {
      this.network!.learningRate = settings.learningRate;
      this.settings = settings;
      return this.describe(undefined);
    }
    await this.halt();
    if (restart === undefined) await this.keep();
    else this.forget();
    this.settings = settings;
    this.build();
    return this.describe(restart);
  }

  /** Fresh weights. */
  async reset(): Promise<Built> {
    await this.halt();
    this.forget();
    this.build();
    return this.describe('Reset');
  }

  /** One update; what plays is paused. */
  step(): void {
    this.playing = false;
    this.asked++;
    this.wake();
  }

  /** Goes on after a failure, on whatever backend is open now. */
  resume(): Built {
    this.build();
    return this.describe(undefined);
  }

  protected wake(): void {
    this.goOn?.();
  }

  private forget(): void {
    this.snapshot = undefined;
    this.steps = 0;
    this.epoch = 0;
  }

  private async halt(): Promise<void> {
    this.interrupted = true;
    // Updates that are asked for from now on are for what comes next.
    this.asked = 0;
    this.wake();
    await this.run;
    this.interrupted = false;
  }

  /** The weights as they are; of a device that is gone, as they were in the last snapshot. */
  private async keep(): Promise<void> {
    try {
      await this.takeSnapshot();
    } catch (error) {
      await this.replaceDevice(error);
    }
  }

  private build(): void {
    this.builds++;
    this.rebuild();
    // The page hears what was built before the first frame of it comes.
    this.run = new Promise((resolve) => setTimeout(resolve))
      .then(() => this.train())
      .catch((error) => this.fail(error));
  }

  protected async restore(): Promise<number> {
    this.rebuild();
    return this.steps;
  }

  /** A network of the settings with the weights of the snapshot, if there is one. */
  private rebuild(): void {
    const { settings, snapshot } = this;
    this.network?.dispose();
    this.network = makeNetwork(settings).build();
    if (snapshot !== undefined) {
      if (snapshot.optimizer === settings.optimizer) this.network.loadWeights(snapshot.file);
      else this.network.setWeights(snapshot.weights);
    }
    this.steps = snapshot?.updates ?? 0;
    this.epoch = snapshot?.epoch ?? 0;
    this.nextStep = snapshot?.step ?? 0;
    this.seen = -1;
    this.drawn = true;
    this.forgetPace();
    this.observer = new Observer(this.network, settings, drawPoints(settings));
  }

  private describe(restart: string | undefined): Built {
    const { settings, network } = this;
    const points = drawPoints(settings);
    const { train } = split(points, settings);
    const rows = Array.from(points.y, (target, k) => [points.x[2 * k], points.x[2 * k + 1], target]);
    return {
      build: this.builds,
      settings,
      restart,
      sizes: [settings.features.length, ...settings.hidden, 1],
      points: Float32Array.from(rows.flat()),
      trainCount: train.size,
      updatesPerEpoch: Math.ceil(train.size / settings.batchSize),
      parameters: network!.countParams(),
      slots: Object.keys(makeOptimizer(settings).state),
      inputCells: inputCells(),
    };
  }

  private async train(): Promise<void> {
    const { train } = split(drawPoints(this.settings), this.settings);
    for (;;) {
      try {
        await this.network!.fit(train, {
          epochs: Number.MAX_SAFE_INTEGER,
          initialEpoch: this.epoch,
          // Other batches may have made the epoch shorter.
          initialStep: this.nextStep < Math.ceil(train.size / this.settings.batchSize) ? this.nextStep : 0,
          batchSize: this.settings.batchSize,
          seed: this.settings.seed,
          verbose: 0,
          frameBudget: FRAME_BUDGET_MS,
          callbacks: [
            {
              onCompile: (built, total) => this.tell({ type: 'compile', built, total }),
              onEpochBegin: (epoch) => {
                this.epoch = epoch;
              },
              onBatchBegin: (step) => {
                this.nextStep = step;
                return this.gate();
              },
            },
          ],
        });
      } catch (error) {
        if (error === INTERRUPT) return;
        await this.replaceDevice(error);
      }
    }
  }

  /** Before each update. Synchronous while it plays and no look is due. */
  private gate(): void | Promise<void> {
    const turnDue = performance.now() - this.lastTurn >= TURN_MS;
    if (this.interrupted || !this.playing || turnDue || this.lookDue()) return this.slowGate();
    this.steps++;
  }

  private async slowGate(): Promise<void> {
    await eventLoopTurn();
    this.lastTurn = performance.now();
    for (;;) {
      if (this.interrupted) throw INTERRUPT;
      if (this.lookDue()) await this.look();
      if (this.interrupted) throw INTERRUPT;
      if (this.playing || this.asked > 0) break;
      if (this.seen === this.steps) await new Promise<void>((resolve) => (this.goOn = resolve));
    }
    if (!this.playing) this.asked--;
    this.steps++;
  }

  private lookDue(): boolean {
    if (this.seen === this.steps) return false;
    if (!this.playing && this.asked === 0) return true;
    const now = performance.now();
    return now >= this.nextLook && (this.drawn || now - this.lastSnapshot >= SNAPSHOT_MS);
  }

  private async look(): Promise<void> {
    const updates = this.steps;
    const started = performance.now();
    const found = await this.observer.look();
    const now = performance.now();
    if (now - this.lastSnapshot >= SNAPSHOT_MS) await this.takeSnapshot();
    const { perSecond, sinceLast } = this.measure(started, updates);
    const pace = { updatesPerSecond: perSecond, updatesPerFrame: sinceLast };
    const frame = { ...found, build: this.builds, updates, epoch: this.epoch, ...pace };
    this.seen = updates;
    const spent = performance.now() - started;
    this.nextLook = performance.now() + Math.max(FRAME_MS - spent, spent * (1 / LOOK_SHARE - 1));
    if (this.drawn || !this.playing) this.show(frame);
    if (Number.isFinite(found.trainLoss) || !this.playing) return;
    this.playing = false;
    this.tell({ type: 'diverged' });
  }

  private show(frame: Frame): void {
    this.drawn = false;
    this.listener.picture(frame).finally(() => {
      this.drawn = true;
    });
  }

  private async takeSnapshot(): Promise<void> {
    const { steps: updates, epoch, nextStep, settings } = this;
    const weights = await this.network!.getWeights();
    const file = (await this.network!.save({ optimizer: true })).weights;
    this.snapshot = { weights, file, optimizer: settings.optimizer, updates, epoch, step: nextStep };
    this.lastSnapshot = performance.now();
    this.device.settled();
  }
}

/** True when nothing but the learning rate differs (or nothing at all): what a running training takes over at once. */
function onlyRateDiffers(now: Settings, next: Settings): boolean {
  return (Object.keys(next) as (keyof Settings)[]).every(
    (key) => key === 'learningRate' || String(now[key]) === String(next[key]),
  );
}

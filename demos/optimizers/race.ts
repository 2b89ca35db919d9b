/**
 * The race, in the worker: a model for each optimizer, all started from one place, stepped together; on the CPU or on
 * the GPU, between which they may change in the middle. Who leaves for infinity is out.
 *
 * Invariant: what was sent to the page is what `places` holds; a lost device costs the steps since the last snapshot.
 */

import type { Sequential } from '../../src/index.ts';
import { Player } from '../shared/worker/player.ts';
import type { BackendName } from '../shared/worker/run-protocol.ts';
import { makeClimber } from './landscape.ts';
import type { News, RacerNews } from './protocol.ts';
import { NAMES, type OptimizerName, type Race, type Surface, surfaceOf } from './surfaces.ts';

/** A race ends after so many steps. */
export const MAX_STEPS = 20_000;
/** Who is further off than this many times the size of the surface is out. */
const FAR = 100;
/** Milliseconds of steps between two pictures, and between two snapshots. */
const FRAME_BUDGET_MS = 20;
const SNAPSHOT_MS = 500;
const ORIGIN = [[0, 0]];

class Racer {
  readonly places: number[];
  height = Number.NaN;
  diverged: number | undefined;
  /** Places that the page has. */
  sent = 0;
  private snapshot: { readonly file: Uint8Array; readonly steps: number } | undefined;

  constructor(
    readonly name: OptimizerName,
    readonly race: Race,
    private readonly surface: Surface,
    public rate: number,
    public model: Sequential = makeClimber(race.surface, name, rate, race.start),
  ) {
    this.places = [...race.start];
  }

  get steps(): number {
    return this.places.length / 2 - 1;
  }

  /** One update by the optimizer. @returns the height above the lowest point before it. */
  async step(): Promise<number> {
    if (this.diverged !== undefined) return Number.NaN;
    const { loss } = await this.model.trainOnBatch(ORIGIN, [[this.surface.lowest]]);
    const [{ data }] = await this.model.getWeights();
    const [x, y] = data;
    const { x: across, y: up } = this.surface;
    const size = Math.max(across[1] - across[0], up[1] - up[0]);
    if (Math.hypot(x, y) < FAR * size) this.places.push(x, y);
    else this.diverged = this.steps + 1;
    return loss;
  }

  async look(): Promise<void> {
    [this.height] = await (await this.model.predict(ORIGIN)).data();
  }

  async keep(): Promise<void> {
    const { steps } = this;
    this.snapshot = { file: (await this.model.save({ optimizer: true })).weights, steps };
  }

  /** A new model, at the last snapshot. */
  restore(): void {
    this.model.dispose();
    this.model = makeClimber(this.race.surface, this.name, this.rate, this.race.start);
    if (this.snapshot !== undefined) this.model.loadWeights(this.snapshot.file);
    this.places.length = 2 * ((this.snapshot?.steps ?? 0) + 1);
    this.sent = 0;
    this.diverged = undefined;
  }

  /** The places since the last news. */
  news(): RacerNews {
    const places = Float64Array.from(this.places.slice(2 * this.sent));
    this.sent = this.steps + 1;
    return { name: this.name, places, height: this.height, steps: this.steps, diverged: this.diverged };
  }
}

export class RaceRunner extends Player<News> {
  private racers: Racer[] = [];
  private race = 0;
  private off: ReadonlySet<OptimizerName> = new Set();
  /** Steps a second. */
  private speed = 60;
  private looping = false;
  private lastSnapshot = 0;
  private snapshotSteps = 0;
  /** Of the steps since the last news. */
  private heights: number[] = [];
  /** Everything that touches the models, one after the other. */
  private queue: Promise<unknown> = Promise.resolve();

  /** A race from its start. @returns its state there. */
  begin(race: Race): Promise<News> {
    return this.inTurn(async () => {
      for (const { model } of this.racers) model.dispose();
      this.racers = NAMES.map((name) => new Racer(name, race, surfaceOf(race.surface), race.rates[name]));
      this.steps = 0;
      this.heights = [];
      this.forgetPace();
      await this.keep();
      await this.each((racer) => racer.look());
      this.race++;
      return this.news();
    });
  }

  setRate(name: OptimizerName, rate: number): Promise<void> {
    return this.inTurn(async () => {
      for (const racer of this.racers) if (racer.name === name) racer.model.learningRate = racer.rate = rate;
    });
  }

  /**
   * Moves all racers to another backend.
   * @returns what it is.
   * @throws DownhillError `device`; they stay where they were then.
   */
  move(to: BackendName): Promise<string> {
    return this.inTurn(() =>
      this.device.open(to, async () => {
        await Promise.all(this.racers.map((racer) => racer.look()));
      }),
    );
  }

  setOff(names: readonly OptimizerName[]): void {
    this.off = new Set(names);
  }

  setSpeed(stepsPerSecond: number): void {
    this.speed = stepsPerSecond;
  }

  protected wake(): void {
    // After a short pause the loop may not have ended yet; it plays on then.
    if (!this.looping) void this.loop();
  }

  /** One step of all; what plays is paused. */
  async step(): Promise<void> {
    this.playing = false;
    await this.advance(1);
  }

  /** Runs `change`, such as another backend, between two steps. */
  inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.queue.then(change);
    this.queue = result.catch(() => undefined);
    return result;
  }

  private async loop(): Promise<void> {
    this.looping = true;
    let last = performance.now();
    let due = 1;
    while (this.playing) {
      const count = Math.floor(due);
      due -= count;
      await this.advance(count);
      const now = performance.now();
      // What could not be done in time is not made up for.
      due = Math.min(due + ((now - last) * this.speed) / 1000, Math.max(1, this.speed / 10));
      last = now;
    }
    this.looping = false;
  }

  private advance(count: number): Promise<void> {
    return this.inTurn(async () => {
      try {
        const end = performance.now() + FRAME_BUDGET_MS;
        for (let k = 0; k < count && this.steps < MAX_STEPS && (k === 0 || performance.now() < end); k++) {
          const running = this.racers.map((racer) => (this.off.has(racer.name) ? Number.NaN : racer.step()));
          this.heights.push(...(await Promise.all(running)));
          this.steps++;
        }
        await this.each((racer) => racer.look());
        if (performance.now() - this.lastSnapshot > SNAPSHOT_MS) await this.keep();
      } catch (error) {
        await this.replaceDevice(error);
      }
      await this.listener.picture(this.news());
      if (this.steps < MAX_STEPS) return;
      this.playing = false;
      this.tell({ type: 'ended', at: this.steps });
    }).catch((error) => this.fail(error));
  }

  private news(): News {
    const stepsPerSecond = this.measure(performance.now(), this.steps).perSecond;
    const heights = Float64Array.from(this.heights);
    this.heights = [];
    const { race, steps } = this;
    return { race, steps, racers: this.racers.map((one) => one.news()), heights, stepsPerSecond };
  }

  private async each(work: (racer: Racer) => Promise<void>): Promise<void> {
    await Promise.all(this.racers.filter(({ name }) => !this.off.has(name)).map(work));
  }

  private async keep(): Promise<void> {
    await Promise.all(this.racers.map((racer) => racer.keep()));
    this.snapshotSteps = this.steps;
    this.lastSnapshot = performance.now();
    this.device.settled();
  }

  protected async restore(): Promise<number> {
    for (const racer of this.racers) racer.restore();
    this.steps = this.snapshotSteps;
    this.heights = [];
    this.forgetPace();
    await this.each((racer) => racer.look());
    return this.steps;
  }
}

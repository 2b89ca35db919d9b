/**
 * Engine: the training behind the Digits and Images pages, in its worker. It opens a backend, gets the data, runs a
 * Trainer, and answers questions about the model between two steps. The page hears of it through events, at most every
 * EVENT_MS, and of nothing that takes long.
 *
 * Nothing is lost: each snapshot of the trainer goes to IndexedDB (seldom for large models), and a device that is lost
 * is replaced by the trainer itself.
 */

import {
  type ArrayDataset,
  type Backend,
  DownhillError,
  type Model,
  setBackend,
  Trainer,
  type TrainerEvent,
  type TrainingSnapshot,
  type TrainTest,
  take,
} from '../../../src/index.ts';
import { openBackend } from '../worker/device.ts';
import type { BackendName } from '../worker/run-protocol.ts';
import { loadData } from './datasets.ts';
import { featureMaps, filtersOf, insightOf } from './insight.ts';
import { augmentationLayers, buildModel } from './models.ts';
import { preview } from './preview.ts';
import type {
  Augmentation,
  DataInfo,
  DataSource,
  DeviceReport,
  Insight,
  KernelTime,
  Planes,
  RunEvent,
  RunInfo,
  RunSpec,
  SavedRun,
  SavedRunSummary,
  StepPoint,
} from './protocol.ts';
import { RunKeeper } from './run-keeper.ts';
import { RunLog } from './run-log.ts';
import { readRunFile, runFile } from './saved-file.ts';
import { SavedRuns } from './saved-runs.ts';

type Listener = (event: RunEvent) => void;

const EVENT_MS = 60;
/** Milliseconds of queued work that still let the page draw sixty times a second. */
const FRAME_BUDGET = 8;
/** Milliseconds between snapshots: with a slow step or two on top, still far from five seconds. */
const SNAPSHOT_MS = 1500;

export class Engine {
  private kind: BackendName = 'webgpu';
  private backend: Backend | undefined;
  /** Opened and not yet used. */
  private spare: Backend | undefined;
  private data: TrainTest | undefined;
  private source: DataSource | undefined;
  private trainer: Trainer | undefined;
  /** From the call of `run` to its end. */
  private live = false;
  private spec: RunSpec | undefined;
  private log = new RunLog();
  private listener: Listener = () => {};
  private pending: StepPoint[] = [];
  private lastPost = 0;
  private rate = { from: 0, index: 0, perSecond: 0 };
  private keeper!: RunKeeper;

  /** @param runsOf where the runs of a page are kept. */
  constructor(private readonly runsOf: (page: string) => SavedRuns = (page) => new SavedRuns(page)) {}

  /**
   * Opens the backend once to see that it can be had. @param page whose runs these are.
   * @throws DownhillError `device` when it cannot.
   */
  async open(page: string, kind: BackendName): Promise<DeviceReport> {
    this.keeper = new RunKeeper(this.runsOf(page));
    this.kind = kind;
    const backend = await this.openBackend();
    this.spare = backend;
    setBackend(backend);
    return { description: backend.description, kind };
  }

  /** @throws DownhillError `state` while a run is live: it holds on to its data. */
  async loadData(source: DataSource, listener: Listener): Promise<DataInfo> {
    this.checkIdle();
    const data = await loadData(source, (text, done, total) => listener({ type: 'data', text, done, total }));
    this.data = data;
    this.source = source;
    return this.dataInfo();
  }

  /** Pixels of an example as 0 … 1, and its class. @param part `train` or `test`. */
  example(part: 'train' | 'test', index: number): { readonly pixels: Float32Array; readonly label: number } {
    const set = this.dataset()[part];
    const size = set.x.length / set.size;
    const values = set.x.subarray(index * size, (index + 1) * size);
    const scale = values instanceof Uint8Array ? 1 / 255 : 1;
    return { pixels: Float32Array.from(values, (value) => value * scale), label: set.y[index] };
  }

  /**
   * Trains until the end or `stop`; resolves then. Everything on the way comes as events. A run that is live is ended
   * first; what is asked meanwhile waits for the new one.
   */
  async run(spec: RunSpec, listener: Listener, resume?: TrainingSnapshot): Promise<void> {
    const { train, test } = this.dataset();
    const info = this.dataInfo();
    const before = this.trainer;
    const trainer = new Trainer({
      model: () => buildModel(spec, info),
      data: train,
      validationData: test,
      openBackend: () => this.openBackend(),
      batchSize: spec.batchSize,
      epochs: spec.epochs,
      seed: spec.seed,
      frameBudget: FRAME_BUDGET,
      snapshotInterval: SNAPSHOT_MS,
      ...(resume !== undefined && { resume }),
      onEvent: (event) => {
        // A run that was replaced has nothing to say any more.
        if (this.trainer === trainer) this.hear(event, trainer);
      },
    });
    // At once, so that a pause or a stop that comes before the first step is for this run.
    this.trainer = trainer;
    const end = (reason: 'finished' | 'stopped' | 'failed', message?: string): void => {
      if (this.trainer === trainer) {
        this.flush(true);
        this.live = false;
      }
      listener({ type: 'end', reason, ...(message !== undefined && { message }) });
    };
    this.live = true;
    try {
      await before?.dispose();
      if (this.trainer !== trainer) return end('stopped');
      this.listener = listener;
      this.spec = spec;
      this.pending = [];
      if (resume === undefined) this.log = new RunLog();
      await this.keeper.claim(this.source!, listener);
      const history = await trainer.run();
      end(history === undefined ? 'stopped' : 'finished');
    } catch (error) {
      end('failed', error instanceof Error ? error.message : String(error));
    } finally {
      await this.keeper.settled;
    }
  }

  pause(): void {
    this.trainer?.pause();
  }

  resume(): void {
    this.trainer?.resume();
  }

  stop(): void {
    this.trainer?.stop();
  }

  setLearningRate(value: number): Promise<void> {
    return this.peek(async (model) => {
      model.learningRate = value;
    });
  }

  /** Probabilities for one image, values 0 … 1. */
  predict(pixels: Float32Array): Promise<Float32Array> {
    return this.peek(async (model) => {
      const x = { data: pixels, shape: [1, ...this.dataInfo().shape] };
      return (await (await model.predict(x)).data()) as Float32Array;
    });
  }

  /** Probabilities for the first `count` held-out images, one row each. */
  predictTest(count: number): Promise<{ readonly probabilities: Float32Array; readonly count: number }> {
    return this.peek(async (model) => {
      const part = take(this.dataset().test, Math.min(count, this.dataset().test.size));
      const x = { data: part.x, shape: [part.size, ...part.xShape] };
      return { probabilities: (await (await model.predict(x)).data()) as Float32Array, count: part.size };
    });
  }

  insight(): Promise<Insight> {
    return this.peek((model) => insightOf(model, this.dataset().test, this.dataInfo().classNames.length));
  }

  featureMaps(pixels: Float32Array): Promise<Planes[]> {
    return this.peek((model) => featureMaps(model, pixels, this.dataInfo().shape));
  }

  filters(): Promise<Planes[]> {
    return this.peek(filtersOf);
  }

  /** GPU time of each kernel of a step, in order. @throws DownhillError `device` without timestamps. */
  profile(): Promise<KernelTime[]> {
    return this.peek(async (model) => {
      const { train } = this.dataset();
      const part = take(train, Math.min(this.spec!.batchSize, train.size));
      const x = { data: part.x, shape: [part.size, ...part.xShape] };
      const times = await model.profileOnBatch(x, { data: part.y, shape: [part.size] });
      return times.map(({ label, ns }) => ({ label, microseconds: ns / 1000 }));
    });
  }

  /**
   * The same training image several times, as augmentation changes it: RGB or grey values 0 … 1, one after the other.
   */
  async preview(augmentation: Augmentation, index: number, count: number): Promise<Float32Array> {
    const { pixels } = this.example('train', index);
    const make = () => preview(augmentationLayers(augmentation), pixels, this.dataInfo().shape, count);
    return this.trainer === undefined ? make() : this.trainer.peek(make);
  }

  /** The run as a file (saved-file.ts). */
  async save(): Promise<Uint8Array> {
    const snapshot = await this.needTrainer().takeSnapshot();
    return runFile(this.spec!, snapshot, this.log);
  }

  /** Reads what `save` gave. @throws DownhillError `file` for anything else, and for a network of other images. */
  async readSaved(bytes: Uint8Array, name: string): Promise<Omit<SavedRun, 'source'>> {
    this.checkIdle();
    const run = await readRunFile(bytes, name, this.dataInfo().shape);
    this.log = new RunLog(run.points, run.epochs);
    return run;
  }

  savedRun(): Promise<SavedRunSummary | undefined> {
    return this.keeper.runs.summary();
  }

  /** The run that was kept in this browser, its data loaded. */
  async takeUp(
    listener: Listener,
  ): Promise<
    { readonly run: Omit<SavedRun, 'source'>; readonly data: DataInfo; readonly source: DataSource } | undefined
  > {
    const found = await this.keeper.runs.load();
    if (found === undefined) return undefined;
    const { source, ...run } = found;
    const data = await this.loadData(source, listener);
    this.log = new RunLog(run.points, run.epochs);
    return { run, data, source };
  }

  discardSaved(): Promise<void> {
    return this.keeper.runs.discard();
  }

  /** The page is hidden or about to go: keep what there is. */
  async hidden(): Promise<void> {
    if (this.trainer === undefined || this.trainer.state === 'ended' || this.trainer.state === 'new') return;
    this.keeper.keepNext();
    await this.trainer.takeSnapshot();
    await this.keeper.settled;
  }

  /** Destroys the device as a driver reset would, to show that training goes on. */
  destroyDevice(): void {
    if (this.backend !== undefined && 'device' in this.backend)
      (this.backend as { device: GPUDevice }).device.destroy();
  }

  /** The weights as one array: for tests, which compare runs to the bit. */
  weights(): Promise<Float32Array> {
    return this.peek(async (model) => {
      return Float32Array.from((await model.getWeights()).flatMap(({ data }) => Array.from(data)));
    });
  }

  /** The backend that `open` tried out, the first time; then a new one each time, as the one before is gone. */
  private async openBackend(): Promise<Backend> {
    const spare = this.spare;
    this.spare = undefined;
    this.backend = spare ?? (await openBackend(this.kind));
    // The trainer leaves the current backend alone.
    setBackend(this.backend);
    return this.backend;
  }

  private hear(event: TrainerEvent, trainer: Trainer): void {
    if (event.type === 'compile') {
      this.listener(event);
    } else if (event.type === 'begin') {
      const index = event.from.epoch * event.stepsPerEpoch + event.from.step;
      this.log.cut(index);
      this.rate = { from: performance.now(), index, perSecond: 0 };
      this.listener({ type: 'begin', info: runInfo(trainer.model!, event.stepsPerEpoch), fromIndex: index });
    } else if (event.type === 'step') {
      this.pending.push({ index: event.index, loss: event.logs.loss, accuracy: event.logs.accuracy });
      this.flush(false);
    } else if (event.type === 'epoch') {
      this.hearEpoch(event);
    } else if (event.type === 'snapshot') {
      const index = event.snapshot.epoch * this.stepsPerEpoch() + event.snapshot.step;
      this.keeper.keep(this.spec!, index, event.snapshot, this.log);
    } else {
      const fromIndex = event.from.epoch * this.stepsPerEpoch() + event.from.step;
      this.flush(true);
      this.log.cut(fromIndex);
      this.listener({ type: 'lost', message: event.message, fromIndex, steps: event.steps, ms: event.ms });
    }
  }

  private hearEpoch({ epoch, logs }: Extract<TrainerEvent, { type: 'epoch' }>): void {
    this.flush(true);
    const { loss, accuracy, valLoss, valAccuracy } = logs;
    const point = { epoch, index: (epoch + 1) * this.stepsPerEpoch(), loss, accuracy, valLoss, valAccuracy };
    this.log.addEpoch(point);
    this.listener({ type: 'epoch', point });
  }

  /** Sends what has gathered, not more often than the page can show it. */
  private flush(now: boolean): void {
    const time = performance.now();
    if (this.pending.length === 0 || (!now && time - this.lastPost < EVENT_MS)) return;
    const points = this.pending.splice(0);
    this.lastPost = time;
    this.log.add(points);
    const last = points[points.length - 1].index + 1;
    if (time - this.rate.from > 500) {
      const perSecond = (1000 * (last - this.rate.index)) / (time - this.rate.from);
      this.rate = { from: time, index: last, perSecond };
    }
    const { liveBytes = 0, peakBytes = 0 } = this.backend?.counters ?? {};
    const stepsPerSecond = this.rate.perSecond;
    const live = { liveBytes, peakBytes, examplesPerSecond: stepsPerSecond * this.spec!.batchSize };
    this.listener({ type: 'steps', points, stepsPerSecond, live });
  }

  private checkIdle(): void {
    if (this.live) throw new DownhillError('state', 'a run is on, and its data stay until it ends: press Stop first');
  }

  private peek<T>(task: (model: Model) => Promise<T>): Promise<T> {
    return this.needTrainer().peek(task);
  }

  private needTrainer(): Trainer {
    if (this.trainer === undefined) throw new DownhillError('state', 'nothing was trained yet: press Train first');
    return this.trainer;
  }

  private dataset(): { readonly train: ArrayDataset; readonly test: ArrayDataset } {
    if (this.data === undefined) throw new DownhillError('state', 'no data yet');
    return this.data;
  }

  private dataInfo(): DataInfo {
    const { train, test } = this.dataset();
    return {
      name: train.name,
      train: train.size,
      test: test.size,
      shape: train.xShape,
      classNames: train.classNames ?? [],
    };
  }

  private stepsPerEpoch(): number {
    return Math.ceil(this.dataset().train.size / Math.min(this.spec!.batchSize, this.dataset().train.size));
  }
}

function runInfo(model: Model, stepsPerEpoch: number): RunInfo {
  return { parameters: model.countParams(), stepsPerEpoch, summary: model.summary() };
}

/**
 * RunView: the panel with which a run is started, watched, paused, kept and taken up again; the same on each page that
 * trains. Its state is one machine (run-state.ts); every control and the line of words follow from it. What a page
 * shows besides is attached to the hooks.
 */

import { download } from '../download.ts';
import { Machine } from '../machine.ts';
import { dismiss, element, messageOf, notify, showDevice } from '../shell.ts';
import { missingWebGPU, offerCpu } from '../webgpu-check.ts';
import type { BackendName } from '../worker/run-protocol.ts';
import { listening, type RemoteEngine } from './client.ts';
import { showKernelTimes } from './insight-view.ts';
import {
  type Augmentation,
  type DataInfo,
  type DataSource,
  type EpochPoint,
  MODELS,
  type ModelName,
  type RunEvent,
  type RunSpec,
  type SavedRun,
  type StepPoint,
} from './protocol.ts';
import { RunFigures } from './run-figures.ts';
import { RunForm, type SourceChoice } from './run-form.ts';
import { RunPanel } from './run-panel.ts';
import { isLive, RUN_TABLE, type RunMove, type RunState } from './run-state.ts';

export interface RunViewOptions {
  readonly engine: RemoteEngine;
  /** Whose runs are kept. */
  readonly page: string;
  readonly models: readonly ModelName[];
  /** The data sets to choose from; the first is loaded at once. */
  readonly sources: readonly SourceChoice[];
  readonly defaults: Omit<RunSpec, 'augmentation'>;
  /** File name of what is saved. */
  readonly fileName: string;
  readonly augmentation?: () => Augmentation | undefined;
  readonly onData?: (data: DataInfo) => void;
  /** Steps were made. */
  readonly onSteps?: () => void;
  readonly onEpoch?: (point: EpochPoint) => void;
  readonly onEnd?: () => void;
}

const READY = 'Press Train.';

export class RunView {
  data: DataInfo | undefined;
  private readonly machine = new Machine<RunState, RunMove>(RUN_TABLE, 'opening', () => this.show());
  private backend: BackendName | undefined;
  private words = 'Getting ready …';
  private compiled: readonly [number, number] | undefined;
  private spec: RunSpec | undefined;
  /** Where a run that was taken over goes on. */
  private resume: SavedRun['snapshot'] | undefined;
  /** The source of `data`. */
  private source: DataSource | undefined;
  /** What the network was trained on; undefined when there is none. */
  private trainedOn: DataInfo | undefined;
  /** Counts the runs: what comes of one before is not for this one. */
  private run = 0;
  /** The loss of this run is no longer a number, which was said. */
  private diverged = false;
  private readonly form: RunForm;
  private readonly panel: RunPanel;
  private readonly figures = new RunFigures();

  constructor(private readonly options: RunViewOptions) {
    const { engine } = this;
    this.form = new RunForm(options.sources, options.models, options.defaults);
    this.form.onChange('learningRate', () => void this.changeRate());
    this.form.onChange('data', () => void this.changeData());
    this.panel = new RunPanel(this.form, {
      train: () => this.train(),
      pause: () => this.pauseOrResume(),
      stop: async () => {
        if (this.machine.try('stop')) await engine.stop();
      },
      save: async () => download(await engine.save(), options.fileName),
      load: (file) => this.loadSaved(file),
      profile: async () => showKernelTimes(await engine.profile()),
      lose: () => engine.destroyDevice(),
    });
    this.keepWhenHidden();
    this.show();
  }

  get engine(): RemoteEngine {
    return this.options.engine;
  }

  /** True when there is a network that answers questions about the data that are loaded. */
  get hasModel(): boolean {
    return this.trainedOn !== undefined && this.fits;
  }

  /** Opens the engine and loads the first data set, and offers the run that was left. */
  async start(): Promise<void> {
    if (!(await this.openBackend())) return;
    const saved = await this.engine.savedRun();
    await this.load(this.options.sources[0].source as DataSource);
    if (saved === undefined || !this.machine.can('load')) return;
    const when = new Date(saved.savedAt).toLocaleString();
    notify(`Your run of ${when} was kept: ${MODELS[saved.spec.model]}, ${saved.index} steps.`, {
      key: 'kept',
      action: { label: 'Continue it', run: () => void this.takeUp() },
    });
  }

  /** The worker is gone. */
  die(): void {
    this.words = 'The engine stopped.';
    this.machine.try('die');
  }

  /** Loads data; what cannot be used is said, and the data before it stay. */
  async load(source: DataSource): Promise<void> {
    await this.bring('Loading data …', async () => {
      const data = await this.engine.loadData(
        source,
        listening((event) => this.hear(event)),
      );
      return () => this.useData(data, source);
    });
  }

  /**
   * Brings data or a saved run, where the state allows it. @param get gives what takes it over; until it has,
   * everything stays as it was. @returns whether it was taken over.
   */
  private async bring(words: string, get: () => Promise<() => void>): Promise<boolean> {
    if (!this.mayLoad()) return false;
    const before = this.words;
    this.words = words;
    this.machine.move('load');
    try {
      const take = await get();
      if (!this.machine.can('loaded')) return false;
      dismiss('data');
      this.words = before;
      take();
      this.machine.move('loaded');
      return true;
    } catch (error) {
      this.complain(messageOf(error));
      if (this.source !== undefined) this.form.showSource(this.source);
      this.words = 'These data could not be used; see the message.';
      this.machine.try('refused');
      return false;
    }
  }

  /** Whether other data may come now; if not, it is said why. */
  mayLoad(): boolean {
    if (this.machine.can('load')) return true;
    const { state } = this.machine;
    if (isLive(state)) this.complain('A run is on, and its data stay until it ends: press Stop first.');
    else if (state !== 'dead') this.complain('Other data are being read; try again when they are there.');
    return false;
  }

  /** Says what is wrong with data. */
  complain(text: string): void {
    notify(text, { kind: 'error', key: 'data' });
  }

  /** @returns whether there is a device. */
  private async openBackend(): Promise<boolean> {
    const missing = await missingWebGPU();
    let kind: BackendName = 'webgpu';
    if (missing !== undefined) {
      this.words = 'No WebGPU here; see above.';
      this.show();
      await offerCpu(element('content'), missing);
      kind = 'cpu';
    }
    try {
      const report = await this.engine.open(this.options.page, kind);
      this.backend = kind;
      showDevice(kind === 'cpu' ? `${report.description}: no GPU is used` : `WebGPU: ${report.description}`);
      this.machine.move('opened');
      return true;
    } catch (error) {
      this.words = 'The device could not be opened.';
      this.machine.try('die');
      notify(messageOf(error), { kind: 'error', key: 'device' });
      return false;
    }
  }

  private useData(data: DataInfo, source: DataSource): void {
    this.data = data;
    this.source = source;
    this.form.showSource(source);
    const shape = data.shape.join(' × ');
    this.words = `${data.train} images to learn from, ${data.test} held out, ${shape} each. ${READY}`;
    this.options.onData?.(data);
  }

  private async train(resume?: SavedRun['snapshot']): Promise<void> {
    const spec = resume === undefined ? this.form.read(this.options.augmentation?.()) : this.spec;
    if (spec === undefined || !this.machine.can('train')) return;
    this.spec = spec;
    // Until there is a new one: questions to the network before would come too late.
    this.trainedOn = undefined;
    this.compiled = undefined;
    this.figures.epochs = spec.epochs;
    this.figures.clear();
    if (resume === undefined) this.figures.clearCharts();
    // The place of the run that was kept is this one's now.
    dismiss('kept');
    for (const key of ['run', 'diverged']) dismiss(key);
    this.diverged = false;
    const run = ++this.run;
    this.machine.move('train');
    try {
      await this.engine.run(
        spec,
        listening((event) => {
          if (run === this.run) this.hear(event);
        }),
        resume,
      );
    } catch (error) {
      if (run === this.run) this.hearEnd({ type: 'end', reason: 'failed', message: messageOf(error) });
    }
  }

  /** Goes on with the run that this browser kept. */
  private async takeUp(): Promise<void> {
    const taken = await this.bring('Reading the run that was kept …', async () => {
      const found = await this.engine.takeUp(listening((event) => this.hear(event)));
      if (found === undefined) throw new Error('The run that was kept is gone.');
      return () => {
        this.useData(found.data, found.source);
        this.adopt(found.run);
      };
    });
    if (taken) await this.train(this.resume);
  }

  /** Goes on with a run that was saved as a file. */
  private async loadSaved(file: File): Promise<void> {
    const taken = await this.bring(`Reading ${file.name} …`, async () => {
      const run = await this.engine.readSaved(new Uint8Array(await file.arrayBuffer()), file.name);
      return () => this.adopt(run);
    });
    if (taken) await this.train(this.resume);
  }

  private adopt({ spec, snapshot, points, epochs }: Omit<SavedRun, 'source'>): void {
    const total = snapshot.epoch >= spec.epochs ? snapshot.epoch + Math.max(1, spec.epochs) : spec.epochs;
    this.spec = { ...spec, epochs: total };
    this.resume = snapshot;
    this.form.write(this.spec);
    this.figures.adopt(points, epochs);
  }

  private hear(event: RunEvent): void {
    switch (event.type) {
      case 'data': {
        const part = event.total === undefined ? '' : ` (${Math.round((100 * (event.done ?? 0)) / event.total)} %)`;
        // Events and answers come by ways of their own, and may overtake each other.
        if (!this.machine.can('loaded')) break;
        this.words = `${event.text}${part} …`;
        this.show();
        break;
      }
      case 'compile':
        this.compiled = [event.built, event.total];
        if (this.machine.state === 'compiling') this.figures.progress(event.built / event.total);
        this.show();
        break;
      case 'begin':
        this.figures.stepsPerEpoch = event.info.stepsPerEpoch;
        this.figures.cut(event.fromIndex);
        this.trainedOn = this.data;
        this.words = `${event.info.parameters.toLocaleString('en')} parameters.`;
        element('summary').textContent = event.info.summary;
        this.machine.try('begin');
        break;
      case 'steps':
        this.compiled = undefined;
        this.figures.addSteps(event);
        this.tellDiverged(event.points);
        this.machine.try('step');
        this.options.onSteps?.();
        break;
      case 'epoch':
        this.figures.addEpoch(event.point);
        this.options.onEpoch?.(event.point);
        break;
      case 'saved':
        this.figures.set('saved', `step ${event.index}`);
        break;
      case 'unsaved':
        this.figures.set('saved', 'no');
        notify(`This run is not kept: ${event.reason}.`, { kind: 'warning', key: 'unsaved' });
        break;
      case 'lost':
        this.figures.cut(event.fromIndex);
        notify(
          `The GPU device was lost. Training continues at step ${event.fromIndex} on a new one; ${event.steps} steps ` +
            `(${(event.ms / 1000).toFixed(1)} s) are repeated.`,
          { kind: 'warning', key: 'lost', sticky: true },
        );
        this.machine.try('lost');
        break;
      case 'end':
        this.hearEnd(event);
        break;
      default:
        event satisfies never;
    }
  }

  private hearEnd({ reason, message }: Extract<RunEvent, { type: 'end' }>): void {
    this.compiled = undefined;
    if (reason === 'failed') {
      this.words = 'The run ended with an error.';
      notify(message ?? 'The run failed.', { kind: 'error', key: 'run' });
    } else {
      this.words = reason === 'finished' ? 'Finished.' : 'Stopped; Train starts over, Load continues a saved run.';
    }
    if (this.machine.try('end')) this.options.onEnd?.();
  }

  /** Says once per run that its loss is no longer a number. */
  private tellDiverged(points: readonly StepPoint[]): void {
    if (this.diverged || points.every(({ loss }) => Number.isFinite(loss))) return;
    this.diverged = true;
    const text =
      'The loss is no longer a number: the steps were too large. Stop, lower the learning rate, and train again.';
    notify(text, { kind: 'warning', key: 'diverged', sticky: true });
  }

  /** True when the network takes the data that are loaded. */
  private get fits(): boolean {
    const [trained, now] = [this.trainedOn, this.data];
    if (trained === undefined || now === undefined) return false;
    return String(trained.shape) === String(now.shape) && trained.classNames.length === now.classNames.length;
  }

  private show(): void {
    this.panel.show(this.machine.state, {
      backend: this.backend,
      network: this.trainedOn !== undefined,
      fits: this.fits,
      compiled: this.compiled,
      words: this.words,
    });
  }

  /** The page is hidden or about to go: the engine keeps what there is. */
  private keepWhenHidden(): void {
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) void this.engine.hidden();
    });
    addEventListener('pagehide', () => void this.engine.hidden());
  }

  private async pauseOrResume(): Promise<void> {
    // The machine first: what is pressed counts at once, the worker hears of it in turn.
    if (this.machine.try('resume')) await this.engine.resume();
    else if (this.machine.try('pause')) await this.engine.pause();
  }

  private async changeRate(): Promise<void> {
    const input = this.form.rate;
    if (!input.reportValidity() || !isLive(this.machine.state)) return;
    try {
      await this.engine.setLearningRate(Number(input.value));
      notify(`The learning rate is ${Number(input.value)} from the next step on.`, { key: 'rate' });
    } catch (error) {
      notify(messageOf(error), { kind: 'error', key: 'rate' });
    }
  }

  private async changeData(): Promise<void> {
    const { source } = this.form;
    if (source !== 'ask') return this.load(source);
    notify('Drop the files on the page, or give an address below.', { key: 'ask' });
    if (this.source !== undefined) this.form.showSource(this.source);
  }
}

/**
 * RunView: the panel with which a run is started, watched, paused, kept and taken up again; the same on each page that
 * trains. What a page shows beside it hangs on the hooks.
 */

import { LineChart } from '../line-chart.ts';
import { element, messageOf, notify, showDevice } from '../shell.ts';
import { missingWebGPU, offerCpu, preparing } from '../webgpu-check.ts';
import { listening, type RemoteEngine } from './client.ts';
import { showKernelTimes } from './insight-view.ts';
import {
  type Augmentation,
  type BackendName,
  type DataInfo,
  type DataSource,
  type EpochPoint,
  MODELS,
  type ModelName,
  type NamedBytes,
  OPTIMIZERS,
  type OptimizerName,
  type RunEvent,
  type RunSpec,
  type SavedRun,
} from './protocol.ts';

export interface RunViewOptions {
  readonly engine: RemoteEngine;
  readonly models: readonly ModelName[];
  /** The data sets to choose from; the first is loaded at once. */
  readonly sources: readonly { readonly label: string; readonly source: DataSource | 'ask' }[];
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

type Phase = 'loading' | 'ready' | 'running' | 'paused' | 'dead';

/** Largest sum of dropped files. */
const MAX_DROPPED = 512 * 2 ** 20;

export class RunView {
  data: DataInfo | undefined;
  private phase: Phase = 'loading';
  private epochs = 1;
  private stepsPerEpoch = 1;
  private spec: RunSpec | undefined;
  private trained = false;
  private readonly form = element<HTMLFormElement>('knobs');
  private readonly loss: LineChart;
  private readonly accuracy: LineChart;

  constructor(private readonly options: RunViewOptions) {
    const series = [
      { label: 'training', color: 'series-1', noisy: true },
      { label: 'validation', color: 'series-2', marked: true },
    ];
    const empty = 'Nothing was trained yet: a point for each step comes here.';
    const common = { xLabel: 'step', series, empty, smoothing: 0.8 };
    this.loss = new LineChart(element('loss-chart'), { ...common, label: 'Loss', yLabel: 'loss' });
    this.accuracy = new LineChart(element('accuracy-chart'), {
      ...common,
      label: 'Accuracy',
      yLabel: 'share of right answers',
      leftRange: [0, 1],
    });
    this.fillKnobs();
    this.listen();
  }

  get engine(): RemoteEngine {
    return this.options.engine;
  }

  /** True when there is a model that answers. */
  get hasModel(): boolean {
    return this.trained;
  }

  /** Opens the engine and loads the first data set, or the run that was left. */
  async start(): Promise<void> {
    const kind = await this.openBackend();
    if (kind === undefined) return;
    const saved = await this.engine.savedRun();
    await this.load(this.options.sources[0].source as DataSource);
    if (saved === undefined) return;
    const when = new Date(saved.savedAt).toLocaleString();
    notify(`Your run of ${when} was kept: ${MODELS[saved.spec.model]}, ${saved.index} steps.`, {
      key: 'kept',
      action: { label: 'Go on with it', run: () => void this.takeUp() },
    });
  }

  /** Loads data; what fits no longer is said, and the data before it stay. */
  async load(source: DataSource): Promise<void> {
    const before = this.phase;
    this.show('loading', 'Loading data …');
    try {
      this.useData(
        await this.engine.loadData(
          source,
          listening((event) => this.hear(event)),
        ),
      );
    } catch (error) {
      notify(messageOf(error), { kind: 'error', key: 'data' });
      this.show(this.data === undefined ? before : 'ready', 'These data could not be used; see the message.');
    }
  }

  /** Loads dropped or chosen files. */
  async loadFiles(list: Iterable<File>): Promise<void> {
    const files = [...list];
    const size = files.reduce((sum, file) => sum + file.size, 0);
    if (size > MAX_DROPPED) {
      const found = `${files.length} files of ${Math.round(size / 2 ** 20)} MiB`;
      notify(`That is ${found}, more than a page should hold; expected at most 512 MiB.`, {
        kind: 'error',
        key: 'data',
      });
      return;
    }
    const read = async (file: File): Promise<NamedBytes> => {
      return { name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) };
    };
    try {
      await this.load({ kind: 'files', files: await Promise.all(files.map(read)) });
    } catch (error) {
      notify(`The files could not be read: ${messageOf(error)}`, { kind: 'error', key: 'data' });
    }
  }

  private async openBackend(): Promise<BackendName | undefined> {
    const missing = await missingWebGPU();
    let kind: BackendName = 'webgpu';
    if (missing !== undefined) {
      this.show('loading', 'No WebGPU here; see above.');
      await offerCpu(element('content'), missing);
      kind = 'cpu';
    }
    try {
      const report = await this.engine.open(kind);
      showDevice(kind === 'cpu' ? `${report.description}: no GPU is used` : `WebGPU: ${report.description}`);
      return kind;
    } catch (error) {
      this.show('dead', 'The device could not be opened.');
      notify(messageOf(error), { kind: 'error' });
      return undefined;
    }
  }

  private useData(data: DataInfo): void {
    this.data = data;
    const shape = data.shape.join(' × ');
    this.show('ready', `${data.train} images to learn from, ${data.test} held out, ${shape} each. Press Train.`);
    this.options.onData?.(data);
  }

  private async train(resume?: SavedRun['snapshot']): Promise<void> {
    const spec = resume === undefined ? this.readKnobs() : this.spec;
    if (spec === undefined) return;
    this.spec = spec;
    // Until there is a new one: questions to the network before would come too late.
    this.trained = false;
    this.epochs = spec.epochs;
    this.clearFigures();
    if (resume === undefined) this.clearCharts();
    this.show('running', preparing());
    await this.engine.run(
      spec,
      listening((event) => this.hear(event)),
      resume,
    );
  }

  private clearFigures(): void {
    for (const name of ['epoch', 'step', 'loss', 'accuracy', 'steps', 'examples', 'memory', 'saved']) {
      set(`figure-${name}`, '–');
    }
    this.progress(0);
  }

  private clearCharts(): void {
    this.loss.clear();
    this.accuracy.clear();
  }

  /** Goes on with the run that this browser kept. */
  private async takeUp(): Promise<void> {
    try {
      this.show('loading', 'Reading the run that was kept …');
      const found = await this.engine.takeUp(listening((event) => this.hear(event)));
      if (found === undefined) {
        this.show(this.data === undefined ? 'loading' : 'ready', 'The run that was kept is gone.');
        return;
      }
      this.useData(found.data);
      await this.adopt(found.run);
    } catch (error) {
      notify(messageOf(error), { kind: 'error' });
      this.show('ready', 'The run that was kept could not be read.');
    }
  }

  private async adopt(run: Omit<SavedRun, 'source'>): Promise<void> {
    const { spec, snapshot, points, epochs } = run;
    const total = snapshot.epoch >= spec.epochs ? snapshot.epoch + Math.max(1, spec.epochs) : spec.epochs;
    this.spec = { ...spec, epochs: total };
    this.writeKnobs(this.spec);
    const rows = [
      ...points.map(({ index, loss, accuracy }) => [index, loss, null, accuracy, null] as const),
      ...epochs.map(({ index, valLoss, valAccuracy }) => [index, null, valLoss, null, valAccuracy] as const),
    ].sort((a, b) => a[0] - b[0]);
    const column = (k: 1 | 2 | 3 | 4) => rows.map((row) => row[k]);
    const xs = rows.map(([index]) => index);
    this.loss.set(xs, [column(1), column(2)]);
    this.accuracy.set(xs, [column(3), column(4)]);
    await this.train(snapshot);
  }

  private hear(event: RunEvent): void {
    switch (event.type) {
      case 'data': {
        const part = event.total === undefined ? '' : ` (${Math.round((100 * (event.done ?? 0)) / event.total)} %)`;
        element('state').textContent = `${event.text}${part} …`;
        break;
      }
      case 'compile':
        element('state').textContent = preparing(event.built, event.total);
        this.progress(event.built / event.total);
        break;
      case 'begin':
        this.stepsPerEpoch = event.info.stepsPerEpoch;
        this.trained = true;
        element('summary').textContent = event.info.summary;
        this.cut(event.fromIndex);
        this.show('running', `${event.info.parameters.toLocaleString('en')} parameters. Training.`);
        break;
      case 'steps':
        this.hearSteps(event);
        break;
      case 'epoch':
        this.hearEpoch(event.point);
        break;
      case 'saved':
        set('figure-saved', `step ${event.index}`);
        break;
      case 'unsaved':
        set('figure-saved', 'no');
        notify(`This run is not kept: ${event.reason}.`, { kind: 'warning', key: 'unsaved' });
        break;
      case 'lost':
        this.cut(event.fromIndex);
        notify(
          `The GPU device was lost. Training goes on at step ${event.fromIndex} on a new one; ${event.steps} steps (${(event.ms / 1000).toFixed(1)} s) are taken again.`,
          { kind: 'warning', key: 'lost', sticky: true },
        );
        this.show('running', 'Opening a new device …');
        break;
      case 'end':
        this.hearEnd(event);
        break;
      default:
        event satisfies never;
    }
  }

  private hearSteps({ points, stepsPerSecond, live }: Extract<RunEvent, { type: 'steps' }>): void {
    for (const { index, loss, accuracy } of points) {
      this.loss.push(index, [loss, null]);
      // Of outputs that are no numbers some class is the largest all the same.
      this.accuracy.push(index, [Number.isFinite(loss) ? accuracy : null, null]);
    }
    const { index, loss } = points[points.length - 1];
    if (!Number.isFinite(loss)) tellDiverged();
    const total = this.epochs * this.stepsPerEpoch;
    set('figure-epoch', `${Math.min(this.epochs, Math.floor(index / this.stepsPerEpoch) + 1)} of ${this.epochs}`);
    set('figure-step', `${index + 1} of ${total}`);
    set('figure-loss', loss.toFixed(4));
    set('figure-steps', stepsPerSecond === 0 ? '…' : stepsPerSecond.toFixed(stepsPerSecond < 10 ? 1 : 0));
    set('figure-examples', live.examplesPerSecond === 0 ? '…' : live.examplesPerSecond.toFixed(0));
    set('figure-memory', `${(live.liveBytes / 2 ** 20).toFixed(1)} MiB`);
    element('figure-memory').title = `at most ${(live.peakBytes / 2 ** 20).toFixed(1)} MiB so far`;
    this.progress((index + 1) / total);
    this.options.onSteps?.();
  }

  private hearEpoch(point: EpochPoint): void {
    this.loss.push(point.index, [null, point.valLoss]);
    const known = Number.isFinite(point.valLoss);
    this.accuracy.push(point.index, [null, known ? point.valAccuracy : null]);
    set('figure-accuracy', known ? `${(100 * point.valAccuracy).toFixed(1)} %` : '–');
    this.options.onEpoch?.(point);
  }

  private hearEnd({ reason, message }: Extract<RunEvent, { type: 'end' }>): void {
    if (reason === 'failed') {
      this.show('ready', 'The run ended with an error.');
      notify(message ?? 'The run failed.', { kind: 'error' });
    } else {
      this.show(
        'ready',
        reason === 'finished' ? 'Finished.' : 'Stopped; Train begins anew, Load takes up a saved run.',
      );
    }
    this.options.onEnd?.();
  }

  /** Takes what comes at or after step `index` off the charts: it will come again. */
  private cut(index: number): void {
    for (const chart of [this.loss, this.accuracy]) {
      const { x, y } = chart.data;
      const keep = x.findIndex((value) => value >= index && value !== 0);
      if (keep >= 0)
        chart.set(
          x.slice(0, keep),
          y.map((column) => column.slice(0, keep)),
        );
    }
  }

  private progress(share: number): void {
    element<HTMLProgressElement>('progress').value = share;
  }

  private show(phase: Phase, text: string): void {
    this.phase = phase;
    element('state').textContent = text;
    const busy = phase === 'running' || phase === 'paused';
    const enabled: Record<string, boolean> = {
      train: phase === 'ready',
      pause: busy,
      stop: busy,
      save: this.trained && phase !== 'loading',
      load: phase === 'ready',
      profile: this.trained && phase !== 'loading',
      lose: busy,
    };
    for (const [id, on] of Object.entries(enabled)) element<HTMLButtonElement>(id).disabled = !on;
    element('pause').textContent = phase === 'paused' ? 'Resume' : 'Pause';
    for (const control of this.form.elements) {
      const { name } = control as HTMLInputElement;
      (control as HTMLInputElement).disabled = busy ? name !== 'learningRate' : phase !== 'ready';
    }
  }

  private fillKnobs(): void {
    const { models, sources, defaults } = this.options;
    fill(
      this.form,
      'data',
      sources.map(({ label }, k) => [String(k), label]),
    );
    fill(
      this.form,
      'model',
      models.map((name) => [name, MODELS[name]]),
    );
    fill(
      this.form,
      'optimizer',
      OPTIMIZERS.map((name) => [name, name]),
    );
    this.writeKnobs(defaults);
  }

  private writeKnobs(spec: RunSpec): void {
    const { augmentation: _, ...knobs } = spec;
    for (const [name, value] of Object.entries(knobs)) field(this.form, name).value = String(value);
  }

  /** The run that the knobs describe; undefined, and the field shown, when one is not usable. */
  private readKnobs(): RunSpec | undefined {
    if (!this.form.reportValidity()) return undefined;
    const number = (name: string) => Number(field(this.form, name).value);
    const augmentation = this.options.augmentation?.();
    return {
      model: field(this.form, 'model').value as ModelName,
      optimizer: field(this.form, 'optimizer').value as OptimizerName,
      learningRate: number('learningRate'),
      batchSize: number('batchSize'),
      epochs: number('epochs'),
      seed: number('seed'),
      ...(augmentation !== undefined && { augmentation }),
    };
  }

  private listen(): void {
    this.form.addEventListener('submit', (event) => event.preventDefault());
    on('train', () => this.train());
    on('pause', async () => {
      if (this.phase === 'paused') {
        await this.engine.resume();
        this.show('running', 'Training.');
      } else {
        await this.engine.pause();
        this.show('paused', 'Paused. The network still answers.');
      }
    });
    on('stop', () => this.engine.stop());
    on('save', async () => download(await this.engine.save(), this.options.fileName));
    on('profile', async () => showKernelTimes(await this.engine.profile()));
    on('lose', () => this.engine.destroyDevice());
    field(this.form, 'learningRate').addEventListener('change', () => void this.changeRate());
    field(this.form, 'data').addEventListener('change', () => void this.changeData());
    const load = element<HTMLInputElement>('load');
    load.addEventListener('change', () => {
      const [file] = load.files ?? [];
      load.value = '';
      if (file !== undefined) void this.loadSaved(file);
    });
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) void this.engine.hidden();
    });
    addEventListener('pagehide', () => void this.engine.hidden());
  }

  private async changeRate(): Promise<void> {
    const input = field(this.form, 'learningRate');
    if (!input.reportValidity() || (this.phase !== 'running' && this.phase !== 'paused')) return;
    try {
      await this.engine.setLearningRate(Number(input.value));
      notify(`The learning rate is ${Number(input.value)} from the next step on.`, { key: 'rate' });
    } catch (error) {
      notify(messageOf(error), { kind: 'error', key: 'rate' });
    }
  }

  private async changeData(): Promise<void> {
    const { source } = this.options.sources[Number(field(this.form, 'data').value)];
    if (source === 'ask') notify('Drop the files on the page, or give an address below.', { key: 'data' });
    else await this.load(source);
  }

  private async loadSaved(file: File): Promise<void> {
    try {
      const run = await this.engine.readSaved(new Uint8Array(await file.arrayBuffer()), file.name);
      await this.adopt(run);
    } catch (error) {
      notify(messageOf(error), { kind: 'error', key: 'load' });
    }
  }
}

/** Runs `action` when the button is pressed; what goes wrong is said. */
function on(id: string, action: () => unknown): void {
  element(id).addEventListener('click', () => {
    void (async () => action())().catch((error) => notify(messageOf(error), { kind: 'error', key: id }));
  });
}

function tellDiverged(): void {
  const text =
    'The loss is no number any more: the steps were too large. Stop, lower the learning rate, and train anew.';
  notify(text, { kind: 'warning', key: 'diverged', sticky: true });
}

function set(id: string, text: string): void {
  element(id).textContent = text;
}

export function field(form: HTMLFormElement, name: string): HTMLInputElement {
  return form.elements.namedItem(name) as HTMLInputElement;
}

function fill(form: HTMLFormElement, name: string, options: readonly (readonly [string, string])[]): void {
  const select = form.elements.namedItem(name) as HTMLSelectElement;
  select.append(...options.map(([value, label]) => new Option(label, value)));
}

/** Gives the user `bytes` as a file. */
export function download(bytes: Uint8Array, name: string): void {
  const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]));
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

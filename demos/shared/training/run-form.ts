/** The form that a run is described by: which data, which network, and its numbers. */

import { adviseRate } from '../rate-advice.ts';
import { element } from '../shell.ts';
import {
  type Augmentation,
  type DataSource,
  MODELS,
  type ModelName,
  OPTIMIZERS,
  type OptimizerName,
  type RunSpec,
} from './protocol.ts';

/** A data set to choose; `ask` means the user's own files. */
export interface SourceChoice {
  readonly label: string;
  readonly source: DataSource | 'ask';
}

export class RunForm {
  private readonly form = element<HTMLFormElement>('knobs');

  constructor(
    private readonly sources: readonly SourceChoice[],
    models: readonly ModelName[],
    defaults: RunSpec,
  ) {
    this.form.addEventListener('submit', (event) => event.preventDefault());
    this.fill(
      'data',
      sources.map(({ label }, k) => [String(k), label]),
    );
    this.fill(
      'model',
      models.map((name) => [name, MODELS[name]]),
    );
    this.fill(
      'optimizer',
      OPTIMIZERS.map((name) => [name, name]),
    );
    this.write(defaults);
    adviseRate(this.field('optimizer'), this.field('learningRate'), element('rate-advice'));
  }

  /** Controls by what they change: the data, the learning rate, the rest. */
  get controls(): readonly { readonly control: HTMLInputElement; readonly kind: 'source' | 'rate' | 'knobs' }[] {
    return [...this.form.elements].map((element) => {
      const control = element as HTMLInputElement;
      const kind = control.name === 'data' ? 'source' : control.name === 'learningRate' ? 'rate' : 'knobs';
      return { control, kind };
    });
  }

  get source(): DataSource | 'ask' {
    return this.sources[Number(this.field('data').value)].source;
  }

  /** Shows which data are in use: one of the choices, or files of one's own. */
  showSource(source: DataSource): void {
    const found = this.sources.findIndex((one) => one.source === source);
    const own = this.sources.findIndex((one) => one.source === 'ask');
    this.field('data').value = String(found >= 0 ? found : own);
  }

  get rate(): HTMLInputElement {
    return this.field('learningRate');
  }

  write(spec: RunSpec): void {
    const { augmentation: _, ...knobs } = spec;
    for (const [name, value] of Object.entries(knobs)) this.field(name).value = String(value);
  }

  /** The run that the knobs describe; undefined, and the field shown, when one is not usable. */
  read(augmentation: Augmentation | undefined): RunSpec | undefined {
    if (!this.form.reportValidity()) return undefined;
    const number = (name: string) => Number(this.field(name).value);
    return {
      model: this.field('model').value as ModelName,
      optimizer: this.field('optimizer').value as OptimizerName,
      learningRate: number('learningRate'),
      batchSize: number('batchSize'),
      epochs: number('epochs'),
      seed: number('seed'),
      ...(augmentation !== undefined && { augmentation }),
    };
  }

  onChange(name: 'data' | 'learningRate', hear: () => void): void {
    this.field(name).addEventListener('change', hear);
  }

  private field(name: string): HTMLInputElement {
    return field(this.form, name);
  }

  private fill(name: string, options: readonly (readonly [string, string])[]): void {
    const select = this.form.elements.namedItem(name) as HTMLSelectElement;
    select.append(...options.map(([value, label]) => new Option(label, value)));
  }
}

export function field(form: HTMLFormElement, name: string): HTMLInputElement {
  return form.elements.namedItem(name) as HTMLInputElement;
}

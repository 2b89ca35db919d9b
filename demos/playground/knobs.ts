/** The form: what its fields say as settings, and back. Bad input leaves the last valid value, and says so. */

import { NumberField } from '../shared/number-field.ts';
import { element, notify } from '../shared/shell.ts';
import {
  ACTIVATIONS,
  DATA_SETS,
  FEATURES,
  type FeatureName,
  LIMITS,
  MAX_LAYERS,
  MAX_NEURONS,
  OPTIMIZERS,
  PENALTIES,
  type Settings,
} from './settings.ts';

const CHOICES = { data: DATA_SETS, activation: ACTIVATIONS, optimizer: OPTIMIZERS, penalty: PENALTIES } as const;
const NUMBERS = {
  batchSize: 'Batch size',
  learningRate: 'Learning rate',
  penaltyRate: 'Regularisation rate',
  seed: 'Seed',
} as const;
const NEURONS = { min: 1, max: MAX_NEURONS, whole: true };
/** Neurons of a layer that is added. */
const NEW_LAYER = 4;

export class Knobs {
  private readonly layerFields: NumberField[] = [];

  constructor(
    private current: Settings,
    private readonly onChange: (settings: Settings) => void,
  ) {
    element('knobs').addEventListener('submit', (event) => event.preventDefault());
    for (const key of Object.keys(CHOICES) as (keyof typeof CHOICES)[]) this.bindChoice(key);
    for (const key of ['noise', 'trainShare'] as const) this.bindRange(key);
    for (const key of Object.keys(NUMBERS) as (keyof typeof NUMBERS)[]) {
      const change = (value: number) => this.change({ [key]: value });
      new NumberField(element<HTMLInputElement>(key), NUMBERS[key], LIMITS[key], current[key], change);
    }
    element('fewer').addEventListener('click', () => this.change({ hidden: this.current.hidden.slice(0, -1) }));
    element('more').addEventListener('click', () => this.change({ hidden: [...this.current.hidden, NEW_LAYER] }));
    for (let layer = 0; layer < MAX_LAYERS; layer++) this.addLayerField(layer);
    this.showLayers();
  }

  get settings(): Settings {
    return this.current;
  }

  toggle(feature: FeatureName): void {
    const now = this.current.features;
    const names = Object.keys(FEATURES) as FeatureName[];
    const features = names.filter((name) => (name === feature ? !now.includes(name) : now.includes(name)));
    if (features.length > 0) this.change({ features });
    else notify('The network needs at least one input; switch another on first.', { kind: 'warning', key: 'inputs' });
  }

  private change(part: Partial<Settings>): void {
    this.current = { ...this.current, ...part };
    this.showLayers();
    this.onChange(this.current);
  }

  private bindChoice(key: keyof typeof CHOICES): void {
    const select = element<HTMLSelectElement>(key);
    select.append(...Object.entries(CHOICES[key]).map(([value, label]) => new Option(label, value)));
    select.value = this.current[key];
    select.addEventListener('change', () => this.change({ [key]: select.value }));
  }

  private bindRange(key: 'noise' | 'trainShare'): void {
    const input = element<HTMLInputElement>(key);
    const output = input.parentElement!.querySelector('output')!;
    const show = () => {
      output.textContent = `${input.value} %`;
    };
    input.value = String(this.current[key]);
    show();
    input.addEventListener('input', () => {
      show();
      this.change({ [key]: Number(input.value) });
    });
  }

  private addLayerField(layer: number): void {
    const input = Object.assign(document.createElement('input'), { type: 'number', min: '1', max: '8', step: '1' });
    input.id = `layer-${layer + 1}`;
    input.setAttribute('aria-label', `Neurons of hidden layer ${layer + 1}`);
    element('layer-fields').append(input);
    const change = (count: number) => this.change({ hidden: this.current.hidden.with(layer, count) });
    const name = `Neurons of layer ${layer + 1}`;
    this.layerFields.push(new NumberField(input, name, NEURONS, this.current.hidden[layer] ?? NEW_LAYER, change));
  }

  private showLayers(): void {
    const { hidden } = this.current;
    this.layerFields.forEach((field, layer) => {
      field.input.hidden = layer >= hidden.length;
      if (layer < hidden.length) field.value = hidden[layer];
    });
    element<HTMLButtonElement>('fewer').disabled = hidden.length === 0;
    element<HTMLButtonElement>('more').disabled = hidden.length === MAX_LAYERS;
  }
}

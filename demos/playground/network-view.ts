/**
 * The network as a picture: a column of inputs to switch on and off, a column for each hidden layer, the output; behind
 * them the weights as lines, as wide as they are strong and in the colour of their sign.
 */

import { drawCells, type Palette } from './colors.ts';
import type { Built, Frame } from './protocol.ts';
import { CELLS, FEATURES, type FeatureName, type Settings } from './settings.ts';

const SIZE = CELLS * CELLS;
const NAMES = Object.keys(FEATURES) as FeatureName[];

/** A neuron that is looked at. In `layer` 0, `unit` counts all FEATURES. */
export interface Place {
  readonly layer: number;
  readonly unit: number;
}

export interface NetworkViewEvents {
  toggle(feature: FeatureName): void;
  /** Undefined when nothing is looked at any more. */
  look(place: Place | undefined): void;
}

interface Neuron {
  readonly button: HTMLButtonElement;
  readonly canvas: HTMLCanvasElement;
}

export class NetworkView {
  /** All, in use or not. */
  private inputs: Neuron[] = [];
  /** By layer; of the inputs, those in use. */
  private columns: Neuron[][] = [];
  private frame: Frame | undefined;
  private built: Built | undefined;

  constructor(
    private readonly host: HTMLElement,
    private readonly links: HTMLCanvasElement,
    private colors: Palette,
    private readonly events: NetworkViewEvents,
  ) {
    new ResizeObserver(() => this.drawLinks()).observe(host);
    host.addEventListener('keydown', (event) => this.walk(event));
  }

  set palette(colors: Palette) {
    this.colors = colors;
    this.redraw();
  }

  /** Lays the columns out for `settings`, before any network is ready. */
  layOut(settings: Settings): void {
    const focused = document.activeElement?.getAttribute('aria-label');
    for (const column of this.host.querySelectorAll('.column')) column.remove();
    this.frame = this.built = undefined;
    const inputs: Neuron[] = [];
    this.inputs = [];
    const first = this.column();
    for (const name of NAMES) {
      const on = settings.features.includes(name);
      const neuron = this.neuron(`Input ${FEATURES[name]}`, { layer: 0, unit: NAMES.indexOf(name) });
      neuron.button.dataset.feature = name;
      neuron.button.setAttribute('aria-pressed', String(on));
      neuron.button.addEventListener('click', () => this.events.toggle(name));
      const row = document.createElement('div');
      row.className = 'input';
      row.append(Object.assign(document.createElement('span'), { textContent: FEATURES[name] }), neuron.button);
      first.append(row);
      this.inputs.push(neuron);
      if (on) inputs.push(neuron);
    }
    this.columns = [inputs];
    [...settings.hidden, 1].forEach((count, k) => {
      const isOutput = k === settings.hidden.length;
      const column = this.column();
      const neurons = Array.from({ length: count }, (_, unit) => {
        const name = isOutput ? 'Output' : `Neuron ${unit + 1} of layer ${k + 1}`;
        return this.neuron(name, { layer: k + 1, unit });
      });
      column.append(...neurons.map(({ button }) => button));
      this.columns.push(neurons);
    });
    const buttons = this.buttons();
    const again = buttons.find((one) => one.getAttribute('aria-label') === focused);
    for (const one of buttons) one.tabIndex = -1;
    (again ?? buttons[0]).tabIndex = 0;
    if (again !== undefined) again.focus();
    this.drawLinks();
  }

  setBuilt(built: Built): void {
    if (built.build !== this.built?.build) this.frame = undefined;
    this.built = built;
    this.redraw();
  }

  draw(frame: Frame): void {
    this.frame = frame;
    this.redraw();
  }

  /** The surface at `place`, or of the output. */
  surface(place: Place | undefined): Uint8Array | undefined {
    const { frame, built } = this;
    if (built === undefined || frame === undefined) return undefined;
    if (place?.layer === 0) return built.inputCells.subarray(place.unit * SIZE, (place.unit + 1) * SIZE);
    const index = place === undefined ? frame.cells.length / SIZE - 1 : this.offset(place);
    return frame.cells.subarray(index * SIZE, (index + 1) * SIZE);
  }

  name({ layer, unit }: Place): string {
    if (layer === 0) return `Input ${FEATURES[NAMES[unit]]}`;
    return layer === this.columns.length - 1 ? 'Output' : `Neuron ${unit + 1} of layer ${layer}`;
  }

  /** What there is to say about a neuron: its bias and the weights that come in. */
  describe(place: Place): string {
    const { layer, unit } = place;
    if (layer === 0) return `${this.name(place)}: press it to switch it on or off.`;
    const weights = this.frame?.layers[layer - 1];
    if (weights === undefined) return '';
    const width = weights.bias.length;
    const incoming = Array.from(weights.kernel).filter((_, k) => k % width === unit);
    const list = incoming.map((value) => value.toFixed(2).replace('-', '−')).join(', ');
    return `${this.name(place)}: bias ${weights.bias[unit].toFixed(2).replace('-', '−')}, weights ${list}`;
  }

  /** Index of a neuron among all after the inputs. */
  private offset({ layer, unit }: Place): number {
    return this.columns.slice(1, layer).reduce((sum, { length }) => sum + length, 0) + unit;
  }

  private redraw(): void {
    const { built, frame, colors } = this;
    if (built === undefined) return;
    this.inputs.forEach(({ canvas }, k) => {
      drawCells(canvas, built.inputCells.subarray(k * SIZE, (k + 1) * SIZE), CELLS, colors);
    });
    if (frame !== undefined) {
      this.columns
        .slice(1)
        .flat()
        .forEach(({ canvas }, k) => {
          drawCells(canvas, frame.cells.subarray(k * SIZE, (k + 1) * SIZE), CELLS, colors);
        });
    }
    this.drawLinks();
  }

  private drawLinks(): void {
    const { links, host, colors, frame } = this;
    const ratio = devicePixelRatio;
    const [width, height] = [Math.round(host.clientWidth * ratio), Math.round(host.clientHeight * ratio)];
    if (width === 0) return;
    if (links.width !== width || links.height !== height) Object.assign(links, { width, height });
    const context = links.getContext('2d')!;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const box = host.getBoundingClientRect();
    const places = this.columns.map((column) =>
      column.map(({ button }) => {
        const { left, right, top, bottom } = button.getBoundingClientRect();
        return { left: left - box.left, right: right - box.left, y: (top + bottom) / 2 - box.top };
      }),
    );
    for (let layer = 1; layer < places.length; layer++) {
      const kernel = frame?.layers[layer - 1].kernel;
      const outputs = places[layer].length;
      places[layer - 1].forEach((from, i) => {
        places[layer].forEach((to, j) => {
          const weight = kernel?.[i * outputs + j] ?? 0;
          const size = Number.isFinite(weight) ? Math.min(Math.abs(weight), 4) : 0;
          context.beginPath();
          context.moveTo(from.right, from.y);
          const bend = (to.left - from.right) / 2;
          context.bezierCurveTo(from.right + bend, from.y, to.left - bend, to.y, to.left, to.y);
          context.lineWidth = 0.4 + 1.1 * size;
          context.globalAlpha = Math.min(0.9, 0.12 + 0.4 * size);
          context.strokeStyle = size === 0 ? colors.ink : weight < 0 ? colors.low : colors.high;
          context.stroke();
        });
      });
    }
    context.globalAlpha = 1;
  }

  private column(): HTMLElement {
    const column = document.createElement('div');
    column.className = 'column';
    this.host.append(column);
    return column;
  }

  private neuron(name: string, place: Place | undefined): Neuron {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'neuron';
    button.setAttribute('aria-label', name);
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = CELLS;
    button.append(canvas);
    for (const kind of ['pointerenter', 'focus']) button.addEventListener(kind, () => this.events.look(place));
    for (const kind of ['pointerleave', 'blur']) button.addEventListener(kind, () => this.events.look(undefined));
    return { button, canvas };
  }

  private buttons(): HTMLButtonElement[] {
    return [...this.host.querySelectorAll<HTMLButtonElement>('.neuron')];
  }

  /** One stop of the Tab key for all neurons; arrows go on from there. */
  private walk(event: KeyboardEvent): void {
    const now = document.activeElement as HTMLButtonElement;
    const columns = [...this.host.querySelectorAll('.column')].map((one) => [
      ...one.querySelectorAll<HTMLButtonElement>('.neuron'),
    ]);
    const column = columns.findIndex((one) => one.includes(now));
    if (column < 0) return;
    const row = columns[column].indexOf(now);
    const step = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const target = columns[Math.max(0, Math.min(columns.length - 1, column + step[0]))];
    const next = target[Math.max(0, Math.min(target.length - 1, row + step[1]))];
    now.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
}

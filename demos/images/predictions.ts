/** A grid of held-out images with what the network says of each; made once for a data set, refreshed in place. */

import { drawPixels } from '../shared/training/pictures.ts';
import type { DataInfo } from '../shared/training/protocol.ts';

export interface LabelledImage {
  readonly pixels: Float32Array;
  readonly label: number;
}

export class PredictionGrid {
  private cells: { figure: HTMLElement; caption: HTMLElement; bar: HTMLElement; label: number }[] = [];
  private names: readonly string[] = [];

  constructor(private readonly host: HTMLElement) {}

  /** Shows other images, without answers yet. */
  show(images: readonly LabelledImage[], { shape, classNames }: DataInfo): void {
    this.names = classNames;
    this.cells = images.map(({ pixels, label }) => {
      const figure = document.createElement('figure');
      const canvas = document.createElement('canvas');
      drawPixels(canvas, pixels, shape);
      canvas.setAttribute('role', 'img');
      canvas.setAttribute('aria-label', classNames[label]);
      const bar = document.createElement('i');
      const caption = Object.assign(document.createElement('figcaption'), { textContent: classNames[label] });
      figure.append(canvas, bar, caption);
      return { figure, caption, bar, label };
    });
    this.host.replaceChildren(...this.cells.map(({ figure }) => figure));
  }

  /** @param probabilities one row of class probabilities an image. */
  answer(probabilities: Float32Array): void {
    const classes = this.names.length;
    this.cells.forEach(({ figure, caption, bar, label }, k) => {
      const row = probabilities.subarray(k * classes, (k + 1) * classes);
      if (row.length === 0) return;
      if (!row.every(Number.isFinite)) {
        figure.className = '';
        caption.textContent = 'not a number';
        bar.style.transform = 'scaleX(0)';
        figure.title = `${this.names[label]}; the network's output is not a number`;
        return;
      }
      const best = row.indexOf(Math.max(...row));
      figure.className = best === label ? 'right' : 'wrong';
      caption.textContent = this.names[best];
      bar.style.transform = `scaleX(${row[best]})`;
      figure.title = `${this.names[label]}; the network says ${this.names[best]} (${(100 * row[best]).toFixed(0)} %)`;
    });
  }
}

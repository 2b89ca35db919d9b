/** The legend of a chart, as HTML: a sample of each line as it is drawn, its name, and its value at one place. */

import type { LineSeries } from './line-chart.ts';
import type { Value } from './smoothing.ts';

const SVG = 'http://www.w3.org/2000/svg';
/** Lengths of dashes and gaps in pixels, of lines and of their samples. */
export const DASHES: readonly number[] = [6, 4];

export class ChartLegend {
  readonly list = document.createElement('ul');
  private readonly place = document.createElement('li');
  private readonly values: HTMLElement[];

  constructor(
    private readonly xLabel: string,
    private readonly series: readonly LineSeries[],
  ) {
    this.list.className = 'chart-legend';
    this.values = series.map((one) => {
      const item = document.createElement('li');
      const value = Object.assign(document.createElement('span'), { className: 'number' });
      item.append(sample(one), `${one.label} `, value);
      this.list.append(item);
      return value;
    });
    this.list.append(this.place);
  }

  /**
   * @param x where the values are; undefined while there are none.
   * @param means of smoothed series, at the same place.
   */
  show(x: number | undefined, values: readonly Value[], means: readonly Value[]): void {
    write(this.place, x === undefined ? '' : `at ${this.xLabel} ${x}`);
    this.series.forEach((one, k) => {
      const [value, mean] = [values[k], means[k]];
      const text = value === null ? '' : formatValue(value, one.digits);
      write(
        this.values[k],
        mean === null || mean === value ? text : `${text}, smoothed ${formatValue(mean, one.digits)}`,
      );
    });
  }
}

/** Numbers too small for `digits` decimals are given with their power of ten. */
export function formatValue(value: number, digits = 4): string {
  const small = value !== 0 && Math.abs(value) < 10 ** (1 - digits);
  return (small ? value.toExponential(2) : value.toFixed(digits)).replaceAll('-', '−');
}

/** A piece of the line: in its colour, dashed where it is, with a point where its points are marked. */
function sample({ color, dashed, marked }: LineSeries): SVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  for (const [name, value] of Object.entries({ width: '26', height: '10', 'aria-hidden': 'true' })) {
    svg.setAttribute(name, value);
  }
  const line = document.createElementNS(SVG, 'path');
  line.setAttribute('d', 'M0 5H26');
  line.setAttribute('style', `stroke: var(--${color})`);
  line.setAttribute('stroke-width', '2');
  if (dashed) line.setAttribute('stroke-dasharray', DASHES.join(' '));
  svg.append(line);
  if (marked) {
    const point = document.createElementNS(SVG, 'circle');
    for (const [name, value] of Object.entries({ cx: '13', cy: '5', r: '3.5' })) point.setAttribute(name, value);
    point.setAttribute('style', `fill: var(--${color})`);
    svg.append(point);
  }
  return svg;
}

function write(node: HTMLElement, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

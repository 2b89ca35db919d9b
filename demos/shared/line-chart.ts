/**
 * A chart of lines that grow while something runs (uPlot on a 2D canvas), with a legend in HTML that says the last
 * values, or those under the pointer. Points come as often as they like; it is drawn once a frame at most, and keeps at
 * most MAX_POINTS of them by merging neighbours, so that a long training costs no more to draw than a short one.
 */

import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import './chart.css';
import { ChartLegend, DASHES, formatValue } from './chart-legend.ts';
import { themeColor } from './shell.ts';
import { smoothed, type Value } from './smoothing.ts';

export interface LineSeries {
  readonly label: string;
  /** A custom property of the theme: `series-1`. */
  readonly color: string;
  /** `right` has an axis of its own. */
  readonly axis?: 'left' | 'right';
  readonly dashed?: boolean;
  /** Few points, far apart: each is marked. */
  readonly marked?: boolean;
  /** Can be smoothed: its values stay as a faint line below. */
  readonly noisy?: boolean;
  /** Decimals in the legend. */
  readonly digits?: number;
}

export interface LineChartOptions {
  /** What the chart shows, for those who do not see it. */
  readonly label: string;
  /** What is counted along x, in whole numbers: `step`. */
  readonly xLabel: string;
  readonly yLabel: string;
  /** Of the axis on the right. */
  readonly rightLabel?: string;
  /** Shown while there is no point. */
  readonly empty: string;
  readonly series: readonly LineSeries[];
  /** Fixed range of an axis; it follows the data when left out. */
  readonly leftRange?: readonly [number, number];
  readonly rightRange?: readonly [number, number];
  /** The left axis begins logarithmic; a switch changes it. */
  readonly logarithmic?: boolean;
  /** Where a logarithmic axis draws what is smaller, such as 0. */
  readonly floor?: number;
  /** How strong noisy series are smoothed at first: 0 to 0.95. */
  readonly smoothing?: number;
}

const MAX_POINTS = 1500;
/** Distances between two ticks of x: there is no half step. */
const WHOLE = Array.from({ length: 10 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();

export class LineChart {
  private xs: number[] = [];
  private ys: Value[][];
  private means: Value[][] = [];
  private plot: uPlot | undefined;
  private frame = 0;
  private logarithmic: boolean;
  private smoothing: number;
  private readonly area = document.createElement('div');
  private readonly empty = document.createElement('p');
  private readonly legend: ChartLegend;
  private readonly observer: ResizeObserver;
  private readonly rebuild = () => {
    this.plot?.destroy();
    this.plot = undefined;
    this.draw();
  };

  constructor(
    host: HTMLElement,
    private readonly options: LineChartOptions,
  ) {
    const { series, xLabel, logarithmic = false, smoothing = 0 } = options;
    this.logarithmic = logarithmic;
    this.smoothing = smoothing;
    this.ys = series.map(() => []);
    this.legend = new ChartLegend(xLabel, series);
    this.area.className = 'chart-plot';
    this.area.setAttribute('role', 'img');
    this.empty.className = 'chart-empty';
    this.empty.textContent = options.empty;
    const frame = Object.assign(document.createElement('div'), { className: 'chart-area' });
    frame.append(this.area, this.empty);
    host.classList.add('chart');
    host.append(this.tools(), frame, this.legend.list);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.area);
    document.addEventListener('themechange', this.rebuild);
    this.draw();
  }

  /** Adds a point; `null` where a series has none. `x` must not fall. */
  push(x: number, values: readonly Value[]): void {
    this.xs.push(x);
    this.ys.forEach((column, k) => {
      column.push(values[k] ?? null);
    });
    if (this.xs.length > MAX_POINTS) this.thin();
    this.schedule();
  }

  /** Replaces everything. */
  set(xs: readonly number[], columns: readonly (readonly Value[])[]): void {
    this.xs = [...xs];
    this.ys = columns.map((column) => [...column]);
    this.schedule();
  }

  clear(): void {
    this.set(
      [],
      this.options.series.map(() => []),
    );
  }

  /** The points as they are kept, for downloads and tests. */
  get data(): { readonly x: readonly number[]; readonly y: readonly (readonly Value[])[] } {
    return { x: this.xs, y: this.ys };
  }

  dispose(): void {
    cancelAnimationFrame(this.frame);
    this.observer.disconnect();
    document.removeEventListener('themechange', this.rebuild);
    this.plot?.destroy();
  }

  /** Halves the older points: two neighbours become their mean. */
  private thin(): void {
    const half = 2 * Math.floor(this.xs.length / 4);
    const merge = (column: readonly Value[], mean: (a: Value, b: Value) => Value): Value[] => {
      const merged: Value[] = [];
      for (let k = 0; k < half; k += 2) merged.push(mean(column[k], column[k + 1]));
      return [...merged, ...column.slice(half)];
    };
    this.xs = merge(this.xs, (_, b) => b) as number[];
    this.ys = this.ys.map((column) => merge(column, (a, b) => (a === null ? b : b === null ? a : (a + b) / 2)));
  }

  private schedule(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  private resize(): void {
    const { clientWidth: width, clientHeight: height } = this.area;
    if (this.plot === undefined || width === 0) return;
    if (this.plot.width !== width || this.plot.height !== height) this.plot.setSize({ width, height });
  }

  private draw(): void {
    const { series } = this.options;
    this.means = this.ys.map((column, k) => (series[k].noisy ? smoothed(this.xs, column, this.smoothing) : []));
    const drawn = this.ys.flatMap((column, k) => (series[k].noisy ? [column, this.means[k]] : [column]));
    const data = [this.xs, ...drawn.map((column) => column.map((value) => this.drawable(value)))] as uPlot.AlignedData;
    if (this.plot === undefined) this.plot = new uPlot(this.config(), data, this.area);
    else this.plot.setData(data);
    this.empty.hidden = this.xs.length > 0;
    this.showLegend();
  }

  /** A value as it is drawn; what has no place on the axis is not. */
  private drawable(value: Value): Value {
    if (value === null || !Number.isFinite(value)) return null;
    if (!this.logarithmic) return value;
    const lifted = Math.max(value, this.options.floor ?? value);
    return lifted > 0 ? lifted : null;
  }

  /** The values under the pointer, or the last ones. */
  private showLegend(): void {
    const { series, label } = this.options;
    const index = Math.min(this.plot?.cursor.idx ?? this.xs.length - 1, this.xs.length - 1);
    const until = <T>(column: readonly (T | null)[], end: number): T | null =>
      column.slice(0, end + 1).findLast((one) => one !== null) ?? null;
    this.legend.show(
      this.xs[index],
      this.ys.map((column) => until(column, index)),
      this.means.map((column) => until(column, index)),
    );
    const last = series.map((one, k) => {
      const value = until(this.ys[k], this.xs.length);
      return value === null ? `${one.label} none yet` : `${one.label} ${formatValue(value, one.digits)}`;
    });
    this.area.setAttribute('aria-label', `${label}: ${last.join(', ')}`);
  }

  /** Names of the axes, and what can be changed about the picture. */
  private tools(): HTMLElement {
    const { series, yLabel, rightLabel, leftRange } = this.options;
    const tools = Object.assign(document.createElement('div'), { className: 'chart-tools' });
    const name = (text: string, className: string) =>
      Object.assign(document.createElement('span'), { textContent: text, className });
    tools.append(name(`↑ ${yLabel}`, 'left-label'));
    // A range that begins at 0 or below has no logarithm.
    if (leftRange === undefined || leftRange[0] > 0) {
      const input = Object.assign(document.createElement('input'), { type: 'checkbox', checked: this.logarithmic });
      input.addEventListener('change', () => {
        this.logarithmic = input.checked;
        this.rebuild();
      });
      tools.append(labelled(input, 'logarithmic', false));
    }
    if (series.some(({ noisy }) => noisy)) {
      const input = document.createElement('input');
      Object.assign(input, { type: 'range', min: '0', max: '95', step: '5', value: String(100 * this.smoothing) });
      input.addEventListener('input', () => {
        this.smoothing = Number(input.value) / 100;
        this.schedule();
      });
      tools.append(labelled(input, 'smoothing', true));
    }
    if (rightLabel !== undefined) tools.append(name(`${rightLabel} ↑`, 'right-label'));
    return tools;
  }

  private config(): uPlot.Options {
    const { series, xLabel, leftRange, rightRange } = this.options;
    const { logarithmic } = this;
    const axis = {
      stroke: themeColor('muted'),
      grid: { stroke: themeColor('line'), width: 1 },
      ticks: { show: false },
    };
    const range = (fixed: readonly [number, number] | undefined): uPlot.Scale =>
      fixed === undefined ? {} : { range: [fixed[0], fixed[1]] };
    const hasRight = series.some((one) => one.axis === 'right');
    // A range for one kind of axis does not fit the other.
    const left = logarithmic === (this.options.logarithmic ?? false) ? range(leftRange) : {};
    return {
      width: Math.max(this.area.clientWidth, 160),
      height: Math.max(this.area.clientHeight, 100),
      legend: { show: false },
      cursor: { drag: { x: false, y: false } },
      hooks: { setCursor: [() => this.showLegend()] },
      scales: {
        x: { time: false },
        left: { ...left, ...(logarithmic && { distr: 3 as const }) },
        ...(hasRight && { right: range(rightRange) }),
      },
      axes: [
        { ...axis, label: xLabel, labelSize: 18, size: 28, incrs: WHOLE },
        { ...axis, scale: 'left', size: 52, ...(logarithmic && logarithmicTicks(axis.grid)) },
        ...(hasRight ? [{ ...axis, scale: 'right', side: 1 as const, size: 44, grid: { show: false } }] : []),
      ],
      series: [{ label: xLabel }, ...series.flatMap(lines)],
    };
  }
}

/** The lines of a series: of a noisy one its values, faint, and their mean. */
function lines({ label, color, axis = 'left', dashed, marked = false, noisy }: LineSeries): uPlot.Series[] {
  const line = {
    label,
    scale: axis,
    stroke: themeColor(color),
    width: 2,
    spanGaps: true,
    points: { show: marked, size: 7, fill: themeColor(color) },
    ...(dashed && { dash: [...DASHES] }),
  };
  return noisy ? [{ ...line, width: 1, alpha: 0.35, dash: [] }, line] : [line];
}

function labelled(input: HTMLInputElement, text: string, textFirst: boolean): HTMLLabelElement {
  const label = document.createElement('label');
  if (textFirst) label.append(text, input);
  else label.append(input, text);
  return label;
}

/** A logarithmic axis has a line and a number at each power of ten; where it spans few, at 2 and 5 times these too. */
function logarithmicTicks(grid: uPlot.Axis.Grid): uPlot.Axis {
  const filter: uPlot.Axis.Filter = ({ scales }, splits) => {
    const { min = 1, max = 1 } = scales.left;
    const shown = max > 100 * min ? [1] : [1, 2, 5];
    return splits.map((value) => (shown.includes(Number(value.toExponential(6).split('e')[0])) ? value : null));
  };
  const text = (value: number | null): string => {
    if (value === null) return '';
    return value >= 0.01 && value <= 100 ? String(Number(value.toPrecision(3))) : value.toExponential(0);
  };
  return { filter, grid: { ...grid, filter }, values: (_, splits) => splits.map(text) };
}

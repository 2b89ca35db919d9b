/**
 * A chart of lines that grow while something runs (uPlot on a 2D canvas). Points come as often as they like; it is drawn
 * once a frame at most, and keeps at most MAX_POINTS of them by merging neighbours, so that a long training costs no
 * more to draw than a short one.
 */

import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { themeColor } from './shell.ts';

export interface LineSeries {
  readonly label: string;
  /** A custom property of the theme: `series-1`. */
  readonly color: string;
  /** `right` has an axis of its own. */
  readonly axis?: 'left' | 'right';
  readonly dashed?: boolean;
  /** Few points, far apart: each is marked. */
  readonly marked?: boolean;
  readonly digits?: number;
}

export interface LineChartOptions {
  /** What the chart shows, for those who do not see it. */
  readonly label: string;
  readonly xLabel: string;
  readonly series: readonly LineSeries[];
  readonly leftLabel?: string;
  readonly rightLabel?: string;
  /** Fixed range of an axis; it follows the data when left out. */
  readonly leftRange?: readonly [number, number];
  readonly rightRange?: readonly [number, number];
  readonly logarithmic?: boolean;
}

type Value = number | null;

const MAX_POINTS = 1500;

export class LineChart {
  private xs: number[] = [];
  private ys: Value[][];
  private plot: uPlot | undefined;
  private frame = 0;
  private readonly observer: ResizeObserver;
  private readonly rebuild = () => {
    this.plot?.destroy();
    this.plot = undefined;
    this.draw();
  };

  constructor(
    private readonly host: HTMLElement,
    private readonly options: LineChartOptions,
  ) {
    host.classList.add('chart');
    host.setAttribute('role', 'img');
    this.ys = options.series.map(() => []);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(host);
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
    const { clientWidth, clientHeight } = this.host;
    if (this.plot === undefined || clientWidth === 0) return;
    if (this.plot.width !== clientWidth) this.plot.setSize({ width: clientWidth, height: clientHeight - LEGEND });
  }

  private draw(): void {
    const data = [this.xs, ...this.ys] as uPlot.AlignedData;
    if (this.plot === undefined) this.plot = new uPlot(this.config(), data, this.host);
    else this.plot.setData(data);
    const last = this.options.series.map(({ label, digits = 4 }, k) => {
      const value = this.ys[k].findLast((one) => one !== null);
      return value == null ? `${label} none yet` : `${label} ${value.toFixed(digits)}`;
    });
    this.host.setAttribute('aria-label', `${this.options.label}: ${last.join(', ')}`);
  }

  private config(): uPlot.Options {
    const { series, xLabel, leftLabel, rightLabel, leftRange, rightRange, logarithmic } = this.options;
    const axis = {
      stroke: themeColor('muted'),
      grid: { stroke: themeColor('line'), width: 1 },
      ticks: { show: false },
    };
    const range = (fixed: readonly [number, number] | undefined): uPlot.Scale =>
      fixed === undefined ? {} : { range: [fixed[0], fixed[1]] };
    const hasRight = series.some((one) => one.axis === 'right');
    return {
      width: Math.max(this.host.clientWidth, 160),
      height: Math.max(this.host.clientHeight - LEGEND, 100),
      cursor: { drag: { x: false, y: false } },
      scales: {
        x: { time: false },
        left: { ...range(leftRange), ...(logarithmic && { distr: 3 as const }) },
        ...(hasRight && { right: range(rightRange) }),
      },
      axes: [
        { ...axis, label: xLabel, labelSize: 18, size: 28 },
        {
          ...axis,
          scale: 'left',
          size: 56,
          ...(leftLabel && { label: leftLabel, labelSize: 18 }),
          ...(logarithmic && powersOfTen(axis.grid)),
        },
        ...(hasRight
          ? [
              {
                ...axis,
                scale: 'right',
                side: 1 as const,
                size: 50,
                grid: { show: false },
                label: rightLabel ?? '',
                labelSize: 18,
              },
            ]
          : []),
      ],
      series: [
        { label: xLabel },
        ...series.map(({ label, color, axis: side = 'left', dashed, marked = false, digits = 4 }) => ({
          label,
          scale: side,
          stroke: themeColor(color),
          width: 2,
          spanGaps: true,
          points: { show: marked, size: 7, fill: themeColor(color) },
          ...(dashed && { dash: [6, 4] }),
          value: (_: uPlot, value: number | null) => (value == null ? '–' : value.toFixed(digits)),
        })),
      ],
    };
  }
}

/** A logarithmic axis has a line and a number at each power of ten, not at every tenth between two. */
function powersOfTen(grid: uPlot.Axis.Grid): uPlot.Axis {
  const filter: uPlot.Axis.Filter = (_, splits) =>
    splits.map((value) => (Number.isInteger(Number(Math.log10(value).toFixed(9))) ? value : null));
  const text = (value: number | null): string => (value === null ? '' : value.toExponential(0).replace('e+0', 'e0'));
  return { filter, grid: { ...grid, filter }, values: (_, splits) => splits.map(text) };
}

/** Pixels of the chart's height that the legend takes. */
const LEGEND = 34;

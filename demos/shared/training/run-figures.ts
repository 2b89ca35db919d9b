/** The numbers and curves of a run, as the panel shows them. */

import { LineChart } from '../line-chart.ts';
import { element } from '../shell.ts';
import type { EpochPoint, RunEvent, StepPoint } from './protocol.ts';

const FIGURES = ['epoch', 'step', 'loss', 'accuracy', 'steps', 'examples', 'memory', 'saved'] as const;

export class RunFigures {
  epochs = 1;
  stepsPerEpoch = 1;
  private readonly loss: LineChart;
  private readonly accuracy: LineChart;

  constructor() {
    const series = [
      { label: 'training', color: 'series-1', noisy: true },
      { label: 'validation', color: 'series-2', marked: true },
    ];
    const empty = 'Nothing trained yet: each step adds a point here.';
    const common = { xLabel: 'step', series, empty, smoothing: 0.8 };
    this.loss = new LineChart(element('loss-chart'), { ...common, label: 'Loss', yLabel: 'loss' });
    this.accuracy = new LineChart(element('accuracy-chart'), {
      ...common,
      label: 'Accuracy',
      yLabel: 'accuracy',
      leftRange: [0, 1],
    });
  }

  clear(): void {
    for (const name of FIGURES) this.set(name, '–');
    this.progress(0);
  }

  clearCharts(): void {
    this.loss.clear();
    this.accuracy.clear();
  }

  /** The curves of a run that is taken up again. */
  adopt(points: readonly StepPoint[], epochs: readonly EpochPoint[]): void {
    const rows = [
      ...points.map(({ index, loss, accuracy }) => [index, loss, null, known(accuracy, loss), null] as const),
      ...epochs.map(
        ({ index, valLoss, valAccuracy }) => [index, null, valLoss, null, known(valAccuracy, valLoss)] as const,
      ),
    ].sort((a, b) => a[0] - b[0]);
    const column = (k: 1 | 2 | 3 | 4) => rows.map((row) => row[k]);
    const xs = rows.map(([index]) => index);
    this.loss.set(xs, [column(1), column(2)]);
    this.accuracy.set(xs, [column(3), column(4)]);
  }

  addSteps({ points, stepsPerSecond, live }: Extract<RunEvent, { type: 'steps' }>): void {
    for (const { index, loss, accuracy } of points) {
      this.loss.push(index, [loss, null]);
      this.accuracy.push(index, [known(accuracy, loss), null]);
    }
    const { index, loss } = points[points.length - 1];
    const total = this.epochs * this.stepsPerEpoch;
    this.set('epoch', `${Math.min(this.epochs, Math.floor(index / this.stepsPerEpoch) + 1)} of ${this.epochs}`);
    this.set('step', `${index + 1} of ${total}`);
    this.set('loss', loss.toFixed(4));
    this.set('steps', stepsPerSecond === 0 ? '…' : stepsPerSecond.toFixed(stepsPerSecond < 10 ? 1 : 0));
    this.set('examples', live.examplesPerSecond === 0 ? '…' : live.examplesPerSecond.toFixed(0));
    this.set('memory', `${(live.liveBytes / 2 ** 20).toFixed(1)} MiB`);
    element('figure-memory').title = `at most ${(live.peakBytes / 2 ** 20).toFixed(1)} MiB so far`;
    this.progress((index + 1) / total);
  }

  addEpoch(point: EpochPoint): void {
    this.loss.push(point.index, [null, point.valLoss]);
    const accuracy = known(point.valAccuracy, point.valLoss);
    this.accuracy.push(point.index, [null, accuracy]);
    this.set('accuracy', accuracy === null ? '–' : `${(100 * accuracy).toFixed(1)} %`);
  }

  /** Takes what comes at or after step `index` off the charts: it will come again. */
  cut(index: number): void {
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

  progress(share: number): void {
    element<HTMLProgressElement>('progress').value = share;
  }

  set(name: (typeof FIGURES)[number], text: string): void {
    element(`figure-${name}`).textContent = text;
  }
}

/** An accuracy that means something: among outputs that are not numbers some class is still the largest. */
function known(accuracy: number, loss: number): number | null {
  return Number.isFinite(loss) ? accuracy : null;
}

/**
 * ProgressBar: what a person watches while a model trains. On a terminal, one line that is written again (steps, rate,
 * time left, running means) and stays as the epoch's summary; elsewhere plain lines, one an epoch and one now and then
 * in between. It needs nothing of Node: the writer is handed in, or found on `globalThis` when there is a process.
 */

import type { Callback, Logs, TrainingParams } from './callback.ts';

/** Where lines go. */
export interface ProgressWriter {
  write(text: string): unknown;
  /** True when `\r` goes back to the start of the line. */
  readonly isTTY?: boolean;
  /** Width of a line; 100 when it is unknown, or 0, as some terminals say. */
  readonly columns?: number;
}

const BAR_WIDTH = 20;
const DEFAULT_COLUMNS = 100;
/** Milliseconds between two writes: on a terminal, and elsewhere. */
const INTERVAL_TTY = 100;
const INTERVAL_PLAIN = 10_000;

export class ProgressBar implements Callback {
  private params: TrainingParams | undefined;
  private epoch = 0;
  private epochStart = 0;
  private lastWrite = 0;
  private steps = 0;
  /** Steps of an epoch; of a stream of unknown length those of the last one. */
  private total: number | undefined;
  /** When the epoch's first values came, and of how many steps: the very first step compiles, so it has no rate. */
  private mark: { readonly time: number; readonly steps: number } | undefined;

  /** @param now a clock in milliseconds; tests hand in their own. */
  constructor(
    private readonly writer: ProgressWriter = defaultWriter(),
    private readonly now: () => number = () => performance.now(),
  ) {}

  onTrainBegin(params: TrainingParams): void {
    this.params = params;
    this.total = params.steps;
    this.lastWrite = this.now();
  }

  onCompile(built: number, total: number): void {
    // Elsewhere than on a terminal, compiling is silent unless it takes long.
    if (!this.writer.isTTY && this.now() - this.lastWrite < INTERVAL_PLAIN) return;
    this.lastWrite = this.now();
    this.show(`building kernels ${built}/${total}`, false);
  }

  onEpochBegin(epoch: number): void {
    this.epoch = epoch;
    this.steps = 0;
    this.epochStart = this.now();
    this.lastWrite = this.epochStart;
    this.mark = undefined;
  }

  onBatchEnd(batch: number, _logs: Logs, running: Logs): void {
    this.steps = batch + 1;
    this.mark ??= { time: this.now(), steps: this.steps };
    const interval = this.writer.isTTY ? INTERVAL_TTY : INTERVAL_PLAIN;
    if (this.now() - this.lastWrite < interval || this.steps === this.total) return;
    this.lastWrite = this.now();
    const rate = this.rate();
    const known = this.total !== undefined && this.total > this.steps;
    const left = known ? ` · ETA ${duration((1000 * (this.total! - this.steps)) / rate)}` : '';
    this.show(`${this.head()} · ${rate.toPrecision(3)} steps/s${left} · ${describeLogs(running)}`, false);
  }

  onValidationBatchEnd(batch: number, steps: number | undefined): void {
    if (this.now() - this.lastWrite < (this.writer.isTTY ? INTERVAL_TTY : INTERVAL_PLAIN)) return;
    this.lastWrite = this.now();
    this.show(`${this.head()} · validating ${batch + 1}${steps === undefined ? '' : `/${steps}`}`, false);
  }

  onEpochEnd(_epoch: number, logs: Logs): void {
    if (this.params!.steps === undefined) this.total = this.steps;
    const elapsed = duration(this.now() - this.epochStart);
    this.show(`${this.head()} · ${elapsed} · ${this.rate().toPrecision(3)} steps/s · ${describeLogs(logs)}`, true);
  }

  private head(): string {
    const { total } = this;
    const epoch = `epoch ${this.epoch + 1}/${this.params!.epochs}`;
    if (total === undefined) return `${epoch} ${this.steps}`;
    const counted = `${epoch} ${String(this.steps).padStart(String(total).length)}/${total}`;
    if (!this.writer.isTTY) return counted;
    const filled = Math.min(BAR_WIDTH, Math.round((BAR_WIDTH * this.steps) / total));
    return `${counted} ${'━'.repeat(filled)}${'╌'.repeat(BAR_WIDTH - filled)}`;
  }

  /** Steps per second, without the epoch's first ones as soon as a second's worth of others is known. */
  private rate(): number {
    const now = this.now();
    if (this.mark !== undefined && now - this.mark.time >= 1000 && this.steps > this.mark.steps) {
      return (1000 * (this.steps - this.mark.steps)) / (now - this.mark.time);
    }
    return (1000 * this.steps) / Math.max(1, now - this.epochStart);
  }

  private show(line: string, last: boolean): void {
    if (!this.writer.isTTY) {
      this.writer.write(`${line}\n`);
      return;
    }
    // A line that wraps cannot be written again; the summary of an epoch may.
    const fits = last ? line : line.slice(0, (this.writer.columns || DEFAULT_COLUMNS) - 1);
    this.writer.write(`\r\u001b[2K${fits}${last ? '\n' : ''}`);
  }
}

export const progressBar = (writer?: ProgressWriter): ProgressBar => new ProgressBar(writer);

/** `loss 0.1234 · accuracy 0.9876`. */
export function describeLogs(logs: Logs): string {
  return Object.entries(logs)
    .map(([name, value]) => `${name} ${formatValue(value)}`)
    .join(' · ');
}

function formatValue(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(3) : value.toFixed(4);
}

/** `0:07`, `12:34`, `1:02:03`. */
function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  const two = (n: number) => String(n).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** The process' standard output where there is one, otherwise the console. */
function defaultWriter(): ProgressWriter {
  const { process } = globalThis as { process?: { stdout?: ProgressWriter } };
  if (typeof process?.stdout?.write === 'function') return process.stdout;
  return { write: (text) => console.log(text.trimEnd()) };
}

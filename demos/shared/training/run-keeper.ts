/** Keeps a live run in this browser: each snapshot of it, seldom for large networks, one save at a time. */

import type { TrainingSnapshot } from '../../../src/index.ts';
import type { DataSource, RunEvent, RunSpec } from './protocol.ts';
import type { RunLog } from './run-log.ts';
import type { SavedRuns } from './saved-runs.ts';

/** Snapshots of more bytes than this are kept less often. */
const LARGE_SNAPSHOT = 8e6;
const LARGE_SAVE_MS = 30_000;

export class RunKeeper {
  private lastSave = 0;
  private saving: Promise<void> | undefined;
  private saves = false;
  private listener: (event: RunEvent) => void = () => {};

  constructor(readonly runs: SavedRuns) {}

  /** Resolves when nothing is being written. */
  get settled(): Promise<void> | undefined {
    return this.saving;
  }

  /** A run over `source` begins: it takes the place of the one that was kept, unless another tab has that. */
  async claim(source: DataSource, listener: (event: RunEvent) => void): Promise<void> {
    this.listener = listener;
    this.saves = await this.runs.claim();
    if (this.saves) return this.runs.saveSource(source);
    const reason = 'another tab of this page is training and keeps its own run; this one ends with its tab';
    listener({ type: 'unsaved', reason });
  }

  /** The next snapshot is kept, however large it is. */
  keepNext(): void {
    this.lastSave = 0;
  }

  /** @param index steps made at the snapshot. */
  keep(spec: RunSpec, index: number, snapshot: TrainingSnapshot, { points, epochs }: RunLog): void {
    const now = performance.now();
    const seldom = snapshot.files.weights.length > LARGE_SNAPSHOT && now - this.lastSave < LARGE_SAVE_MS;
    if (!this.saves || seldom || this.saving !== undefined) return;
    this.lastSave = now;
    const upTo = points.filter((point) => point.index < index);
    const { listener } = this;
    this.saving = this.runs
      .save({ version: 1, savedAt: Date.now(), spec, index, snapshot, points: upTo, epochs: [...epochs] })
      .then(
        () => listener({ type: 'saved', index }),
        (error) => listener({ type: 'unsaved', reason: `this browser would not keep it (${error.message})` }),
      )
      .finally(() => {
        this.saving = undefined;
      });
  }
}

/**
 * Runs that outlive their tab: one a page, in IndexedDB. The data that was dropped is stored once at the start, what
 * changes (snapshot and curve) again and again. A lock keeps two tabs from writing over each other.
 */

import { del, get, set } from 'idb-keyval';
import type { DataSource, SavedRun, SavedRunSummary } from './protocol.ts';

type Kept = Omit<SavedRun, 'source'>;

export class SavedRuns {
  private release: (() => void) | undefined;

  /** @param page whose runs these are. */
  constructor(private readonly page: string) {}

  async summary(): Promise<SavedRunSummary | undefined> {
    const kept = await get<Kept>(this.runKey);
    if (kept?.version !== 1) return undefined;
    return { savedAt: kept.savedAt, spec: kept.spec, index: kept.index };
  }

  async load(): Promise<SavedRun | undefined> {
    const [kept, source] = [await get<Kept>(this.runKey), await get<DataSource>(this.dataKey)];
    return kept?.version === 1 && source !== undefined ? { ...kept, source } : undefined;
  }

  /**
   * Claims the page's place for this tab. False when another tab has it: then nothing must be saved from here. It is
   * free again when the tab goes, however it goes.
   */
  async claim(): Promise<boolean> {
    if (this.release !== undefined) return true;
    return new Promise((resolve) => {
      void navigator.locks.request(`downhill-${this.page}`, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        if (lock === null) return undefined;
        return new Promise<void>((release) => {
          this.release = release;
        });
      });
    });
  }

  async saveSource(source: DataSource): Promise<void> {
    await del(this.runKey);
    await set(this.dataKey, source);
  }

  save(run: Kept): Promise<void> {
    return set(this.runKey, run);
  }

  async discard(): Promise<void> {
    await del(this.runKey);
    await del(this.dataKey);
  }

  private get runKey(): string {
    return `run:${this.page}`;
  }

  private get dataKey(): string {
    return `data:${this.page}`;
  }
}

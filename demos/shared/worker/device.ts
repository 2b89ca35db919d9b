/** The device of a worker: opened by name, changed in the middle of the work, replaced when it is lost. */

import { type Backend, createCpuBackend, DownhillError, requestWebGPUBackend, setBackend } from '../../../src/index.ts';
import type { BackendName, EngineEvent } from './run-protocol.ts';

/** Losses in a row without `settled` between them, after which another device is of no use. */
const MAX_LOSSES = 3;

/** A backend of its own, not made the default one. @throws DownhillError `device` when it cannot be had. */
export async function openBackend(kind: BackendName, precision: 'f32' | 'f64' = 'f32'): Promise<Backend> {
  return kind === 'cpu' ? createCpuBackend({ precision }) : requestWebGPUBackend(navigator.gpu);
}

export class Device {
  private kind: BackendName = 'webgpu';
  private backend: Backend | undefined;
  private losses = 0;

  /** @param precision of the CPU backend. */
  constructor(private readonly precision: 'f32' | 'f64' = 'f32') {}

  /**
   * Opens `kind`, makes it the default backend, lets `move` take the work there, and frees the one before. If that
   * fails, everything is as it was. @returns what it is, in words. @throws DownhillError `device`.
   */
  async open(kind: BackendName, move: () => Promise<void> = async () => {}): Promise<string> {
    const before = { kind: this.kind, backend: this.backend };
    const opened = await openBackend(kind, this.precision);
    this.kind = kind;
    this.backend = opened;
    setBackend(opened);
    try {
      await move();
    } catch (error) {
      this.kind = before.kind;
      this.backend = before.backend;
      setBackend(before.backend);
      await opened.dispose().catch(() => undefined);
      throw error;
    }
    // It may be lost already.
    await before.backend?.dispose().catch(() => undefined);
    return opened.description;
  }

  /**
   * If `error` says that the device is lost: opens another and lets `restore` go back to what was kept; both are told.
   * @param restore gives where the work goes on. @param at where it was. @throws `error` else, and when it is lost
   *   again and again.
   */
  async replace(
    error: unknown,
    at: number,
    restore: () => Promise<number>,
    tell: (event: EngineEvent) => void,
  ): Promise<void> {
    if (!(error instanceof DownhillError) || error.code !== 'device-lost') throw error;
    if (++this.losses > MAX_LOSSES) throw error;
    tell({ type: 'lost', message: error.message });
    const device = await this.open(this.kind);
    const from = await restore();
    tell({ type: 'recovered', device, at: from, again: at - from });
  }

  /** Work was kept since the last loss: the next loss is not one in a row. */
  settled(): void {
    this.losses = 0;
  }
}

/**
 * Polling backoff: sleep between two polls. Node's WebGPU asks Dawn in every turn of the event loop for as long as a
 * promise of the device is pending, and keeps a core busy with it. A software adapter computes on the same cores: with
 * two of them, a LeNet step took 20 ms, and 12 once the main thread slept (llvmpipe).
 *
 * The price is latency: whatever else the event loop has to do waits for the end of the pause, a millisecond a turn at
 * most.
 */

import type { WaitObserver } from './webgpu/device.ts';

/**
 * A pause grows with the time since a wait last began or ended, so that short waits end soon and long ones are polled
 * rarely.
 */
const SHARE = 1 / 16;
const SHORTEST_MS = 0.05;
const LONGEST_MS = 1;

export class PollingBackoff implements WaitObserver {
  private readonly cell = new Int32Array(new SharedArrayBuffer(4));
  private waiting = 0;
  private turning = false;
  /** When the last wait began or ended. */
  private since = 0;

  begin(): void {
    this.waiting++;
    this.since = performance.now();
    if (this.turning) return;
    this.turning = true;
    setImmediate(this.turn);
  }

  end(): void {
    this.waiting--;
    this.since = performance.now();
  }

  private readonly turn = (): void => {
    this.turning = this.waiting > 0;
    if (!this.turning) return;
    const pause = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, SHARE * (performance.now() - this.since)));
    Atomics.wait(this.cell, 0, 0, pause);
    setImmediate(this.turn);
  };
}

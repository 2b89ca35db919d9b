/**
 * DeviceContext: one GPUDevice with what all parts of the backend share: limits, counters, and the state of its health.
 *
 * Invariant: after the device is lost, disposed, or has reported an error that no scope caught, the next call throws.
 * A wrong number never leaves in silence.
 */

import type { Target } from '../../compile/target.ts';
import { DownhillError } from '../../util/errors.ts';
import { newCounters } from '../bookkeeping.ts';

/** What GPUAdapterInfo says, as far as the backend looks at it. */
export type AdapterInfo = Partial<
  Pick<
    GPUAdapterInfo,
    'vendor' | 'architecture' | 'device' | 'description' | 'isFallbackAdapter' | 'subgroupMinSize' | 'subgroupMaxSize'
  >
>;

/** An object made inside error scopes, and what these caught. */
export interface Guarded<T> {
  readonly value: T;
  readonly failure: Promise<DownhillError | undefined>;
}

/** Told when a wait for the device begins and ends, in environments whose WebGPU polls for as long as one is pending. */
export interface WaitObserver {
  begin(): void;
  end(): void;
}

export class DeviceContext {
  readonly counters = newCounters();
  #lost: DownhillError | undefined;
  #disposed = false;
  #uncaptured: DownhillError | undefined;
  readonly #watched = new Set<Promise<void>>();
  readonly #onUncaptured = (event: GPUUncapturedErrorEvent): void => {
    // The application hears of errors on a device it owns; ours is reported by the next call alone.
    if (this.ownsDevice) event.preventDefault();
    this.#uncaptured ??= new DownhillError(
      errorCode(event.error),
      `the device reported an error after the call that caused it, so results since then may be wrong: ${event.error.message}`,
    );
  };

  constructor(
    readonly device: GPUDevice,
    readonly description: string,
    readonly target: Target,
    readonly ownsDevice: boolean,
    private readonly waits?: WaitObserver,
  ) {
    device.addEventListener('uncapturederror', this.#onUncaptured as EventListener);
    void device.lost.then((info) => {
      this.#lost ??= lostError(description, info);
    });
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** `promise`, which the device will settle: what is waited for at length goes through here. */
  async wait<T>(promise: Promise<T>): Promise<T> {
    this.waits?.begin();
    try {
      return await promise;
    } finally {
      this.waits?.end();
    }
  }

  /** Makes a failure that is told late the next call's error, before any error that followed from it. */
  watch(failure: Promise<DownhillError | undefined>): void {
    const settled = failure.then((error) => {
      this.#watched.delete(settled);
      if (error !== undefined) this.#uncaptured = error;
    });
    this.#watched.add(settled);
  }

  /** As `assertHealthy`, after every failure that is being watched has been told: for the end of asynchronous calls. */
  async confirmHealthy(): Promise<void> {
    await Promise.all(this.#watched);
    this.assertHealthy();
  }

  /** @throws DownhillError `state` after dispose(), `device-lost`, or the error that no scope caught (once). */
  assertHealthy(): void {
    this.assertAlive();
    // While a failure is still to be told, an error may be no more than its consequence.
    if (this.#uncaptured !== undefined && this.#watched.size === 0) {
      const error = this.#uncaptured;
      this.#uncaptured = undefined;
      throw error;
    }
  }

  /** @throws DownhillError `state` after dispose(), `device-lost` when the device is gone. */
  assertAlive(): void {
    if (this.#disposed) throw new DownhillError('state', `the WebGPU backend (${this.description}) was disposed`);
    if (this.#lost !== undefined) throw this.#lost;
  }

  /** Why an asynchronous call on the device failed: the loss, if there is one, else what the call said. */
  async explain(action: string, cause: unknown): Promise<DownhillError> {
    if (cause instanceof DownhillError) return cause;
    // The loss is told by another promise, a few turns of the event loop after the calls that it fails.
    await Promise.race([this.device.lost, new Promise((resolve) => setTimeout(resolve, 100))]);
    try {
      this.assertAlive();
    } catch (error) {
      return error as DownhillError;
    }
    const message = cause instanceof Error ? cause.message || cause.name : String(cause);
    return new DownhillError('device', `${action}: ${message}`, { cause });
  }

  /** Runs `create` inside validation and out-of-memory scopes. `what` begins the message of the failure. */
  guard<T>(what: string, create: () => T): Guarded<T> {
    const { device } = this;
    device.pushErrorScope('validation');
    device.pushErrorScope('out-of-memory');
    let value: T | undefined;
    let thrown: unknown;
    try {
      value = create();
    } catch (error) {
      thrown = error;
    }
    const scopes = [device.popErrorScope(), device.popErrorScope()];
    const failure = this.wait(Promise.all(scopes)).then(
      ([memory, validation]) => {
        if (memory !== null) return new DownhillError('device', `${what}: out of memory: ${memory.message}`);
        return validation === null ? undefined : new DownhillError('internal', `${what}: ${validation.message}`);
      },
      (cause) => this.explain(what, cause),
    );
    if (thrown !== undefined) throw new DownhillError('device', `${what}: ${String(thrown)}`, { cause: thrown });
    return { value: value as T, failure };
  }

  /** Submits one command buffer, and counts it. */
  submit(encoder: GPUCommandEncoder): void {
    this.device.queue.submit([encoder.finish()]);
    this.counters.submits++;
  }

  /** Ends the use of the device, and the device itself when it is ours. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.device.removeEventListener('uncapturederror', this.#onUncaptured as EventListener);
    if (this.ownsDevice) this.device.destroy();
  }
}

function errorCode(error: GPUError): 'device' | 'internal' {
  return error.constructor.name === 'GPUValidationError' ? 'internal' : 'device';
}

function lostError(description: string, info: GPUDeviceLostInfo): DownhillError {
  const message = info.message === '' ? 'no message' : info.message.trim();
  return new DownhillError(
    'device-lost',
    `the GPU device (${description}) was lost, reason "${info.reason ?? 'unknown'}": ${message}; make a new backend and load the last checkpoint`,
  );
}

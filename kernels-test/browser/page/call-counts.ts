/**
 * Counts what reaches WebGPU, beside the backend's own counters: methods of the browser's prototypes are wrapped, so
 * nothing of the library can pass by.
 */

import type { BackendCounters, WebGPUBackend } from '../../../src/index.ts';

export interface CallCounts {
  readonly calls: {
    submit: number;
    mapAsync: number;
    dispatchWorkgroups: number;
    /** Objects of any kind made by the device, command encoders excepted. */
    create: number;
  };
  readonly counters: BackendCounters;
}

const calls: CallCounts['calls'] = { submit: 0, mapAsync: 0, dispatchWorkgroups: 0, create: 0 };
let installed = false;

/** A function that gives the counts so far. */
export function countCalls(backend: WebGPUBackend): () => CallCounts {
  if (!installed) install();
  installed = true;
  return () => ({ calls: { ...calls }, counters: { ...backend.counters } });
}

/** What grew from `before` to `now`. */
export function callsOf(before: CallCounts, now: CallCounts): CallCounts {
  return { calls: grown(before.calls, now.calls), counters: grown(before.counters, now.counters) };
}

function grown<T extends Record<keyof T, number>>(before: T, now: T): T {
  const names = Object.keys(now) as (keyof T)[];
  return Object.fromEntries(names.map((name) => [name, now[name] - before[name]])) as T;
}

function install(): void {
  wrap(GPUQueue.prototype, 'submit', 'submit');
  wrap(GPUBuffer.prototype, 'mapAsync', 'mapAsync');
  wrap(GPUComputePassEncoder.prototype, 'dispatchWorkgroups', 'dispatchWorkgroups');
  for (const name of Object.getOwnPropertyNames(GPUDevice.prototype)) {
    if (name.startsWith('create') && name !== 'createCommandEncoder') wrap(GPUDevice.prototype, name, 'create');
  }
}

function wrap(prototype: object, name: string, entry: keyof typeof calls): void {
  const native = Reflect.get(prototype, name);
  Reflect.set(prototype, name, function (this: unknown, ...args: unknown[]) {
    calls[entry]++;
    return native.apply(this, args);
  });
}

/**
 * The backend that tensors and models run on unless they are given another. Set once, by the entry that knows where it
 * runs; nothing here looks for a device by itself.
 */

import type { Backend } from '../backend/backend.ts';
import { installRuntime } from '../core/tensor.ts';
import { DownhillError } from '../util/errors.ts';
import { readTensor } from './evaluate.ts';

let current: Backend | undefined;

/** Makes `backend` the default. The caller keeps ownership and disposes it. */
export function setBackend(backend: Backend | undefined): void {
  readableTensors();
  current = backend;
}

/** Lets tensors be read. Called where backends come in: a bundler leaves out a module imported for its side effect alone. */
export function readableTensors(): void {
  installRuntime({ data: readTensor });
}

/** The default backend. @throws DownhillError `state` when none was set. */
export function getBackend(): Backend {
  if (current === undefined) {
    throw new DownhillError(
      'state',
      'no backend is set: call await useBackend() first, or setBackend(…) with a backend of your own',
    );
  }
  return current;
}

/** Choosing the current backend, which also lets tensors be read. Nothing here looks for a device by itself. */

import type { Backend } from '../backend/backend.ts';
import { installRuntime } from '../core/tensor.ts';
import { makeCurrent } from './current-backend.ts';
import { readTensor } from './evaluate.ts';

/** Makes `backend` the default. The caller keeps ownership and disposes it. */
export function setBackend(backend: Backend | undefined): void {
  readableTensors();
  makeCurrent(backend);
}

/**
 * Lets tensors be read. Called where backends come in: a bundler leaves out a module imported for its side effect
 * alone.
 */
export function readableTensors(): void {
  installRuntime({ data: readTensor });
}

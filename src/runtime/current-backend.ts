/**
 * The backend that tensors and models run on unless they are given another. Set once, by the entry that knows where it
 * runs (set-backend.ts).
 */

import type { Backend } from '../backend/backend.ts';
import { DownhillError } from '../util/errors.ts';

let current: Backend | undefined;

/** For `setBackend` alone, which lets tensors be read as well. */
export function makeCurrent(backend: Backend | undefined): void {
  current = backend;
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

/** The page's end of the engine: starts the worker and says on the page when it dies. */

import { proxy, type Remote, transfer, wrap } from 'comlink';
import { notify } from '../shell.ts';
import type { Engine } from './engine.ts';
import type { RunEvent } from './protocol.ts';

export type RemoteEngine = Remote<Engine>;

/** @param worker a new worker that runs `exposeEngine`. @param onDeath called when it is gone for good. */
export function connect(worker: Worker, onDeath: () => void): RemoteEngine {
  worker.addEventListener('error', (event) => {
    event.preventDefault();
    notify(
      `The engine stopped: ${event.message || 'its worker could not run'}. Reload the page to go on where you were.`,
      {
        kind: 'error',
        action: { label: 'Reload', run: () => location.reload() },
      },
    );
    onDeath();
  });
  return wrap<Engine>(worker);
}

/** A listener that the worker can call. */
export function listening(listener: (event: RunEvent) => void): (event: RunEvent) => void {
  return proxy(listener);
}

/** Pixels as a message that is moved, not copied; `pixels` stays usable. */
export function sent(pixels: Float32Array): Float32Array {
  const copy = pixels.slice();
  return transfer(copy, [copy.buffer]);
}

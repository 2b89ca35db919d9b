/** What goes to the engine in its worker, in the form that it crosses threads in. */

import { proxy, type Remote, transfer } from 'comlink';
import type { Engine } from './engine.ts';
import type { RunEvent } from './protocol.ts';

export type RemoteEngine = Remote<Engine>;

/** A listener that the worker can call. */
export function listening(listener: (event: RunEvent) => void): (event: RunEvent) => void {
  return proxy(listener);
}

/** Pixels as a message that is moved, not copied; `pixels` stays usable. */
export function sent(pixels: Float32Array): Float32Array {
  const copy = pixels.slice();
  return transfer(copy, [copy.buffer]);
}

/**
 * Which layers a model was built with. Programs are made from their configuration, so it must not change from then on.
 * Kept beside the layers, which hold their configuration only: building a model or tracing a layer changes none.
 */

import type { Layer } from './layer.ts';

const inUse = new WeakSet<Layer>();

/** Called when a model with `layer` was built. */
export function noteInUse(layer: Layer): void {
  inUse.add(layer);
}

/** True once a model was built with `layer`, also when that model is gone. */
export function isInUse(layer: Layer): boolean {
  return inUse.has(layer);
}

import type { Engine } from '../core/engine.ts';

/** @param tf the module, as tfjs.mjs opens it: this package has none of its types. */
export function tfjsEngine(tf: unknown, version: string): Engine;

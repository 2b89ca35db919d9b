import type { Engine } from '../core/engine.ts';

/** @param jax the module, as jax.mjs opens it: this package has none of its types. */
export function jaxEngine(jax: unknown, version: string): Engine;

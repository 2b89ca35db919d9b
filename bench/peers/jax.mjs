/** jax-js in Node: what `bench peers` starts. */

import { jaxEngine } from './jax-engine.mjs';
import { openJax } from './open-engines.mjs';
import { runPeer } from './run-peer.mjs';

await runPeer(async () => {
  const { jax, version } = await openJax();
  return jaxEngine(jax, version);
});

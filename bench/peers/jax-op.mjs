/** jax-js in Node: what `bench ops` starts. */

import { jaxDuellist } from './jax-duels.mjs';
import { openJax } from './open-engines.mjs';
import { runPeerOp } from './run-peer.mjs';

await runPeerOp(async () => {
  const { jax, version } = await openJax();
  return jaxDuellist(jax, version);
});

/** jax-js in Node: what `bench peers` starts. */

import { runPeer, versionOf } from './run-peer.mjs';

await runPeer(async () => {
  const jax = await import('@jax-js/jax');
  const { jaxEngine } = await import('./jax-engine.mjs');
  await jax.init('webgpu');
  jax.defaultDevice('webgpu');
  return jaxEngine(jax, versionOf('@jax-js/jax'));
});

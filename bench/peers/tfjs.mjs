/** TensorFlow.js in Node: what `bench peers` starts. */

import { openTfjs } from './open-engines.mjs';
import { runPeer } from './run-peer.mjs';
import { tfjsEngine } from './tfjs-engine.mjs';

await runPeer(async () => {
  const { tf, version } = await openTfjs();
  return tfjsEngine(tf, version);
});

/** TensorFlow.js in Node: what `bench ops` starts. */

import { openTfjs } from './open-engines.mjs';
import { runPeerOp } from './run-peer.mjs';
import { tfjsDuellist } from './tfjs-duels.mjs';

await runPeerOp(async () => {
  const { tf, version } = await openTfjs();
  return tfjsDuellist(tf, version);
});

/** TensorFlow.js in Node: what `bench peers` starts. */

import { runPeer, versionOf } from './run-peer.mjs';

await runPeer(async () => {
  const tf = await import('@tensorflow/tfjs');
  await import('@tensorflow/tfjs-backend-webgpu');
  const { tfjsEngine } = await import('./tfjs-engine.mjs');
  await tf.setBackend('webgpu');
  await tf.ready();
  return tfjsEngine(tf, versionOf('@tensorflow/tfjs'));
});

/**
 * The peers' modules, opened with WebGPU as their device. To be called when `navigator.gpu` is there (run-peer.mjs), as
 * they look for it when they are imported.
 */

import { readFileSync } from 'node:fs';

/** TensorFlow.js with its WebGPU backend. */
export async function openTfjs() {
  const tf = await import('@tensorflow/tfjs');
  await import('@tensorflow/tfjs-backend-webgpu');
  await tf.setBackend('webgpu');
  await tf.ready();
  return { tf, version: versionOf('@tensorflow/tfjs') };
}

export async function openJax() {
  const jax = await import('@jax-js/jax');
  await jax.init('webgpu');
  jax.defaultDevice('webgpu');
  return { jax, version: versionOf('@jax-js/jax') };
}

/** The installed version of package `name`. */
function versionOf(name) {
  return JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), 'utf8')).version;
}

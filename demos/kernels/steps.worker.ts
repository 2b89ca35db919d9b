/**
 * A training step of one engine, measured as bench/ does it. Every engine gets a worker of its own, so that none finds
 * the device warm or the memory taken.
 */

import { peers } from 'virtual:peers';
import { requestWebGPUBackend } from '../../bench/core/browser-backend.ts';
import { DownhillEngine } from '../../bench/core/downhill-engine.ts';
import { driveEngine, type Engine } from '../../bench/core/engine.ts';
import { makeWorkload } from '../../bench/core/workloads.ts';
import { jaxEngine } from '../../bench/peers/jax-engine.mjs';
import { tfjsEngine } from '../../bench/peers/tfjs-engine.mjs';
import { version } from '../../package.json';
import type { EngineName, StepBench } from './workers.ts';

/** What of the peers is called here. */
interface Tensorflow {
  setBackend(name: 'webgpu'): Promise<boolean>;
  ready(): Promise<void>;
}
interface Jax {
  init(device: 'webgpu'): Promise<readonly string[]>;
  defaultDevice(device: 'webgpu'): void;
}

const CDN = 'https://cdn.jsdelivr.net/npm';

const bench: StepBench = {
  async measure(name, from, workloadName, batch, options, onLosses) {
    const engine = await open(name, from);
    const workload = await makeWorkload(workloadName, batch);
    return driveEngine(engine, workload, { ...options, onLosses });
  },
};

async function open(name: EngineName, from: 'bundle' | 'cdn'): Promise<Engine> {
  switch (name) {
    case 'downhill':
      return new DownhillEngine(await requestWebGPUBackend(navigator.gpu), version);
    case 'tfjs': {
      const tf: Tensorflow = from === 'bundle' ? await import('virtual:peers/tfjs') : await tensorflowFromCdn();
      if (!(await tf.setBackend('webgpu'))) throw new Error('TensorFlow.js could not start its WebGPU backend');
      await tf.ready();
      return tfjsEngine(tf, peers.tfjs.version);
    }
    case 'jax': {
      const url = `${CDN}/@jax-js/jax@${peers.jax.version}/dist/index.js`;
      const jax: Jax = await (from === 'bundle' ? import('virtual:peers/jax') : import(/* @vite-ignore */ url));
      if (!(await jax.init('webgpu')).includes('webgpu')) throw new Error('jax-js could not start its WebGPU backend');
      jax.defaultDevice('webgpu');
      return jaxEngine(jax, peers.jax.version);
    }
  }
}

/** Its builds for script tags put themselves into the global `tf`, in a module too. */
async function tensorflowFromCdn(): Promise<Tensorflow> {
  const { version } = peers.tfjs;
  const core = `${CDN}/@tensorflow/tfjs@${version}/dist/tf.min.js`;
  const webgpu = `${CDN}/@tensorflow/tfjs-backend-webgpu@${version}/dist/tf-backend-webgpu.min.js`;
  await import(/* @vite-ignore */ core);
  await import(/* @vite-ignore */ webgpu);
  return (globalThis as unknown as { tf: Tensorflow }).tf;
}

export default bench;

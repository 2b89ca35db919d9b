/**
 * The package in Node (`import … from 'downhill/node'`): everything of the universal entry, and what needs a file system
 * or the `webgpu` package, which is loaded when a backend is asked for.
 */

import type { Backend } from './backend/backend.ts';
import { createNodeWebGPUBackend } from './backend/webgpu.node.ts';
import { setBackend } from './runtime/current-backend.ts';
import { type BackendChoice, chooseBackend, type OnFallback } from './runtime/use-backend.ts';

export {
  createDawnNullBackend,
  createNodeWebGPUBackend,
  type DawnToggles,
  type NodeWebGPUOptions,
} from './backend/webgpu.node.ts';
export { cacheFolder, folderCache } from './data/cache.node.ts';
export { readFileBytes, writeFileAtomic } from './data/files.node.ts';
export { type LoadMnistOptions, loadMnist } from './data/mnist.node.ts';
export * from './index.ts';
export { loadModel, saveModel } from './train/files.node.ts';

/**
 * Makes the backend of `choice` the default one, and returns it: WebGPU through Dawn, or the CPU. The caller disposes
 * it, or the process does not end.
 * @throws DownhillError `device` when WebGPU was asked for and cannot be had, `argument` for an unknown name.
 */
export async function useBackend(choice: BackendChoice = 'auto', onFallback?: OnFallback): Promise<Backend> {
  const backend = await chooseBackend(choice, createNodeWebGPUBackend, onFallback);
  setBackend(backend);
  return backend;
}

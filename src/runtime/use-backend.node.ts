/**
 * Choosing a backend by name in Node, where WebGPU comes from the `webgpu` package, and `VALIDATE=1` puts the backend
 * that compares every dispatch with the CPU reference around it.
 */

import type { Backend } from '../backend/backend.ts';
import { wrapForValidation } from '../backend/validate.node.ts';
import { createNodeWebGPUBackend, type NodeWebGPUOptions } from '../backend/webgpu.node.ts';
import { useStoredTuning } from '../tune/store.node.ts';
import { environment } from '../util/environment.ts';
import { setBackend } from './set-backend.ts';
import { type BackendChoice, chooseBackend, type OnFallback } from './use-backend.ts';

/**
 * WebGPU as the environment wants it, with the tiles that were tuned for its adapter. @throws DownhillError `device`
 * when there is no adapter.
 */
export async function openNodeWebGPU(options?: NodeWebGPUOptions): Promise<Backend> {
  const backend = await createNodeWebGPUBackend(options);
  if (environment().tuning) await useStoredTuning(backend);
  return environment().validate ? wrapForValidation(backend) : backend;
}

/**
 * Makes the backend of `choice` the default one, and returns it: WebGPU through Dawn, or the CPU. The caller disposes
 * it, or the process does not end.
 * @throws DownhillError `device` when WebGPU was asked for and cannot be had, `argument` for an unknown name.
 */
export async function useBackend(choice: BackendChoice = 'auto', onFallback?: OnFallback): Promise<Backend> {
  const backend = await chooseBackend(choice, () => openNodeWebGPU(), onFallback);
  setBackend(backend);
  return backend;
}

/**
 * Choosing a backend by name. `auto` takes WebGPU where there is an adapter and the CPU where there is none, and says
 * so: a model that trains a hundred times slower than it could must not do so in silence. A backend that was asked for
 * by name is never replaced by another.
 */

import type { Backend } from '../backend/backend.ts';
import { requestWebGPUBackend } from '../backend/webgpu.ts';
import { DownhillError, unknownName } from '../util/errors.ts';
import { setBackend } from './set-backend.ts';

export const BACKEND_CHOICES = ['auto', 'webgpu', 'cpu'] as const;

export type BackendChoice = (typeof BACKEND_CHOICES)[number];

/** Hears why `auto` does without WebGPU. */
export type OnFallback = (reason: DownhillError) => void;

/**
 * The backend that `choice` means. @param openWebGPU makes the WebGPU backend of this platform.
 * @throws DownhillError `device` when WebGPU was asked for and cannot be had, `argument` for an unknown name.
 */
export async function chooseBackend(
  choice: BackendChoice,
  openWebGPU: () => Promise<Backend>,
  onFallback: OnFallback = warnOnConsole,
): Promise<Backend> {
  if (!BACKEND_CHOICES.includes(choice)) throw unknownName('backend', choice, BACKEND_CHOICES);
  if (choice === 'cpu') return openCpu();
  try {
    return await openWebGPU();
  } catch (error) {
    if (choice === 'webgpu' || !(error instanceof DownhillError) || error.code !== 'device') throw error;
    onFallback(error);
    return openCpu();
  }
}

/** Loaded here, so that a page with WebGPU does without. */
async function openCpu(): Promise<Backend> {
  const { createCpuBackend } = await import('../backend/cpu.ts');
  return createCpuBackend();
}

/**
 * Makes the backend of `choice` the default one, and returns it; in a browser, by `navigator.gpu`. The caller disposes
 * it.
 * @throws as `chooseBackend`.
 */
export async function useBackend(choice: BackendChoice = 'auto', onFallback?: OnFallback): Promise<Backend> {
  const backend = await chooseBackend(choice, () => requestWebGPUBackend(globalThis.navigator?.gpu), onFallback);
  setBackend(backend);
  return backend;
}

function warnOnConsole(reason: DownhillError): void {
  console.warn(`downhill: no WebGPU, so this runs on the CPU backend, which is MUCH slower. ${reason.message}`);
}

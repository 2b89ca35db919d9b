/**
 * The backend a command runs on. Whatever happens to the work, the device is released, so that the process can end.
 */

import type { Backend } from '../backend/backend.ts';
import type { NodeWebGPUOptions } from '../backend/webgpu.node.ts';
import { setBackend } from '../runtime/set-backend.ts';
import { openNodeWebGPU } from '../runtime/use-backend.node.ts';
import { chooseBackend } from '../runtime/use-backend.ts';
import type { Output } from './output.ts';

/**
 * Runs `work` on the backend that was asked for, or the best there is, as the default backend.
 * @param options of the WebGPU device.
 * @throws DownhillError `device` when WebGPU was asked for and cannot be had.
 */
export async function withBackend<T>(
  wanted: 'webgpu' | 'cpu' | undefined,
  output: Output,
  work: (backend: Backend) => Promise<T>,
  options?: NodeWebGPUOptions,
): Promise<T> {
  const open = () => openNodeWebGPU(options);
  const backend = await chooseBackend(wanted ?? 'auto', open, (reason) => {
    output.warn(
      `WARNING: no WebGPU adapter, so this runs on the CPU backend, which is MUCH slower.\n${reason.message}`,
    );
  });
  setBackend(backend);
  try {
    return await work(backend);
  } finally {
    setBackend(undefined);
    await backend.dispose();
  }
}

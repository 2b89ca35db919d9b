/**
 * Refuses a plan that the device cannot hold, before anything is allocated: other engines bind what is too large and
 * read zeros. The message names the buffer, its size, the limit and what would help.
 */

import { DownhillError } from '../util/errors.ts';
import { formatBytes } from '../util/text.ts';
import type { Plan } from './plan.ts';
import type { Target } from './target.ts';

/** @throws DownhillError `device`. */
export function checkFits(plan: Plan, target: Target): void {
  const largest = Math.min(target.maxStorageBufferBindingSize, target.maxBufferSize);
  for (const { bytes, label } of plan.buffers) {
    if (bytes <= largest) continue;
    throw new DownhillError(
      'device',
      `${plan.name}: "${label}" takes ${formatBytes(bytes)}; this device binds at most ${formatBytes(largest)} at once. A smaller batch size or a smaller layer fits`,
    );
  }
  for (const kernel of plan.kernels) {
    if (kernel.access.length <= target.maxStorageBuffersPerShaderStage) continue;
    throw new DownhillError(
      'device',
      `${plan.name}: kernel ${kernel.label} binds ${kernel.access.length} storage buffers; this device allows ${target.maxStorageBuffersPerShaderStage}`,
    );
  }
}

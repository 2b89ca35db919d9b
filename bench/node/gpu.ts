/**
 * WebGPU in Node for the benches: the classes become global (counting needs them), and the adapter is described.
 */

import { globals } from 'webgpu';
import type { WebGPUBackend } from '../../src/backend/webgpu/index.ts';
import { createNodeWebGPUBackend, type NodeWebGPUOptions } from '../../src/backend/webgpu.node.ts';

/** A backend, with WebGPU's classes in the global scope. */
export function openBackend(options: NodeWebGPUOptions = {}): Promise<WebGPUBackend> {
  Object.assign(globalThis, globals);
  return createNodeWebGPUBackend(options);
}

/**
 * WebGPU in Node for the benches: the classes become global (counting needs them), and the adapter is described.
 */

import { globals } from 'webgpu';
import { createNodeWebGPUBackend, type NodeWebGPUOptions } from '../../src/backend/webgpu.node.ts';
import type { WebGPUBackend } from '../../src/backend/webgpu.ts';

/** A backend, with WebGPU's classes in the global scope. */
export function openBackend(options: NodeWebGPUOptions = {}): Promise<WebGPUBackend> {
  Object.assign(globalThis, globals);
  return createNodeWebGPUBackend(options);
}

/** The WebGPU backend for browsers and Node; `webgpu.node.ts` finds the device in Node. */

export type { WebGPUBackend } from './webgpu/backend.ts';
export type { AdapterInfo, WaitObserver } from './webgpu/device.ts';
export {
  type AdapterOptions,
  adapterTypeOf,
  createWebGPUBackend,
  createWebGPUBackendFromAdapter,
  type DeviceOptions,
  type RequestOptions,
  requestWebGPUBackend,
} from './webgpu/request.ts';

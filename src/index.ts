/**
 * The public surface of downhill, for browsers and Node alike. Importing it does nothing: no device is looked for, no
 * global is touched; `downhill/node` adds what needs a file system.
 */

export type { Backend, BackendBuffer, BackendCounters, Program } from './backend/backend.ts';
export { type CpuOptions, createCpuBackend } from './backend/cpu.ts';
export { type DispatchTime, type ProfileOptions, profileProgram } from './backend/profile.ts';
export {
  type AdapterInfo,
  type AdapterOptions,
  createWebGPUBackend,
  createWebGPUBackendFromAdapter,
  type DeviceOptions,
  type RequestOptions,
  requestWebGPUBackend,
  type WebGPUBackend,
} from './backend/webgpu/index.ts';
export type { DType, TypedArray } from './core/dtype.ts';
export { type Aval, Tensor } from './core/tensor.ts';
export {
  type ArrayDataset,
  type ArrayDatasetInit,
  arrayDataset,
  type DataArray,
  select,
  split,
  type TrainTest,
  take,
} from './data/dataset.ts';
export { type DigitsOptions, digits } from './data/digits.ts';
export type { ByteCache, DownloadProgress } from './data/download.ts';
export { type IdxArray, readIdx } from './data/idx.ts';
export {
  type MnistBytes,
  type MnistDownloadOptions,
  type MnistName,
  mnistFromBytes,
  mnistFromUrl,
} from './data/mnist.ts';
export { type CompiledFunction, compile } from './runtime/compile-function.ts';
export { getBackend, setBackend } from './runtime/current-backend.ts';
export { evaluate } from './runtime/evaluate.ts';
export { leakReport } from './runtime/storage.ts';
export { type BackendChoice, type OnFallback, useBackend } from './runtime/use-backend.ts';
export {
  readSafetensors,
  type SafetensorsEntry,
  type SafetensorsFile,
  type SafetensorsInput,
  writeSafetensors,
} from './train/safetensors.ts';
export { DownhillError, type ErrorCode } from './util/errors.ts';

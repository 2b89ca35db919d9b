/**
 * From a `GPU` object, an adapter or a device to a backend. What an adapter grants beyond WebGPU's defaults is asked
 * for, and nothing is required of it: an adapter with the defaults alone works.
 */

import { type AdapterType, makeTarget, type Target } from '../../compile/target.ts';
import { environment } from '../../util/environment.ts';
import { DownhillError } from '../../util/errors.ts';
import { WebGPUBackend } from './backend.ts';
import { type AdapterInfo, DeviceContext, type WaitObserver } from './device.ts';

/** Limits raised to what the adapter grants: each lets a plan be larger or a kernel faster. */
const RAISED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
] as const satisfies readonly (keyof GPUSupportedLimits)[];

/** Features taken when they are there: timing, and candidates for faster kernels. */
const WANTED_FEATURES = [
  'timestamp-query',
  'shader-f16',
  'subgroups',
  'subgroup-size-control',
  'chromium-experimental-subgroup-matrix',
];

export interface AdapterOptions {
  /** Keep WebGPU's default limits and take no optional feature, whatever the adapter grants. */
  readonly defaultLimits?: boolean;
  /** Hears of the waits for a software adapter, which computes on the cores that polling would take. */
  readonly waits?: WaitObserver;
}

export interface RequestOptions extends AdapterOptions {
  /** Passed to requestAdapter; left out, the browser or driver chooses. */
  readonly powerPreference?: GPUPowerPreference;
  /** Appended to the message when there is no adapter: what the user of this platform can do. */
  readonly advice?: string;
}

export interface DeviceOptions {
  readonly device: GPUDevice;
  /** Left out, `device.adapterInfo` is used. */
  readonly adapterInfo?: AdapterInfo;
  /** True hands the device over: dispose() destroys it. False by default. */
  readonly ownsDevice?: boolean;
  /** As in AdapterOptions. */
  readonly waits?: WaitObserver;
}

/**
 * A backend on a device that the caller has. The device stays the caller's unless `ownsDevice`.
 * @throws DownhillError `argument` when `device` is none.
 */
export function createWebGPUBackend(options: DeviceOptions): WebGPUBackend {
  const { device, adapterInfo, ownsDevice = false, waits } = options;
  if (typeof device?.createComputePipelineAsync !== 'function') {
    throw new DownhillError('argument', 'createWebGPUBackend: `device` must be a GPUDevice');
  }
  const info: AdapterInfo = adapterInfo ?? device.adapterInfo ?? {};
  const target = targetOf(device, info);
  const description = describeAdapter(info);
  if (environment().debug >= 1) console.error(`device: ${description}, planned for as a ${target.adapterType} adapter`);
  const observer = target.sharesProcessor ? waits : undefined;
  return new WebGPUBackend(new DeviceContext(device, description, target, ownsDevice, observer));
}

/** A backend on a new device of `adapter`. @throws DownhillError `device` when the adapter gives none. */
export async function createWebGPUBackendFromAdapter(
  adapter: GPUAdapter,
  { defaultLimits = false, waits }: AdapterOptions = {},
): Promise<WebGPUBackend> {
  const requiredLimits: Record<string, number> = {};
  const requiredFeatures: GPUFeatureName[] = [];
  if (!defaultLimits) {
    for (const name of RAISED_LIMITS) {
      if (adapter.limits[name] !== undefined) requiredLimits[name] = adapter.limits[name];
    }
    for (const name of WANTED_FEATURES) {
      if (adapter.features.has(name)) requiredFeatures.push(name as GPUFeatureName);
    }
  }
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice({ label: 'downhill', requiredLimits, requiredFeatures });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new DownhillError('device', `${describeAdapter(adapter.info)} gave no device: ${message}`, { cause });
  }
  return createWebGPUBackend({ device, adapterInfo: adapter.info, ownsDevice: true, ...(waits && { waits }) });
}

/**
 * A backend on an adapter of `gpu` (in a browser `navigator.gpu`).
 * @throws DownhillError `device` when there is no WebGPU or no adapter.
 */
export async function requestWebGPUBackend(gpu: GPU | undefined, options: RequestOptions = {}): Promise<WebGPUBackend> {
  const advice = options.advice ?? 'update the browser and its GPU driver, or use the CPU backend: createCpuBackend()';
  if (typeof gpu?.requestAdapter !== 'function') {
    throw new DownhillError('device', `this environment has no WebGPU; ${advice}`);
  }
  const { powerPreference } = options;
  let adapter: GPUAdapter | null;
  let reason = '';
  try {
    adapter = await gpu.requestAdapter(powerPreference === undefined ? {} : { powerPreference });
  } catch (cause) {
    adapter = null;
    reason = ` (${cause instanceof Error ? cause.message : String(cause)})`;
  }
  if (adapter === null) throw new DownhillError('device', `WebGPU found no adapter${reason}; ${advice}`);
  return createWebGPUBackendFromAdapter(adapter, options);
}

/** What plans for `device` are made for. */
function targetOf(device: GPUDevice, info: AdapterInfo): Target {
  const { limits, features } = device;
  return makeTarget(adapterTypeOf(info), {
    maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    maxBufferSize: limits.maxBufferSize,
    maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
    maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
    subgroupSize: subgroupSizeOf(device, info),
    f16: features.has('shader-f16'),
  });
}

/** `software` for adapters that compute on the processor (llvmpipe, SwiftShader, WARP). */
export function adapterTypeOf(info: AdapterInfo): AdapterType {
  if (info.isFallbackAdapter === true) return 'software';
  const text = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`;
  return /llvmpipe|lavapipe|swiftshader|software|basic render/i.test(text) ? 'software' : 'hardware';
}

/** Invocations of a subgroup, when `device` may use them and all have one size; else null. */
function subgroupSizeOf(device: GPUDevice, { subgroupMinSize, subgroupMaxSize }: AdapterInfo): number | null {
  const known = device.features.has('subgroups') && subgroupMinSize !== undefined;
  return known && subgroupMinSize === subgroupMaxSize ? subgroupMinSize : null;
}

/** The adapter in the words that a person knows it by. */
export function describeAdapter(info: AdapterInfo): string {
  if (info.description !== undefined && info.description !== '') return info.description;
  const parts = [info.vendor, info.architecture, info.device].filter((part) => part !== undefined && part !== '');
  return parts.length === 0 ? 'unnamed WebGPU adapter' : parts.join(' ');
}

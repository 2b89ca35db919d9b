/**
 * `downhill info`: what this machine offers: versions, the adapter with its features and limits, which backends work.
 * A missing adapter is an answer, not a failure.
 */

import os from 'node:os';
import type { Backend } from '../../backend/backend.ts';
import { createNodeWebGPUBackend } from '../../backend/webgpu.node.ts';
import type { AdapterType } from '../../compile/target.ts';
import { findStoredTuning } from '../../tune/store.node.ts';
import { cacheFolder } from '../../util/cache-folder.node.ts';
import { environment } from '../../util/environment.ts';
import { DownhillError } from '../../util/errors.ts';
import { formatBytes } from '../../util/text.ts';
import { COMMON_OPTIONS, defineCommand } from '../command.ts';
import { columns } from '../output.ts';
import { packageVersion, webgpuVersion } from '../versions.ts';

interface AdapterReport {
  readonly name: string;
  readonly type: AdapterType;
  readonly vendor: string;
  readonly architecture: string;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  readonly tuning: TuningReport;
}

interface TuningReport {
  readonly path: string;
  /** `off`: one is stored, and DOWNHILL_TUNING=off says not to use it. */
  readonly state: 'none' | 'used' | 'off' | 'outdated' | 'corrupt';
  /** Kernels with a tile of their own. */
  readonly kernels: number;
  /** Why a stored one is not used. */
  readonly reason?: string;
}

type Availability =
  | { readonly available: true; readonly adapter: AdapterReport }
  | { readonly available: false; readonly reason: string };

export const info = defineCommand({
  name: 'info',
  doc: 'versions, adapter, features and limits of this machine',
  example: 'info --json',
  options: COMMON_OPTIONS,
  async run(_values, output) {
    const webgpu = await probeWebGPU();
    const report = {
      downhill: packageVersion(),
      node: process.versions.node,
      webgpu: webgpuVersion() ?? null,
      platform: `${process.platform} ${process.arch}`,
      cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
      cores: os.cpus().length,
      memoryBytes: os.totalmem(),
      cacheFolder: cacheFolder(),
      backends: { webgpu, cpu: { available: true } },
    };
    output.result(report, [
      ...columns([
        ['downhill', report.downhill],
        ['node', `${report.node} on ${report.platform}`],
        ['webgpu', report.webgpu ?? 'not installed'],
        ['cpu', `${report.cpu}, ${report.cores} cores, ${formatBytes(report.memoryBytes)}`],
        ['cache', report.cacheFolder],
      ]),
      '',
      ...describe(webgpu),
    ]);
    return 0;
  },
});

async function probeWebGPU(): Promise<Availability> {
  try {
    const backend = await createNodeWebGPUBackend();
    const { device, description, target } = backend;
    const adapter: AdapterReport = {
      name: description,
      type: target.adapterType,
      vendor: device.adapterInfo?.vendor ?? '',
      architecture: device.adapterInfo?.architecture ?? '',
      features: [...device.features].sort(),
      limits: limitsOf(device.limits),
      tuning: await tuningOf(backend),
    };
    await backend.dispose();
    return { available: true, adapter };
  } catch (error) {
    if (error instanceof DownhillError && error.code === 'device') return { available: false, reason: error.message };
    throw error;
  }
}

async function tuningOf(backend: Backend): Promise<TuningReport> {
  const stored = await findStoredTuning(backend);
  const { path, state } = stored;
  if (state === 'none') return { path, state, kernels: 0 };
  if (state !== 'usable') return { path, state, kernels: 0, reason: stored.reason };
  const kernels = Object.keys(stored.tuning.entries).length;
  if (environment().tuning) return { path, state: 'used', kernels };
  return { path, state: 'off', kernels, reason: 'DOWNHILL_TUNING=off' };
}

function describeTuning({ path, state, kernels, reason }: TuningReport): string {
  if (state === 'none') return 'tuning: none; `downhill tune` times kernels on this adapter and keeps the fastest';
  if (state === 'used') return `tuning: ${kernels} kernels, ${path}`;
  // The reason may name the file.
  return `tuning: stored and not used (${reason})${reason?.includes(path) ? '' : `, ${path}`}`;
}

/** Limits are getters of the prototype, so they have to be read one by one. */
function limitsOf(limits: GPUSupportedLimits): Record<string, number> {
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(limits)).concat(Object.keys(limits));
  const values: Record<string, number> = {};
  for (const name of [...new Set(names)].sort()) {
    const value = limits[name as keyof GPUSupportedLimits];
    if (typeof value === 'number') values[name] = value;
  }
  return values;
}

function describe(webgpu: Availability): string[] {
  if (!webgpu.available) return [`WebGPU is not available: ${webgpu.reason}`, 'The CPU backend is.'];
  const { name, type, features, limits, tuning } = webgpu.adapter;
  return [
    `adapter: ${name}${type === 'software' ? ' (software)' : ''}`,
    describeTuning(tuning),
    `features: ${features.join(', ') || 'none'}`,
    'limits:',
    ...columns(
      Object.entries(limits).map(([limit, value]) => [`  ${limit}`, String(value)]),
      [1],
    ),
  ];
}

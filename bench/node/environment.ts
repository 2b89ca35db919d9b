/**
 * Where and when figures were taken: adapter, versions, processor, and how busy the machine was. Figures without these
 * cannot be compared.
 */

import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { packageVersion, webgpuVersion } from '../../src/cli/versions.ts';
import { openBackend } from './gpu.ts';

export interface Environment {
  readonly adapter: string;
  readonly adapterType: string;
  readonly features: readonly string[];
  readonly downhill: string;
  readonly commit: string;
  readonly webgpu: string;
  readonly node: string;
  readonly platform: string;
  readonly processor: string;
  readonly cores: number;
}

export async function readEnvironment(): Promise<Environment> {
  const backend = await openBackend();
  const { description, target, device } = backend;
  const features = [...device.features].sort();
  await backend.dispose();
  return {
    adapter: description,
    adapterType: target.adapterType,
    features,
    downhill: packageVersion(),
    commit: commit(),
    webgpu: webgpuVersion() ?? 'unknown',
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
  };
}

/** Processes that wanted to run, on average over the last minute. */
export function loadAverage(): number {
  return loadavg()[0];
}

function commit(): string {
  try {
    const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim();
    const changed = git('status', '--porcelain', '--', 'src', 'shaders') === '' ? '' : ' with changes';
    return `${git('rev-parse', '--short', 'HEAD')}${changed}`;
  } catch {
    return 'unknown';
  }
}

/**
 * WebGPU in Node, through the `webgpu` package (Dawn). The package is loaded when a backend is asked for, so that
 * nothing else needs it installed, and bundles for browsers never see it.
 *
 * Invariant: what `create` returns lives as long as this module; Dawn crashes the process when it is collected.
 */

import { DownhillError } from '../util/errors.ts';
import { PollingBackoff } from './polling-backoff.node.ts';
import type { WebGPUBackend } from './webgpu/backend.ts';
import { type RequestOptions, requestWebGPUBackend } from './webgpu.ts';

const DRIVERS = `Without a GPU, Mesa's software driver works:
  Debian 12: echo 'deb http://deb.debian.org/debian bookworm-backports main' | sudo tee /etc/apt/sources.list.d/backports.list
             sudo apt-get update && sudo apt-get install -t bookworm-backports mesa-vulkan-drivers
  Ubuntu 24.04, Debian 13: sudo apt-get install mesa-vulkan-drivers
(Dawn refuses Mesa older than 23; macOS and Windows need nothing installed)`;
const ADVICE = `install a Vulkan driver, or run on the CPU backend (--backend cpu).\n${DRIVERS}`;

/** Switches of Dawn by name; an unknown one is ignored in silence. */
export interface DawnToggles {
  readonly enable?: readonly string[];
  readonly disable?: readonly string[];
}

export interface NodeWebGPUOptions extends RequestOptions {
  readonly toggles?: DawnToggles;
  /** Part of the name of the adapter to use, when there are several. */
  readonly adapterName?: string;
}

/** For profiles: timestamps as fine as the driver gives them, and advice for who has no adapter to profile. */
export const FOR_PROFILES: NodeWebGPUOptions = {
  toggles: { disable: ['timestamp_quantization'] },
  advice: `a profile needs a GPU or a driver that acts as one. Install a Vulkan driver.\n${DRIVERS}`,
};

/** One for all backends: two that wait at the same time do not sleep twice in a turn of the event loop. */
const backoff = new PollingBackoff();

/** One Dawn instance per set of flags, kept for good: see the invariant above. */
const instances = new Map<string, GPU>();

/**
 * A backend on the machine's adapter.
 * @throws DownhillError `device` when the `webgpu` package or an adapter is missing; the message says what to install.
 */
export async function createNodeWebGPUBackend(options: NodeWebGPUOptions = {}): Promise<WebGPUBackend> {
  const { enable = [], disable = [] } = options.toggles ?? {};
  const flags: string[] = [];
  if (enable.length > 0) flags.push(`enable-dawn-features=${enable.join(',')}`);
  if (disable.length > 0) flags.push(`disable-dawn-features=${disable.join(',')}`);
  if (options.adapterName !== undefined) flags.push(`adapter=${options.adapterName}`);
  return requestWebGPUBackend(await instance(flags), { advice: ADVICE, waits: backoff, ...options });
}

/**
 * A backend on Dawn's null device: it compiles WGSL and checks every call, on a machine without any GPU, and computes
 * nothing (reads give zeros).
 */
export async function createDawnNullBackend(options: RequestOptions = {}): Promise<WebGPUBackend> {
  return requestWebGPUBackend(await instance(['backend=null']), options);
}

async function instance(flags: readonly string[]): Promise<GPU> {
  const key = flags.join(' ');
  let gpu = instances.get(key);
  if (gpu === undefined) {
    let create: (flags: string[]) => GPU;
    try {
      ({ create } = await import('webgpu'));
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new DownhillError('device', `the package "webgpu" could not be loaded: npm install webgpu (${message})`, {
        cause,
      });
    }
    gpu = create([...flags]);
    instances.set(key, gpu);
  }
  return gpu;
}

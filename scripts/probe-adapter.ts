/**
 * Asks the `webgpu` package for an adapter, in a child process: a driver that is missing or broken may print, hang or
 * crash in native code, and must not take its caller along. Run by itself, this file is that child.
 */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runScript } from './run-script.ts';

export type Probe =
  /** An adapter that gives a device. */
  | { readonly kind: 'adapter'; readonly name: string }
  /** Dawn runs and finds no adapter; `why` is what it said of each driver it looked at. */
  | { readonly kind: 'none'; readonly why: string }
  /** Dawn itself does not run here, or its adapter gives no device. */
  | { readonly kind: 'broken'; readonly why: string };

const TIMEOUT_MS = 60_000;

/** What a process started now would find. */
export function probeAdapter(): Probe {
  const file = fileURLToPath(import.meta.url);
  const child = spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), file], {
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
  });
  // The driver may print to stdout too: the answer is the last line, and only as JSON of ours.
  const line = child.stdout?.trim().split('\n').at(-1) ?? '';
  if (child.status === 0 && line.startsWith('{"kind":')) {
    const answer = JSON.parse(line) as Probe;
    return answer.kind === 'none' ? { ...answer, why: dawnWarnings(child.stderr) } : answer;
  }
  const how = child.error?.message ?? (child.signal ? `killed by ${child.signal}` : `exit status ${child.status}`);
  return { kind: 'broken', why: `${how}\n${child.stderr?.trim() ?? ''}`.trim() };
}

/** Dawn's warnings without the places in its own source that they come from. */
function dawnWarnings(stderr: string): string {
  return stderr
    .split('\n')
    .filter((line) => /^(Warning:| - )/.test(line))
    .join('\n');
}

/** At module scope, or the process dies when it is collected while an adapter lives. */
let gpu: GPU | undefined;

async function probe(): Promise<Probe> {
  try {
    const { create } = await import('webgpu');
    gpu = create([]);
    const adapter = await gpu.requestAdapter({});
    if (!adapter) return { kind: 'none', why: '' };
    const { description, device, vendor, architecture } = adapter.info;
    const gpuDevice = await adapter.requestDevice();
    gpuDevice.destroy();
    return { kind: 'adapter', name: description || device || `${vendor} ${architecture}` };
  } catch (error) {
    return { kind: 'broken', why: error instanceof Error ? error.message : String(error) };
  }
}

runScript(import.meta.url, async () => {
  console.log(JSON.stringify(await probe()));
});

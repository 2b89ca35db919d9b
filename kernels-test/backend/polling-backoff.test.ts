/**
 * Polling backoff: while something is awaited, turns of the event loop are few; afterwards there are none that keep a
 * process alive.
 */

import { describe, expect, test } from 'vitest';
import { PollingBackoff } from '../../src/backend/polling-backoff.node.ts';
import { DeviceContext } from '../../src/backend/webgpu/device.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';
import { adapterTypeOf, type WaitObserver } from '../../src/backend/webgpu.ts';
import { DEFAULT_TARGET } from '../../src/compile/target.ts';

/** Turns of the event loop in `ms` milliseconds. */
function turnsIn(ms: number): Promise<number> {
  const end = performance.now() + ms;
  let turns = 0;
  return new Promise((resolve) => {
    const turn = (): void => {
      turns++;
      if (performance.now() >= end) resolve(turns);
      else setImmediate(turn);
    };
    setImmediate(turn);
  });
}

/** Whether the loop spins: the best of ten windows, as a busy machine may hold the process up for all of one. */
async function spins(): Promise<boolean> {
  for (let window = 0; window < 10; window++) if ((await turnsIn(100)) > FEW) return true;
  return false;
}

/** More than pauses of growing length leave room for in 100 ms, and far fewer than a loop that spins makes. */
const FEW = 400;

describe('polling backoff', () => {
  test('few turns of the event loop while somebody waits, many when nobody does', async () => {
    const backoff = new PollingBackoff();
    expect(await spins()).toBe(true);
    backoff.begin();
    backoff.begin();
    backoff.end();
    expect(await turnsIn(100)).toBeLessThan(FEW);
    backoff.end();
    expect(await spins()).toBe(true);
    backoff.begin();
    expect(await turnsIn(100)).toBeLessThan(FEW);
    backoff.end();
  });

  test('a wait that fails has ended too', async () => {
    const told: string[] = [];
    const waits: WaitObserver = { begin: () => void told.push('begin'), end: () => void told.push('end') };
    const device = { addEventListener: () => undefined, lost: new Promise(() => undefined) } as unknown as GPUDevice;
    const context = new DeviceContext(device, 'none', DEFAULT_TARGET, false, waits);
    await expect(context.wait(Promise.reject(new Error('gone')))).rejects.toThrow('gone');
    expect(told).toEqual(['begin', 'end']);
  });

  test('a backend on a software adapter tells of each wait, at its begin and end; one on a GPU of none', async () => {
    const told: string[] = [];
    const waits: WaitObserver = { begin: () => void told.push('begin'), end: () => void told.push('end') };
    const backend = await createNodeWebGPUBackend({ waits });
    const buffer = backend.createBuffer(4, 'f32', 'some');
    backend.write(buffer, new Float32Array([1, 2, 3, 4]));
    const pending = backend.read(buffer, 'f32');
    const { target, description } = backend;
    expect(target.adapterType).toBe(adapterTypeOf({ description }));
    if (target.adapterType === 'hardware') expect(told).toEqual([]);
    else expect(told).toContain('begin');
    await pending;
    await backend.finish();
    const ends = told.filter((word) => word === 'end');
    expect(ends).toHaveLength(told.length / 2);
    buffer.dispose();
    await backend.dispose();
  });
});

/** What the tests of several pages do to a page, and ask of it. */

import type { Page } from 'playwright-core';
import { expect } from '../browser/page/check.ts';

/** Init script: the page finds no WebGPU. */
export const NO_WEBGPU = `Object.defineProperty(Navigator.prototype, 'gpu', { get: () => undefined });`;

/** Init script: keeps how long tasks of the page's own thread took; only those over 50 ms are told by browsers. */
export const keepLongTasks = `
  window.longTasks = [];
  new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: 'longtask' });
`;

/**
 * Waits for a second and a half in which no task of the page's own thread took over 50 ms, eight times at most. On a shared
 * machine any task may be held up by other programs; what the page itself does comes again in each of the windows.
 * @returns the longest task of each window, 0 where none took over 50 ms.
 */
export async function calmWindow(page: Page): Promise<number[]> {
  const longest: number[] = [];
  for (let attempt = 0; attempt < 8 && longest.at(-1) !== 0; attempt++) {
    await page.evaluate('window.longTasks.length = 0');
    await page.waitForTimeout(1500);
    longest.push(Number(await page.evaluate('Math.max(0, ...window.longTasks)')));
  }
  return longest;
}

/** Destroys the device of the page's worker at the next commands that it encodes. */
export async function loseDevice(page: Page): Promise<void> {
  const [worker] = page.workers();
  expect(worker !== undefined, 'the page has no worker');
  await worker.evaluate(() => {
    const { prototype } = GPUDevice;
    const original = prototype.createCommandEncoder;
    prototype.createCommandEncoder = function (...args) {
      prototype.createCommandEncoder = original;
      const encoder = original.apply(this, args);
      this.destroy();
      return encoder;
    };
  });
}

/** By how many pixels the page is wider than the window. */
export function sidewaysPixels(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

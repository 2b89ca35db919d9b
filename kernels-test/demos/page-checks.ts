/** What the tests of several pages do to a page, and ask of it. */

import type { Page } from 'playwright-core';
import { expect } from '../browser/page/check.ts';

/** Init script: the page finds no WebGPU. */
export const NO_WEBGPU = `Object.defineProperty(Navigator.prototype, 'gpu', { get: () => undefined });`;

/** A reload cuts off the request for the icon that follows a change of the address; no fault of the page. */
export const CUT_OFF_BY_RELOAD = /icon\.svg \(failed\)/;

/** Init script: keeps how long tasks of the page's own thread took; only those over 50 ms are told by browsers. */
export const keepLongTasks = `
  window.longTasks = [];
  new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: 'longtask' });
`;

/**
 * Checks that no task of the page's own thread takes 50 ms: a second and a half in which the browser tells of none, of
 * three. Where other programs hold every task up (a shared machine), what counts is the processor's time of the longest
 * task.
 * @returns what was found. @throws Error when the page itself works for 50 ms in one task.
 */
export async function checkSmooth(page: Page): Promise<string> {
  const longest: number[] = [];
  for (let attempt = 0; attempt < 3; attempt++) {
    await page.evaluate('window.longTasks.length = 0');
    await page.waitForTimeout(1500);
    longest.push(Number(await page.evaluate('Math.max(0, ...window.longTasks)')));
    if (longest.at(-1) === 0) return `no long task in window ${attempt + 1}`;
  }
  const work = await longestWork(page, 2000);
  const found = `longest tasks ${longest} ms by the clock, ${work.toFixed(1)} ms of the processor`;
  expect(work < 50, found);
  return found;
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds of the processor. */
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/** Milliseconds of the processor that the longest task of the page's thread took, within `ms` from now. */
async function longestWork(page: Page, ms: number): Promise<number> {
  const browser = page.context().browser()!;
  await browser.startTracing(page, { categories: ['toplevel', '__metadata'] });
  await page.waitForTimeout(ms);
  const trace = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const thread = ({ pid, tid }: TraceEvent): string => `${pid}/${tid}`;
  const isMain = (event: TraceEvent) => event.name === 'thread_name' && event.args.name === 'CrRendererMain';
  const mains = new Set(trace.traceEvents.filter(isMain).map(thread));
  const tasks = trace.traceEvents.filter((event) => event.name.endsWith('::RunTask') && mains.has(thread(event)));
  expect(tasks.length > 0, 'the trace of the browser has no tasks of the page');
  return Math.max(...tasks.map(({ tdur = 0 }) => tdur)) / 1000;
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

/** From now on, keeps what the element `id` says. */
export async function keepWords(page: Page, id: string): Promise<void> {
  await page.evaluate((wanted) => {
    const said: string[] = [];
    (globalThis as unknown as { said: string[] }).said = said;
    const element = document.getElementById(wanted)!;
    new MutationObserver(() => said.push(element.textContent!)).observe(element, { childList: true });
  }, id);
}

/** Checks that the page said something since, and nothing of compiling or of kernels: the CPU has none. */
export async function checkNoCompiling(page: Page): Promise<void> {
  const said = await page.evaluate(() => (globalThis as unknown as { said: string[] }).said);
  expect(said.length > 0 && !said.some((words) => /compil|kernel/i.test(words)), `it said ${said.join(' | ')}`);
}

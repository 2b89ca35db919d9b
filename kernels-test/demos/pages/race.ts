/**
 * CPU against GPU: the two trainings agree step by step, can be paused, resumed and reset, and say when they do not
 * agree.
 */

import type { Page } from 'playwright-core';
import { expect } from '../../browser/page/check.ts';
import { breakKernels } from '../break-kernels.ts';
import { checkNoCompiling, checkSmooth, keepWords, sidewaysPixels } from '../page-checks.ts';
import type { Site } from '../site.ts';

const TOLERANCE = 1e-3;
const LIMIT_MS = 150_000;

export async function test(site: Site): Promise<void> {
  const { check } = site;
  const visit = await site.visit('race');
  const { page } = visit;

  await check('race: a small CNN’s losses agree within 1e-3 over 50 steps on both backends', async () => {
    await page.evaluate(watchLongTasks);
    await page.click('#play');
    await done(page);
    const { largest, compared, drift, gpuSteps, cpuSteps } = await figures(page);
    expect(compared === '50', `${compared} steps were compared`);
    expect(gpuSteps === '50 of 50' && cpuSteps === '50 of 50', `GPU ${gpuSteps}, CPU ${cpuSteps}`);
    expect(Number(largest) > 0 && Number(largest) <= TOLERANCE, `the losses differ by ${largest}`);
    expect(drift === 'never', `drift: ${drift}`);
    return `largest relative difference ${largest}`;
  });

  await check('race: both learn, and speeds and their ratio are shown', async () => {
    const label = (await page.locator('#losses [role=img]').getAttribute('aria-label')) ?? '';
    const last = [...label.matchAll(/[GC]PU (\d+\.\d+)/g)].map(([, loss]) => Number(loss));
    expect(last.length === 2 && last.every((loss) => loss < 2), `last losses in "${label}"`);
    const { gpuRate, cpuRate, gpuSamples, ratio } = await figures(page);
    expect(Number(gpuRate) > 0 && Number(cpuRate) > 0, `steps a second: ${gpuRate}, ${cpuRate}`);
    expect(Math.abs(Number(gpuSamples) / Number(gpuRate) / 32 - 1) < 0.02, `${gpuSamples} digits at ${gpuRate} steps`);
    const factor = Number(/The [GC]PU is ([\d.]+) times as fast/.exec(ratio)?.[1]);
    const expected = Math.max(Number(gpuRate) / Number(cpuRate), Number(cpuRate) / Number(gpuRate));
    expect(Math.abs(factor / expected - 1) < 0.02, `"${ratio}" for ${gpuRate} and ${cpuRate}`);
    return `last losses ${last.join(' and ')}; ${gpuRate} and ${cpuRate} steps/s`;
  });

  await check('race: drawing it costs the main thread little', async () => {
    const longTasks = await page.evaluate(() => (globalThis as unknown as LongTasks).longTasks);
    // The times are the clock's: on a busy machine a task may be long without doing much; another race then decides.
    if (longTasks.length > 3) {
      await page.click('#play');
      const found = await checkSmooth(page);
      await page.click('#reset');
      return `${longTasks.length} tasks over 50 ms by the clock; then ${found}`;
    }
    return `tasks over 50 ms: ${longTasks.map((ms) => `${ms.toFixed(0)} ms`).join(', ') || 'none'}`;
  });
  await visit.screenshot('race-light');

  await check('race: pause holds both, resume goes on, reset empties the page', async () => {
    await page.fill('[name=steps]', '400');
    await page.selectOption('[name=model]', 'mlpSmall');
    await page.click('#play');
    await page.waitForFunction(
      () => Number.parseInt(document.getElementById('cpu-steps')!.textContent!, 10) >= 3,
      undefined,
      {
        timeout: LIMIT_MS,
      },
    );
    await page.click('#play');
    await page.waitForTimeout(1500);
    const held = await figures(page);
    await page.waitForTimeout(1500);
    const later = await figures(page);
    expect(held.gpuSteps === later.gpuSteps && held.cpuSteps === later.cpuSteps, 'steps ended while it was paused');
    expect((await page.textContent('#play')) === 'Resume', 'the button does not say Resume');
    await page.click('#play');
    await page.waitForFunction(
      (before) => Number.parseInt(document.getElementById('cpu-steps')!.textContent!, 10) > before,
      Number.parseInt(held.cpuSteps, 10),
      { timeout: LIMIT_MS },
    );
    await page.click('#reset');
    const empty = await figures(page);
    expect(empty.cpuSteps === '–' && empty.compared === '–', 'figures are left after a reset');
    expect((await page.textContent('#play')) === 'Start', 'the button does not say Start');
    return `paused at ${held.gpuSteps} (GPU) and ${held.cpuSteps} (CPU)`;
  });

  await check('race: a setting that makes no sense is refused before anything runs', async () => {
    await page.fill('[name=batchSize]', '0');
    await page.click('#play');
    expect((await page.textContent('#play')) !== 'Pause', 'it runs with batches of 0 digits');
    const focused = await page.evaluate(() => document.activeElement?.getAttribute('name'));
    expect(focused === 'batchSize', `the focus is on ${focused}`);
  });
  await visit.close();

  const phone = await site.visit('race', { width: 380, height: 800, colorScheme: 'dark' });
  await check('race: fits a phone; with one lane after the other the CPU waits for the GPU', async () => {
    await phone.page.selectOption('[name=order]', 'apart');
    await phone.page.selectOption('[name=model]', 'mlpSmall');
    await phone.page.fill('[name=steps]', '12');
    await phone.page.click('#play');
    await phone.page.waitForFunction(
      () => /^[1-9]/.test(document.getElementById('cpu-steps')!.textContent!),
      undefined,
      {
        timeout: LIMIT_MS,
      },
    );
    expect((await figures(phone.page)).gpuSteps === '12 of 12', 'the CPU began before the GPU was done');
    const sideways = await sidewaysPixels(phone.page);
    expect(sideways <= 0, `${sideways} pixels wider than the window`);
  });
  await phone.screenshot('race-phone-dark');
  await phone.close();

  await drifting(site);
  await withoutWebGPU(site);
}

async function drifting(site: Site): Promise<void> {
  const visit = await site.visit('race');
  const { page } = visit;
  await site.check('race: lanes that drift apart are found, with the step', async () => {
    // Adam's denominator of the GPU lane, one per cent too large: the first loss is right, later ones are not.
    await breakKernels(page, { worker: 'lane.worker', pattern: /sqrt\(/g, replacement: '1.01 * sqrt(' });
    await page.selectOption('[name=model]', 'mlpSmall');
    await page.fill('[name=steps]', '30');
    await page.click('#play');
    await done(page);
    const { drift, largest } = await figures(page);
    const step = Number(/^from step (\d+)$/.exec(drift)?.[1]);
    expect(step > 1 && Number(largest) > TOLERANCE, `drift: "${drift}", largest difference ${largest}`);
    const state = (await page.textContent('#state')) ?? '';
    expect(state.includes(`step ${step}`), `the page says "${state}", the figure "${drift}"`);
    return `${drift}, largest difference ${largest}`;
  });
  await visit.close();
}

async function withoutWebGPU(site: Site): Promise<void> {
  const initScript = "Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined })";
  const visit = await site.visit('race', { initScript });
  await site.check('race: without WebGPU the CPU is offered, and runs alone on consent', async () => {
    const { page } = visit;
    expect(await page.locator('#play').isDisabled(), 'the race can start without WebGPU');
    await page.click('#no-webgpu button');
    await page.selectOption('[name=model]', 'mlpSmall');
    await page.fill('[name=steps]', '3');
    await keepWords(page, 'state');
    await page.click('#play');
    await done(page);
    await checkNoCompiling(page);
    const { gpuSteps, cpuSteps, compared } = await figures(page);
    expect(
      gpuSteps === '–' && cpuSteps === '3 of 3' && compared === '–',
      JSON.stringify({ gpuSteps, cpuSteps, compared }),
    );
    expect(
      ((await page.textContent('#device')) ?? '').includes('CPU'),
      'the page does not say that it runs on the CPU',
    );
  });
  await visit.close();
}

async function done(page: Page): Promise<void> {
  const isDone = () => document.getElementById('state')!.textContent!.startsWith('Done');
  await page.waitForFunction(isDone, undefined, { timeout: LIMIT_MS });
}

interface LongTasks {
  longTasks: number[];
}

function watchLongTasks(): void {
  const kept = globalThis as unknown as LongTasks;
  kept.longTasks = [];
  new PerformanceObserver((list) => {
    kept.longTasks.push(...list.getEntries().map(({ duration }) => duration));
  }).observe({ type: 'longtask' });
}

async function figures(page: Page) {
  const text = async (id: string): Promise<string> => (await page.textContent(`#${id}`)) ?? '';
  return {
    largest: await text('largest'),
    compared: await text('compared'),
    drift: await text('drift'),
    gpuSteps: await text('gpu-steps'),
    cpuSteps: await text('cpu-steps'),
    gpuRate: await text('gpu-rate'),
    cpuRate: await text('cpu-rate'),
    gpuSamples: await text('gpu-samples'),
    ratio: await text('ratio'),
  };
}

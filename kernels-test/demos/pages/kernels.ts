/**
 * The Kernels page: ceilings first, then rows with per cent of them, sorted, stopped and exported; and steps beside
 * TensorFlow.js and jax-js, with the losses compared before a time is shown.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { build } from 'vite';
import type { Ceilings } from '../../../bench/core/ceilings.ts';
import type { Comparison } from '../../../bench/core/compare-engines.ts';
import type { KernelRow } from '../../../bench/core/kernel-rows.ts';
import { expect } from '../../browser/page/check.ts';
import { breakKernels } from '../break-kernels.ts';
import type { Site } from '../site.ts';

const LIMIT_MS = 240_000;
const PARITY = 1e-3;
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

interface Results {
  readonly adapter: { readonly name: string; readonly limits: Readonly<Record<string, number>> };
  readonly ceilings: Ceilings;
  readonly rows: readonly KernelRow[];
  readonly steps: readonly Comparison[];
}

export async function test(site: Site): Promise<void> {
  await rows(site);
  await steps(site);
  await otherLosses(site);
  await peersFromElsewhere(site);
  await withoutWebGPU(site);
}

async function rows(site: Site): Promise<void> {
  const { check } = site;
  const visit = await site.visit('kernels');
  const { page } = visit;

  await check('kernels: the adapter and its limits are shown', async () => {
    await page.waitForFunction(() => document.getElementById('adapter-name')!.textContent !== '–');
    const [name, buffer, threads] = await texts(page, ['adapter-name', 'adapter-buffer', 'adapter-threads']);
    expect(
      /swiftshader/i.test(name) && /\d+ [GM]iB/.test(buffer) && Number(threads) >= 256,
      `${name}, ${buffer}, ${threads}`,
    );
    return `${name}, ${buffer}, ${threads} threads`;
  });

  await check('kernels: a filter that fits no op is answered', async () => {
    await page.fill('#filter', 'no such op');
    await page.click('#measure');
    await page.waitForFunction(() => document.getElementById('state')!.textContent!.startsWith('No op'));
    expect(await page.locator('#measure').isEnabled(), 'Measure stays off');
  });

  await check('kernels: ceilings come first, then the rows with their share of them', async () => {
    await page.fill('#filter', 'max');
    await page.click('#measure');
    await page.waitForFunction(() => document.getElementById('product')!.textContent !== '–', undefined, {
      timeout: LIMIT_MS,
    });
    await stateBegins(page, 'Done');
    const { ceilings, rows, adapter } = await download(page);
    expect(ceilings.readGBs > 0 && ceilings.copyGBs > 0 && ceilings.gemmGFlops > 0, JSON.stringify(ceilings));
    expect(ceilings.registerGFlops > ceilings.gemmGFlops / 2, 'multiply-adds are slower than half a product');
    expect(adapter.limits.maxBufferSize > 0, 'no limits in the JSON');
    const shown = await page.locator('#rows tbody tr').count();
    expect(rows.length >= 3 && rows.length === shown, `${rows.length} rows in the JSON, ${shown} on the page`);
    const wrong = rows.filter(
      ({ op, ms, percent }) => !op.includes('max') || !(ms > 0) || !(percent > 0 && percent < 200),
    );
    expect(wrong.length === 0, JSON.stringify(wrong));
    const figures = rows.map(({ op, percent, clock }) => `${op} ${percent.toFixed(0)} % (${clock})`);
    return `${ceilings.copyGBs.toFixed(1)} GB/s, ${ceilings.gemmGFlops.toFixed(1)} GFLOP/s; ${figures.join(', ')}`;
  });

  await check('kernels: a press on a title sorts, another one turns it round', async () => {
    const title = page.locator('#rows th button', { hasText: '% of ceiling' });
    const column = () => page.locator('#rows tbody td:nth-child(6)').allTextContents();
    await title.click();
    await page.waitForTimeout(100);
    const falling = (await column()).map(Number);
    await title.click();
    await page.waitForTimeout(100);
    const rising = (await column()).map(Number);
    expect(
      falling.every((value, k) => k === 0 || value <= falling[k - 1]),
      `not falling: ${falling}`,
    );
    expect(rising.join() === [...falling].reverse().join(), `${rising} is not ${falling} turned round`);
    const sort = await page.locator('#rows th:nth-child(6)').getAttribute('aria-sort');
    expect(sort === 'ascending', `aria-sort is ${sort}`);
  });
  await visit.screenshot('kernels-light');

  await check('kernels: Stop ends it at once, and what was found stays', async () => {
    await page.fill('#filter', 'relu');
    await page.click('#measure');
    await page.waitForFunction(() => document.getElementById('state')!.textContent!.startsWith('Ceilings'), undefined, {
      timeout: LIMIT_MS,
    });
    await page.click('#stop');
    await stateBegins(page, 'Stopped', 2000);
    expect(
      (await page.locator('#measure').isEnabled()) && (await page.locator('#stop').isDisabled()),
      'the buttons are not back',
    );
  });
  await visit.close();
}

async function steps(site: Site): Promise<void> {
  const { check } = site;
  const visit = await site.visit('kernels');
  const { page } = visit;

  await check(
    'kernels: the MLP’s losses are those of TensorFlow.js and jax-js, and times stand beside each other',
    async () => {
      await chooseSmall(page);
      await page.click('#measure-steps');
      await lossesOf(page, 'tfjs');
      const early = await page.locator('[data-engine=tfjs] td').allTextContents();
      expect(early[3] === '–', `a time (${early[3]}) came with the losses`);
      await stepsDone(page);
      const [comparison] = (await download(page)).steps;
      const { reports, differences, parity } = comparison;
      expect(
        parity && reports.length === 3,
        JSON.stringify({ differences, engines: reports.map(({ engine }) => engine) }),
      );
      expect(
        differences.slice(1).every((difference) => difference > 0 && difference <= PARITY),
        `differ by ${differences}`,
      );
      expect(
        reports.every(({ step, losses }) => step.median > 0 && losses.length === 10),
        'a report is not whole',
      );
      const own = reports[0];
      expect(own.perStep.newObjects === 0, `downhill made ${own.perStep.newObjects} objects in a steady step`);
      const figures = reports.map(
        ({ engine, step }, k) =>
          `${engine} ${step.median.toFixed(0)} ms (×${(step.median / own.step.median).toFixed(1)}, ` +
          `losses within ${differences[k].toExponential(1)})`,
      );
      return figures.join(', ');
    },
  );

  await check('kernels: the copied JSON is the same as the file', async () => {
    await visit.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.click('text=Copy as JSON');
    await page.waitForSelector('.notice.good');
    const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText())) as Results;
    const file = await download(page);
    expect(JSON.stringify(copied.steps) === JSON.stringify(file.steps), 'they differ');
  });
  await visit.screenshot('kernels-steps-light');
  await visit.close();
}

async function otherLosses(site: Site): Promise<void> {
  const visit = await site.visit('kernels', { width: 380, height: 800, colorScheme: 'dark' });
  const { page } = visit;
  await site.check('kernels: an engine that computes something else gets no time', async () => {
    // Adam's denominator in jax-js, halved: its chunk gets the prologue, so downhill's kernels stay whole.
    await breakKernels(page, { worker: 'jax-', pattern: /sqrt\(/g, replacement: '0.5 * sqrt(' });
    await chooseSmall(page);
    await page.uncheck('#with-tfjs');
    await page.click('#measure-steps');
    await stepsDone(page);
    const cells = await page.locator('[data-engine=jax] td').allTextContents();
    const [{ parity, differences }] = (await download(page)).steps;
    expect(!parity && differences[1] > PARITY, `parity ${parity}, differences ${differences}`);
    expect(cells[1].includes('no times') && cells[3] === '–', cells.join(' | '));
    return `losses differ by ${differences[1].toExponential(1)}`;
  });
  await site.check('kernels: fits a phone', async () => {
    const [scroll, client] = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return [scrollWidth, clientWidth];
    });
    expect(scroll <= client, `${scroll} pixels of content in ${client}`);
  });
  await visit.screenshot('kernels-phone-dark');
  await visit.close();
}

/** A site that was built without the peers: nothing is fetched from elsewhere before the button is pressed. */
async function peersFromElsewhere(site: Site): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'downhill-demos-'));
  process.env.DOWNHILL_DEMO_PEERS = 'none';
  await build({ configFile: join(ROOT, 'demos/vite.config.ts'), build: { outDir: folder }, logLevel: 'error' });
  delete process.env.DOWNHILL_DEMO_PEERS;
  // The start page is left before it has its icon.
  const visit = await site.visit('', { allowedErrors: /cdn\.jsdelivr\.net.*\(elsewhere\)|icon\.svg \(failed\)/ });
  const { page } = visit;
  const asked: string[] = [];
  await page.route(`${site.url}**`, (route) => {
    const path = new URL(route.request().url()).pathname.slice(new URL(site.url).pathname.length);
    return route.fulfill({ path: join(folder, path.endsWith('/') ? `${path}index.html` : path) });
  });
  await page.route('https://cdn.jsdelivr.net/npm/**', (route) => {
    const path = new URL(route.request().url()).pathname;
    asked.push(path);
    const file = path.replace('/npm/', '').replace(/@[\d.]+\//, '/');
    const headers = { 'access-control-allow-origin': '*', 'content-type': 'text/javascript' };
    return route.fulfill({ path: join(ROOT, 'bench/peers/node_modules', file), headers });
  });
  await page.goto(`${site.url}kernels/`);
  await site.check('kernels: built without the peers, the page says how to get them', async () => {
    await page.waitForSelector('#peers-missing');
    const words = (await page.textContent('#peers-missing')) ?? '';
    expect(words.includes('TensorFlow.js and jax-js') && words.includes('npm ci --prefix bench/peers'), words);
    expect(await page.locator('#with-tfjs').isDisabled(), 'TensorFlow.js can be chosen');
    expect(asked.length === 0, `asked for ${asked}`);
  });
  await site.check('kernels: on a press they come from the CDN, and compute the same', async () => {
    await page.click('#allow-cdn');
    await chooseSmall(page);
    await page.click('#measure-steps');
    const found = await lossesOf(page, 'tfjs');
    await page.click('#stop-steps');
    await stepsDone(page);
    expect(found > 0 && found <= PARITY, `losses differ by ${found}`);
    expect(asked.length === 2, `asked for ${asked}`);
    return `losses differ by ${found}; asked for ${asked.join(', ')}`;
  });
  await visit.close();
  rmSync(folder, { recursive: true });
}

async function withoutWebGPU(site: Site): Promise<void> {
  const initScript = "Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined })";
  const visit = await site.visit('kernels', { initScript });
  await site.check('kernels: without WebGPU the page says so and offers nothing that cannot work', async () => {
    await visit.page.waitForSelector('#no-webgpu');
    expect(await visit.page.locator('#measure').isDisabled(), 'Measure is on');
    expect(await visit.page.locator('#measure-steps').isDisabled(), 'Measure steps is on');
  });
  await visit.close();
}

/** A step that a software adapter does quickly, in every engine. */
async function chooseSmall(page: Page): Promise<void> {
  await page.selectOption('#workload', 'mlp');
  await page.fill('#batch', '8');
}

/** By how much the losses of `engine` differ from downhill's, as the page shows it, as soon as it does. */
async function lossesOf(page: Page, engine: string): Promise<number> {
  const cell = `[data-engine=${engine}] td:nth-child(2)`;
  const isKnown = (selector: string) => /e[-+]|failed/.test(document.querySelector(selector)?.textContent ?? '');
  await page.waitForFunction(isKnown, cell, { timeout: LIMIT_MS });
  return Number(await page.textContent(cell));
}

async function texts(page: Page, ids: readonly string[]): Promise<string[]> {
  return Promise.all(ids.map(async (id) => (await page.textContent(`#${id}`)) ?? ''));
}

async function stateBegins(page: Page, text: string, timeout = LIMIT_MS): Promise<void> {
  await page.waitForFunction((begin) => document.getElementById('state')!.textContent!.startsWith(begin), text, {
    timeout,
  });
}

async function stepsDone(page: Page): Promise<void> {
  const isDone = () => /^(Done|Stopped)/.test(document.getElementById('steps-state')!.textContent!);
  await page.waitForFunction(isDone, undefined, { timeout: LIMIT_MS });
}

async function download(page: Page): Promise<Results> {
  const [file] = await Promise.all([page.waitForEvent('download'), page.click('text=Download JSON')]);
  return JSON.parse(readFileSync(await file.path(), 'utf8')) as Results;
}

/**
 * `bench browser`: the steps of `bench peers` in headless Chromium on SwiftShader, on the demo site's Kernels page: one
 * worker an engine, losses compared before a time is shown.
 */

import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { ensureChromium, launch } from '../../kernels-test/browser/chromium.ts';
import { serveSite } from '../../kernels-test/demos/site.ts';
import type { Comparison } from '../core/compare-engines.ts';
import { WORKLOADS, type WorkloadName } from '../core/workloads.ts';
import type { Options, Outcome } from './commands.ts';
import { installPeers } from './install-peers.ts';
import { describeComparison } from './peers.ts';

const LIMIT_MS = 900_000;

export async function runBrowser(options: Options): Promise<Outcome> {
  installPeers(options.say);
  options.say('building the demo site');
  const browser = await launch(ensureChromium());
  try {
    const server = await serveSite();
    const site = server.site(browser, async (_name, body) => void (await body()));
    const comparisons: Comparison[] = [];
    for (const name of options.models.filter((model) => WORKLOADS[model].peers)) {
      const visit = await site.visit('kernels');
      if (await offers(visit.page, name)) {
        options.say(name);
        comparisons.push(await measure(visit.page, name));
      } else {
        options.say(`${name}: not on the page, where one step of a peer would take minutes`);
      }
      await visit.close();
    }
    await server.close();
    const note =
      `Chromium ${browser.version()}, headless, its software adapter; a fresh worker per engine, four seconds of ` +
      'steps. A step ends when its loss has been read, then the next begins.';
    return {
      data: comparisons,
      markdown: [...comparisons.map(describeComparison), note].join('\n\n'),
      failed: comparisons.some(({ parity }) => !parity),
    };
  } finally {
    await browser.close();
  }
}

async function offers(page: Page, name: WorkloadName): Promise<boolean> {
  return (await page.locator(`#workload option[value="${name}"]`).count()) > 0;
}

async function measure(page: Page, name: WorkloadName): Promise<Comparison> {
  await page.selectOption('#workload', name);
  await page.fill('#batch', String(WORKLOADS[name].batch));
  await page.click('#measure-steps');
  await page.waitForFunction(
    () => /^(Done|Stopped)/.test(document.getElementById('steps-state')?.textContent ?? ''),
    undefined,
    { timeout: LIMIT_MS },
  );
  const state = await page.textContent('#steps-state');
  const failures = await page.locator('#engines td', { hasText: 'failed' }).count();
  const notes = await page.locator('[role=alert], .notice, #notices').allTextContents();
  if (state !== 'Done.' || failures > 0)
    throw new Error(`${name}: the page says "${state}", ${failures} engines failed; ${notes.join(' ')}`);
  const [file] = await Promise.all([page.waitForEvent('download'), page.click('text=Download JSON')]);
  const { steps } = JSON.parse(readFileSync(await file.path(), 'utf8')) as { steps: readonly Comparison[] };
  return steps[0];
}

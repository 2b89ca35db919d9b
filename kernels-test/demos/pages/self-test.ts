/**
 * The Self-test page: every op passes on SwiftShader; a kernel broken on purpose is caught and named; stop and report.
 */

import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { allOps } from '../../../src/ops/index.ts';
import type { SelfTestReport } from '../../../src/self-test.ts';
import { expect } from '../../browser/page/check.ts';
import { breakKernels } from '../break-kernels.ts';
import { sidewaysPixels } from '../page-checks.ts';
import type { Site } from '../site.ts';

const LIMIT_MS = 540_000;

type Report = Omit<SelfTestReport, 'adapter'> & {
  readonly complete: boolean;
  readonly adapter: { readonly name: string; readonly limits: Readonly<Record<string, number>> };
};

export async function test(site: Site): Promise<void> {
  await everything(site);
  await broken(site);
  await withoutWebGPU(site);
}

async function everything(site: Site): Promise<void> {
  const { check } = site;
  const visit = await site.visit('self-test');
  const { page } = visit;

  await check('self-test: Stop ends it at once, and what was found stays', async () => {
    await page.click('#run');
    await page.waitForFunction(() => Number(document.getElementById('tested')!.textContent) >= 3, undefined, {
      timeout: LIMIT_MS,
    });
    await page.click('#stop');
    await page.waitForFunction(() => document.getElementById('state')!.textContent!.startsWith('Stopped after'));
    const { complete, ops } = await download(page);
    expect(!complete && ops.length >= 3, `complete ${complete}, ${ops.length} ops`);
  });

  await check('self-test: every op passes on this adapter', async () => {
    await page.click('#run');
    await finished(page);
    const report = await download(page);
    expect(report.complete && report.pass, `failed: ${report.failed.join(', ')}`);
    expect(report.ops.length === allOps.length, `${report.ops.length} of ${allOps.length} ops`);
    const idle = report.ops.filter(({ samples }) => samples === 0).map(({ name }) => name);
    expect(idle.length === 0, `nothing compared of ${idle.join(', ')}`);
    expect(report.adapter.limits.maxBufferSize > 0, 'no limits in the report');
    const gradients = report.ops.reduce((sum, op) => sum + op.gradients, 0);
    expect(gradients > 50, `${gradients} gradients were compared`);
    return `${report.ops.length} ops, ${gradients} gradients, ${(report.milliseconds / 1000).toFixed(1)} s`;
  });
  await visit.screenshot('self-test-light');

  await check('self-test: a filter that fits no op is answered', async () => {
    await page.fill('#filter', 'no such op');
    await page.click('#run');
    await page.waitForFunction(() => document.getElementById('state')!.textContent!.startsWith('No op'));
  });
  await visit.close();
}

async function broken(site: Site): Promise<void> {
  const visit = await site.visit('self-test', { width: 380, height: 800, colorScheme: 'dark' });
  const { page } = visit;
  await site.check('self-test: a kernel broken on purpose is caught and named, and only that', async () => {
    await breakKernels(page, {
      worker: 'self-test.worker',
      pattern: /(?<!fn )special_tanh\(/g,
      replacement: '0.999 * special_tanh(',
    });
    await page.fill('#filter', 'an');
    await page.click('#run');
    await finished(page);
    const { pass, failed, ops } = await download(page);
    const words = (await page.textContent('#state')) ?? '';
    expect(!pass && failed.length === 1 && failed[0] === 'tanh', `failed: ${failed.join(', ') || 'nothing'}`);
    expect(ops.length > 1 && words.includes('tanh'), `of ${ops.length} ops; the page says "${words}"`);
    const { message, worstError, tolerance } = ops.find(({ name }) => name === 'tanh')!;
    expect(message !== '', 'nothing is said about what is wrong');
    expect((worstError ?? 1) > tolerance, `error ${worstError} within ${tolerance}`);
    await page.check('#only-failed');
    await page.waitForFunction(() => document.querySelectorAll('#ops tbody tr').length === 1);
    return `${failed} of ${ops.map(({ name }) => name).join(', ')}: ${message}`;
  });
  await site.check('self-test: fits a phone', async () => {
    const sideways = await sidewaysPixels(page);
    expect(sideways <= 0, `${sideways} pixels wider than the window`);
  });
  await visit.screenshot('self-test-phone-dark');
  await visit.close();
}

async function withoutWebGPU(site: Site): Promise<void> {
  const initScript = "Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined })";
  const visit = await site.visit('self-test', { initScript });
  await site.check('self-test: without WebGPU the CPU is offered, and tested on consent', async () => {
    const { page } = visit;
    await page.click('#no-webgpu button');
    await page.fill('#filter', 'relu');
    await page.click('#run');
    await finished(page);
    const { pass, backend } = await download(page);
    expect(pass && backend === 'cpu', `pass ${pass} on ${backend}`);
  });
  await visit.close();
}

async function finished(page: Page): Promise<void> {
  const isDone = () => /^(All|\d+ of \d+ ops fail|Stopped)/.test(document.getElementById('state')!.textContent!);
  await page.waitForFunction(isDone, undefined, { timeout: LIMIT_MS });
}

async function download(page: Page): Promise<Report> {
  const [file] = await Promise.all([page.waitForEvent('download'), page.click('text=Download JSON')]);
  return JSON.parse(readFileSync(await file.path(), 'utf8')) as Report;
}

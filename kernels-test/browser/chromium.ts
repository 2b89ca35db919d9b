/**
 * The browser: headless Chromium through playwright-core, with a new empty profile, the software adapter SwiftShader and
 * nothing that would use the network by itself. What a page does wrong beside its checks (errors on the console, errors
 * that nobody caught, requests to elsewhere or without an answer) is kept.
 */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type Chromium, findChromium } from '../../scripts/ensure-chromium.ts';

const FLAGS = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  ...['--no-first-run', '--no-default-browser-check', '--no-pings', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync', '--disable-default-apps', '--disable-domain-reliability'],
];

/** The Chromium of this machine, installed first where it can be. @throws Error that says what to do otherwise. */
export function ensureChromium(): Chromium {
  const script = fileURLToPath(new URL('../../scripts/ensure-chromium.ts', import.meta.url));
  const node = ['--import', import.meta.resolve('tsx'), script];
  const { status } = spawnSync(process.execPath, node, { stdio: ['ignore', 'inherit', 'inherit'] });
  const found = status === 0 ? findChromium() : undefined;
  if (found === undefined) throw new Error('the browser tests need Chromium');
  return found;
}

export function launch({ command }: Chromium): Promise<Browser> {
  const which = spawnSync('which', [command], { encoding: 'utf8' });
  const executablePath = which.stdout.trim() || command;
  return chromium.launch({ executablePath, headless: true, args: FLAGS });
}

export interface Misdeeds {
  readonly consoleErrors: string[];
  readonly pageErrors: string[];
  readonly badRequests: string[];
  /** Not counted, but shown. */
  readonly warnings: string[];
}

/** Starts to keep what `page` does wrong; `origin` is the only place it may ask. */
export function watch(page: Page, origin: string): Misdeeds {
  const misdeeds: Misdeeds = { consoleErrors: [], pageErrors: [], badRequests: [], warnings: [] };
  page.on('console', (message) => {
    if (message.type() === 'error') misdeeds.consoleErrors.push(message.text());
    if (message.type() === 'warning') misdeeds.warnings.push(message.text());
  });
  page.on('pageerror', (error) => misdeeds.pageErrors.push(error.stack ?? error.message));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !url.startsWith('data:')) misdeeds.badRequests.push(`${url} (elsewhere)`);
  });
  page.on('requestfailed', (request) => misdeeds.badRequests.push(`${request.url()} (failed)`));
  page.on('response', (response) => {
    if (response.status() >= 400) misdeeds.badRequests.push(`${response.url()} (${response.status()})`);
  });
  return misdeeds;
}

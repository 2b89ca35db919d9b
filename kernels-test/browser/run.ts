/**
 * `npm run test:browser`: the library in a browser, as a page has it. Builds the page, serves it on 127.0.0.1, opens it
 * in headless Chromium and prints each check as the page reports it; the exit status is 1 when one failed. The checks
 * themselves are in page/; those of what the page did beside them are here.
 */

import type { RequestListener } from 'node:http';
import { extname } from 'node:path';
import type { Browser } from 'playwright-core';
import { runScript } from '../../scripts/run-script.ts';
import { startServer } from '../data/server.ts';
import { type BuiltPage, buildPage } from './build-page.ts';
import { ensureChromium, launch, type Misdeeds, watch } from './chromium.ts';
import { type Check, type CheckResult, checker, expect } from './page/check.ts';
import { Outcome } from './report.ts';

const TIME_LIMIT_MS = 10 * 60_000;

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' };

/** The page may run its own scripts alone: no eval, nothing from elsewhere. */
const POLICY = "default-src 'self'; img-src data:";

runScript(import.meta.url, async () => {
  const started = performance.now();
  const outcome = new Outcome();
  const check = checker((result) => outcome.add(result));
  try {
    await runInBrowser(outcome, check);
  } catch (error) {
    await check('the test runs to its end', () => {
      throw error;
    });
  }
  outcome.write(process.argv);
  console.log(`took ${((performance.now() - started) / 1000).toFixed(1)} s`);
  console.log(outcome.summary());
  process.exitCode = outcome.failed === 0 ? 0 : 1;
});

async function runInBrowser(outcome: Outcome, check: Check): Promise<void> {
  const chromium = ensureChromium();
  const page = await buildPage();
  const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`;
  console.log(`library: ${kib(page.libraryBytes)}, ${kib(page.libraryGzipBytes)} gzipped`);
  const server = await startServer(listenersOf(page));
  try {
    const browser = await launch(chromium);
    try {
      const misdeeds = await runPage(browser, server.url, outcome);
      await checkMisdeeds(check, misdeeds);
    } finally {
      await browser.close();
    }
  } finally {
    await server.close();
  }
}

/** Opens the page and takes its checks in until they are done. @throws Error when the page dies or hangs. */
async function runPage(browser: Browser, url: string, outcome: Outcome): Promise<Misdeeds> {
  const page = await browser.newPage();
  const misdeeds = watch(page, url);
  await page.exposeFunction('reportCheck', (result: CheckResult) => outcome.add(result));
  await page.goto(`${url}index.html`);
  let timer: NodeJS.Timeout | undefined;
  const ended = new Promise<never>((_, reject) => {
    page.on('crash', () => reject(new Error('the page crashed')));
    timer = setTimeout(() => reject(new Error(`not done after ${TIME_LIMIT_MS / 1000} s`)), TIME_LIMIT_MS);
  });
  try {
    // As text: what compiles this file may put helpers into functions that the page does not have.
    await Promise.race([page.evaluate('window.runBrowserChecks(window.reportCheck)'), ended]);
  } finally {
    clearTimeout(timer);
  }
  return misdeeds;
}

async function checkMisdeeds(check: Check, misdeeds: Misdeeds): Promise<void> {
  const { consoleErrors, pageErrors, badRequests, warnings } = misdeeds;
  await check('no error on the console', () => expect(consoleErrors.length === 0, consoleErrors.join('\n')));
  await check('no error that nobody caught', () => expect(pageErrors.length === 0, pageErrors.join('\n')));
  await check('every request was for a file of the page', () =>
    expect(badRequests.length === 0, badRequests.join('\n')),
  );
  for (const warning of new Set(warnings)) console.log(`warning on the console: ${warning}`);
}

function listenersOf({ files }: BuiltPage): Record<string, RequestListener> {
  const entries = [...files].map(([path, content]): [string, RequestListener] => {
    const headers = { 'content-type': TYPES[extname(path)] ?? 'text/plain', 'content-security-policy': POLICY };
    return [path, (_request, response) => response.writeHead(200, headers).end(content)];
  });
  return Object.fromEntries(entries);
}

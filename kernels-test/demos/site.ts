/**
 * The demo site as its tests meet it: built, served by a plain static server from a path that is not the root, and
 * visited by headless Chromium. Every page that is opened is watched; what it did wrong is a check when it is closed.
 */

import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { build } from 'vite';
import { type Misdeeds, watch } from '../browser/chromium.ts';
import { type Check, expect } from '../browser/page/check.ts';
import { startServer } from '../data/server.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const output = join(root, 'dist-demos');
/** Kept for people to look at, never committed. */
const SCREENSHOTS = join(root, 'artifacts/demos');
const NAVIGATION_MS = 120_000;
/** Pages must work from any path. */
const BASE = 'some/where/';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};

export interface VisitOptions {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'dark' | 'light';
  /** Shares storage (IndexedDB, locks) with an earlier visit: a second tab, or the same user coming back. */
  readonly context?: BrowserContext;
  /** Runs in the page before its own scripts. */
  readonly initScript?: string;
  /** Errors on the console, as text, that this visit provokes on purpose. */
  readonly allowedErrors?: RegExp;
  /** Query and fragment. */
  readonly search?: string;
}

export interface Visit {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Keeps a picture of the page, by name. */
  screenshot(name: string): Promise<void>;
  /** Checks that the page did nothing wrong beside what was tested, then closes it. */
  close(): Promise<void>;
}

export interface Site {
  readonly check: Check;
  /** Folder that was built. */
  readonly folder: string;
  readonly url: string;
  /** Opens a page of the site (`digits`, or '' for the start page). */
  visit(path: string, options?: VisitOptions): Promise<Visit>;
}

/** The site on a server of its own. */
export interface SiteServer {
  /** The site as `browser` visits it. */
  site(browser: Browser, check: Check): Site;
  close(): Promise<void>;
}

/** Builds the site, unless `built` says that it is there, and serves it. */
export async function serveSite(built = false): Promise<SiteServer> {
  if (!built) await build({ configFile: join(root, 'demos/vite.config.ts'), logLevel: 'error' });
  const server = await startServer(listeners());
  const url = server.url + BASE;
  return {
    site: (browser, check) => ({
      check,
      folder: output,
      url,
      visit: (path, options = {}) => visit(browser, check, url, path, options),
    }),
    close: () => server.close(),
  };
}

async function visit(browser: Browser, check: Check, url: string, path: string, options: VisitOptions): Promise<Visit> {
  const { width = 1280, height = 900, colorScheme = 'light', initScript, allowedErrors, search = '' } = options;
  const context = options.context ?? (await browser.newContext({ viewport: { width, height }, colorScheme }));
  // Another page may hold the processor while this one loads.
  context.setDefaultNavigationTimeout(NAVIGATION_MS);
  const page = await context.newPage();
  const misdeeds = watch(page, new URL(url).origin);
  if (initScript !== undefined) await page.addInitScript(initScript);
  await page.goto(`${url}${path === '' ? '' : `${path}/`}${search}`);
  return {
    page,
    context,
    screenshot: async (name) => {
      mkdirSync(SCREENSHOTS, { recursive: true });
      await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
    },
    close: async () => {
      await check(`${path || 'start'}: no error on the console, none uncaught, no request to elsewhere`, () =>
        checkMisdeeds(misdeeds, allowedErrors),
      );
      await page.close();
      if (options.context === undefined) await context.close();
    },
  };
}

function checkMisdeeds({ consoleErrors, pageErrors, badRequests }: Misdeeds, allowed?: RegExp): void {
  const found = [...consoleErrors, ...pageErrors, ...badRequests].filter((text) => !allowed?.test(text));
  expect(found.length === 0, found.join('\n'));
}

function listeners(): Record<string, RequestListener> {
  const found: Record<string, RequestListener> = {};
  for (const path of siteFiles()) {
    const content = readFileSync(join(output, path));
    const headers = { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' };
    const answer: RequestListener = (_request, response) => response.writeHead(200, headers).end(content);
    found[BASE + path] = answer;
    if (path.endsWith('index.html')) found[BASE + path.slice(0, -'index.html'.length)] = answer;
  }
  return found;
}

/** Paths of the built site's files. */
export function siteFiles(): string[] {
  return readdirSync(output, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(output.length + 1));
}

/** Bytes of a file of the built site, gzipped. */
export function gzipBytes(path: string): number {
  return gzipSync(readFileSync(join(output, path))).length;
}

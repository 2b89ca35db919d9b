/**
 * `npm run test:demos [-- NAME…]`: builds the demo site, opens its pages in headless Chromium (SwiftShader) and runs
 * the checks in pages/, one file a page or a part of it; with names, those pages alone. Two browsers work side by side,
 * as a page leaves a core idle for much of its time. `--built` takes dist-demos as it is. Pictures of the pages are
 * left in artifacts/demos/.
 */

import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { installPeers } from '../../bench/node/install-peers.ts';
import { runScript } from '../../scripts/run-script.ts';
import { ensureChromium, launch } from '../browser/chromium.ts';
import { checker } from '../browser/page/check.ts';
import { Outcome } from '../browser/report.ts';
import { type Site, serveSite } from './site.ts';

/** Pages whose tests take long, the longest first: none of them may begin last. */
const LONG = ['digits', 'kernels', 'self-test', 'playground', 'images', 'no-number', 'optimizers', 'phone', 'race'];
const BROWSERS = 2;

const pages = fileURLToPath(new URL('pages', import.meta.url));

runScript(import.meta.url, async () => {
  const started = performance.now();
  const outcome = new Outcome('demos');
  const check = checker((result) => outcome.add(result));
  const wanted = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
  const names = readdirSync(pages).map((file) => file.replace(/\.ts$/, ''));
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`no tests for ${unknown.join(', ')}; there are ${names.join(', ')}`);
  const built = process.argv.includes('--built');
  // The Kernels page has them as chunks of its own.
  if (!built && (wanted.length === 0 || wanted.includes('kernels'))) installPeers(console.log);
  const chromium = ensureChromium();
  const server = await serveSite(built);
  const left = longestFirst(wanted.length > 0 ? wanted : names);
  /** Takes one page after another until none is left, in a browser of its own. */
  const work = async (): Promise<void> => {
    const browser = await launch(chromium);
    try {
      const site = server.site(browser, check);
      for (let name = left.shift(); name !== undefined; name = left.shift()) {
        const { test } = (await import(`./pages/${name}.ts`)) as { test(site: Site): Promise<void> };
        await check(`${name}: its tests run to their end`, () => test(site));
      }
    } finally {
      await browser.close();
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(BROWSERS, left.length) }, work));
  } finally {
    await server.close();
  }
  outcome.write(process.argv);
  console.log(`took ${((performance.now() - started) / 1000).toFixed(1)} s`);
  console.log(outcome.summary());
  process.exitCode = outcome.failed === 0 ? 0 : 1;
});

function longestFirst(names: readonly string[]): string[] {
  const rank = (name: string): number => (LONG.includes(name) ? LONG.indexOf(name) : LONG.length);
  return [...names].sort((a, b) => rank(a) - rank(b));
}

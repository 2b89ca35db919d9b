/**
 * `npm run test:demos [-- NAME…]`: builds the demo site, opens its pages in headless Chromium (SwiftShader) and runs
 * the checks in pages/, one file a page or a part of it; with names, those pages alone. `--built` takes dist-demos as
 * it is. Pictures of the pages are left in artifacts/demos/.
 */

import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { installPeers } from '../../bench/node/install-peers.ts';
import { runScript } from '../../scripts/run-script.ts';
import { ensureChromium, launch } from '../browser/chromium.ts';
import { checker } from '../browser/page/check.ts';
import { Outcome } from '../browser/report.ts';
import { openSite, type Site } from './site.ts';

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
  const browser = await launch(ensureChromium());
  try {
    const site = await openSite(browser, check, built);
    for (const name of wanted.length > 0 ? wanted : names) {
      const { test } = (await import(`./pages/${name}.ts`)) as { test(site: Site): Promise<void> };
      await check(`${name}: its tests run to their end`, () => test(site));
    }
    await site.close();
  } finally {
    await browser.close();
  }
  outcome.write(process.argv);
  console.log(`took ${((performance.now() - started) / 1000).toFixed(1)} s`);
  console.log(outcome.summary());
  process.exitCode = outcome.failed === 0 ? 0 : 1;
});

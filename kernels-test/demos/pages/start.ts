/** The start page: light, linked to every demo, usable by keyboard, in both themes and on a phone. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PAGES } from '../../../demos/pages.ts';
import { expect } from '../../browser/page/check.ts';
import { NO_WEBGPU, sidewaysPixels } from '../page-checks.ts';
import { gzipBytes, type Site, siteFiles } from '../site.ts';

const SCRIPT_BUDGET = 100_000;
/** Of the whole site. */
const SITE_BUDGET = 500_000;
/** Part of the text of most kernels: what holds it holds the engine. */
const ENGINE_MARK = 'turn < params[0].y';
/** The engines that the Kernels page can put beside downhill: installed or not, they are not ours. */
const PEERS = /\/(tfjs|jax)-[\w-]+\.js$/;

export async function test(site: Site): Promise<void> {
  const { check } = site;
  const visit = await site.visit('');
  const { page } = visit;

  await check('start: links to every page of the site', async () => {
    const files = siteFiles();
    for (const { path } of PAGES) expect(files.includes(`${path && `${path}/`}index.html`), `no page ${path}`);
    const hrefs = await page.locator('main a').evaluateAll((links) => links.map((link) => link.getAttribute('href')));
    const missing = PAGES.filter(({ path }) => path !== '' && !hrefs.includes(`./${path}/`));
    expect(missing.length === 0, `not linked: ${missing.map(({ path }) => path)}`);
  });

  await check('start: all scripts together are under 100 KB gzipped', async () => {
    const loaded = await page.evaluate(() =>
      performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname),
    );
    const scripts = loaded.filter((path) => path.endsWith('.js')).map((path) => path.replace('/some/where/', ''));
    const bytes = scripts.reduce((sum, path) => sum + gzipBytes(path), 0);
    expect(scripts.length > 0 && bytes < SCRIPT_BUDGET, `${bytes} bytes in ${scripts.join(', ')}`);
    return `${bytes} bytes in ${scripts.length} files`;
  });

  await check('start: all scripts of all pages together are under 500 KB gzipped', async () => {
    const scripts = siteFiles().filter((path) => path.endsWith('.js') && !PEERS.test(path));
    const sizes = scripts.map((path) => ({ path, bytes: gzipBytes(path) })).sort((a, b) => b.bytes - a.bytes);
    const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(total < SITE_BUDGET, `${total} bytes: ${JSON.stringify(sizes)}`);
    // One chunk for all pages that train, one with whole op records for Kernels and Self-test.
    const engines = scripts.filter((path) => readFileSync(join(site.folder, path), 'utf8').includes(ENGINE_MARK));
    expect(engines.length === 2, `the engine is in ${engines.join(', ')}`);
    return `${total} bytes in ${sizes.length} files, the largest ${sizes[0].path} with ${sizes[0].bytes}`;
  });

  await check('start: the theme button changes the theme, and the choice is kept', async () => {
    const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const before = await ground();
    await page.locator('#theme').click();
    const after = await ground();
    expect(before !== after, `the background stays ${before}`);
    await page.reload();
    expect((await ground()) === after, 'after a reload the theme is another');
    await page.locator('#theme').click();
  });

  await check('start: the first stop of the Tab key is the skip link, and focus shows', async () => {
    await page.reload();
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(() => {
      const { className } = document.activeElement!;
      return { className, outline: getComputedStyle(document.activeElement!).outlineStyle };
    });
    expect(focused.className === 'skip' && focused.outline !== 'none', JSON.stringify(focused));
  });
  await visit.screenshot('start-light');
  await visit.close();

  const phone = await site.visit('', { width: 380, height: 800, colorScheme: 'dark' });
  await check('start: fits a phone, nothing scrolls sideways', async () => {
    const sideways = await sidewaysPixels(phone.page);
    expect(sideways <= 0, `${sideways} pixels wider than the window`);
  });
  await phone.screenshot('start-phone-dark');
  await phone.close();

  const without = await site.visit('', { initScript: NO_WEBGPU });
  await check('start: without WebGPU it says which demos run on the CPU, and claims no speed', async () => {
    const words = (await without.page.locator('#status .panel').textContent()) ?? '';
    expect(words.includes('Every demo except Kernels also runs on the CPU'), words);
    expect(!/times/.test(words), words);
  });
  await without.close();
}

/**
 * Each page of the site at both sizes and in both themes, at rest: axe-core finds nothing, and the navigation shows
 * where one is.
 */

import { PAGES } from '../../../demos/pages.ts';
import { expect } from '../../browser/page/check.ts';
import { checkAccessible } from '../accessibility.ts';
import { boxesOffScreen, PHONE } from '../on-screen.ts';
import { sidewaysPixels } from '../page-checks.ts';
import type { Site } from '../site.ts';

const DESKTOP = { width: 1400, height: 900 };

export async function test(site: Site): Promise<void> {
  for (const { path, title } of PAGES) {
    const visit = await site.visit(path, PHONE);
    const { page } = visit;
    await page.waitForFunction(() => document.getElementById('device')!.textContent!.trim() !== '');
    await site.check(`${title}: on a phone the navigation shows the page that one is on, whole`, async () => {
      const off = await boxesOffScreen(page, ['header.site [aria-current]', '#theme', 'header.site .brand']);
      expect(off.length === 0, off.join('\n'));
      const sideways = await sidewaysPixels(page);
      expect(sideways <= 0, `${sideways} pixels wider than the window`);
    });
    await site.check(`${title}: axe-core finds nothing, 390 and 1400 pixels wide, light and dark`, async () => {
      let rules = 0;
      for (const size of [PHONE, DESKTOP]) {
        await page.setViewportSize(size);
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          rules += await checkAccessible(page, `${size.width} ${colorScheme}`);
        }
      }
      return `${rules} rules held`;
    });
    await visit.close();
  }
}

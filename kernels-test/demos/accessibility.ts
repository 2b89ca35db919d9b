/** axe-core in a page of the site: the rules of WCAG and good practice that a program can check. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { expect } from '../browser/page/check.ts';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** @returns how many rules held. @throws Error that names each element that breaks one. */
export async function checkAccessible(page: Page, where: string): Promise<number> {
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(source);
  const { violations, passes } = (await page.evaluate('axe.run()')) as AxeResults;
  const found = violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target }) => `${where}: ${target.join(' ')}: ${help} (${id})`),
  );
  expect(found.length === 0, found.join('\n'));
  return passes.length;
}

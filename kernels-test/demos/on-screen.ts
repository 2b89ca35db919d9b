/** What a visitor with a phone sees at once: boxes in the window that nothing covers. */

import type { Page } from 'playwright-core';
import { expect } from '../browser/page/check.ts';

export const PHONE = { width: 390, height: 844 };

/**
 * The elements of `selectors` that are not whole in the window, or covered in their middle, each with what is wrong.
 */
export function boxesOffScreen(page: Page, selectors: readonly string[]): Promise<string[]> {
  return page.evaluate((wanted) => {
    const [w, h] = [document.documentElement.clientWidth, window.innerHeight];
    const found: string[] = [];
    for (const selector of wanted) {
      const elements = [...document.querySelectorAll(selector)];
      if (elements.length === 0) found.push(`${selector} is not there`);
      for (const element of elements) {
        const { left, top, right, bottom, width, height } = element.getBoundingClientRect();
        const [xs, ys] = [`${left.toFixed()} to ${right.toFixed()}`, `${top.toFixed()} to ${bottom.toFixed()}`];
        const box = `x ${xs}, y ${ys} of ${w} × ${h}`;
        if (width < 1 || height < 1) found.push(`${selector} has no size`);
        else if (left < -0.5 || top < -0.5 || right > w + 0.5 || bottom > h + 0.5)
          found.push(`${selector} is at ${box}`);
        else {
          const there = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
          if (there !== null && !element.contains(there) && !there.contains(element)) {
            found.push(`${selector} at ${box} is covered by ${there.tagName} ${there.id || there.className}`);
          }
        }
      }
    }
    return found;
  }, selectors);
}

/** Scrolls `to` into the window as little as it takes, and checks that all of `selectors` are then seen with it. */
export async function checkTogether(page: Page, to: string, selectors: readonly string[]): Promise<void> {
  await page.evaluate((selector) => document.querySelector(selector)!.scrollIntoView({ block: 'nearest' }), to);
  const off = await boxesOffScreen(page, [to, ...selectors]);
  expect(off.length === 0, off.join('\n'));
}

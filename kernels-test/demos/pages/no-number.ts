/** Runs whose numbers end as NaN: pages say so, and show no figure, no colour and no answer in their place. */

import { expect } from '../../browser/page/check.ts';
import type { Site } from '../site.ts';

const LIMIT = { timeout: 120_000 };

export async function test(site: Site): Promise<void> {
  await playground(site);
  await digits(site);
}

async function playground(site: Site): Promise<void> {
  const visit = await site.visit('playground', {
    search: '#data=gaussians&activation=relu&optimizer=sgd&learningRate=10&penalty=l2&penaltyRate=10',
  });
  const { page } = visit;
  await page.locator('#play:enabled').waitFor(LIMIT);
  await page.click('#play');
  await page.locator('.notice', { hasText: /no longer a number/ }).waitFor(LIMIT);
  await page.waitForTimeout(300);
  await site.check('no number: the Playground shows no share of right answers and no surface', async () => {
    const figures = await page.locator('#trainLoss, #testLoss, #trainAccuracy, #testAccuracy').allTextContents();
    expect(String(figures) === 'NaN,NaN,–,–', String(figures));
    expect(await page.locator('.legend .none').isVisible(), 'the legend does not say what stripes are');
    const colours = async () => {
      const found: number[] = await page.locator('#surface').evaluate((node) => {
        const canvas = node as HTMLCanvasElement;
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
        const corner = Array.from({ length: 40 }, (_, k) => {
          const at = 4 * ((4 + (k % 5)) * canvas.width + 4 + Math.floor(k / 5) * 3);
          return Math.max(data[at], data[at + 1], data[at + 2]) - Math.min(data[at], data[at + 1], data[at + 2]);
        });
        return corner;
      });
      return Math.max(...found);
    };
    const plain = await colours();
    await page.check('#discrete');
    const discrete = await colours();
    // Greys have next to no difference between their channels; both classes have a hundred and more.
    expect(plain < 30 && discrete < 30, `channels differ by ${plain}, with two colours by ${discrete}`);
  });
  await visit.close();
}

async function digits(site: Site): Promise<void> {
  const visit = await site.visit('digits');
  const { page } = visit;
  await page.locator('#train:enabled').waitFor(LIMIT);
  await page.selectOption('[name=data]', '1');
  await page.locator('#train:enabled').waitFor(LIMIT);
  await page.selectOption('[name=model]', 'mlp');
  await page.selectOption('[name=optimizer]', 'sgd');
  await site.check('no number: a learning rate of 100 gets a word before anything runs', async () => {
    await page.fill('[name=learningRate]', '0.01');
    expect((await page.textContent('#rate-advice')) === '', 'a usual rate gets one too');
    await page.fill('[name=learningRate]', '100');
    const words = (await page.textContent('#rate-advice')) ?? '';
    expect(/^100 is far above the rates that sgd trains with \(up to 1\)/.test(words), words);
  });
  await page.fill('[name=learningRate]', '1e20');
  await page.fill('[name=epochs]', '2');
  await page.click('#train');
  await page.waitForFunction(() => document.getElementById('state')!.textContent === 'Finished.', undefined, LIMIT);
  await site.check('no number: Digits gives no accuracy, no answer and no confusion for NaN', async () => {
    await page.locator('.notice', { hasText: /no longer a number/ }).waitFor(LIMIT);
    expect(
      (await page.textContent('#figure-accuracy')) === '–',
      `accuracy ${await page.textContent('#figure-accuracy')}`,
    );
    await page.click('#another');
    await page.waitForFunction(
      () => /not a number/.test(document.getElementById('answer')!.textContent!),
      undefined,
      LIMIT,
    );
    expect((await page.locator('#bars .best').count()) === 0, 'a class is the best');
  });
  await site.check('no number: the confusion matrix says that there are no answers', async () => {
    await page
      .locator('#confusion caption', { hasText: /For 500 of 500 the network.s output is not a number/ })
      .waitFor(LIMIT);
    const counts = await page.locator('#confusion td').allTextContents();
    expect(counts.join('') === '', `counts ${counts.filter((text) => text !== '')}`);
  });
  await visit.close();
}

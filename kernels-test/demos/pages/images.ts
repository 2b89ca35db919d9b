/**
 * The Images page: augmentation is shown as it is used, predictions are refreshed, a ResNet learns, CIFAR files load.
 */

import type { Page } from 'playwright-core';
import { expect } from '../../browser/page/check.ts';
import { sidewaysPixels } from '../page-checks.ts';
import type { Site } from '../site.ts';

export async function test(site: Site): Promise<void> {
  const { check } = site;
  const visit = await site.visit('images');
  const { page } = visit;
  await ready(page);

  await check('images: the preview shows the image and versions that differ, and follows the knobs', async () => {
    await page.waitForFunction(() => document.querySelectorAll('#preview canvas').length === 12);
    const pictures = () =>
      page.$$eval('#preview canvas', (canvases) => canvases.map((canvas) => (canvas as HTMLCanvasElement).toDataURL()));
    const first = await pictures();
    expect(new Set(first).size > 6, `${new Set(first).size} different pictures of 12`);
    await page.selectOption('[name=flip]', '');
    for (const name of ['shift', 'rotation', 'zoom']) await page.fill(`[name=${name}]`, '0');
    await page.waitForFunction(() => /no augmentation/.test(document.getElementById('preview-text')!.textContent!));
    const plain = await pictures();
    expect(
      plain.length === 2 && plain[0] === plain[1] && plain[0] === first[0],
      'without augmentation the image changes',
    );
    await page.fill('[name=rotation]', '40');
    await page.waitForFunction(() => document.querySelectorAll('#preview canvas').length === 12);
    const turned = await pictures();
    expect(
      turned[0] === first[0] && !turned.slice(1).some((one) => first.slice(1).includes(one)),
      'turning changes nothing',
    );
    await page.fill('[name=rotation]', '0');
  });
  await visit.screenshot('images-ready');

  await check('images: a small network learns the shapes, and the predictions follow', async () => {
    await page.selectOption('[name=data]', '1');
    await ready(page);
    await page.selectOption('[name=model]', 'cnn');
    await page.fill('[name=batchSize]', '16');
    await page.fill('[name=epochs]', '3');
    await page.click('#train');
    await page.waitForFunction(
      () => document.querySelectorAll('#predictions .right, #predictions .wrong').length >= 40,
      undefined,
      {
        timeout: 60_000,
      },
    );
    await page.waitForFunction(() => /Finished/.test(document.getElementById('state')!.textContent!), undefined, {
      timeout: 240_000,
    });
    const accuracy = Number.parseFloat((await page.textContent('#figure-accuracy'))!);
    const right = await page.locator('#predictions .right').count();
    expect(accuracy > 20, `validation accuracy ${accuracy} %: no better than guessing among ten`);
    const rate = await page.textContent('#figure-steps');
    return `${accuracy} % after three epochs, ${right} of 40 shown are right, ${rate} steps/s`;
  });

  await check('images: ResNet-8 with every augmentation trains, and a step is measured', async () => {
    await page.selectOption('[name=model]', 'resnet');
    await page.selectOption('[name=flip]', 'on');
    for (const name of ['shift', 'rotation', 'zoom']) await page.fill(`[name=${name}]`, '10');
    await page.fill('[name=batchSize]', '4');
    await page.click('#train');
    await page.waitForFunction(
      () => Number.parseInt(document.getElementById('figure-step')!.textContent!, 10) >= 3,
      undefined,
      {
        timeout: 120_000,
      },
    );
    const [loss, summary] = [await page.textContent('#figure-loss'), await page.textContent('#summary')];
    expect(Number.isFinite(Number(loss)) && /random_rotation/i.test(summary!), `loss ${loss}`);
    await page.click('#profile');
    await page.waitForSelector('#kernel-times tbody tr', { timeout: 120_000 });
    await page.click('#stop');
    return (await page.textContent('#profile-total'))!;
  });
  await visit.screenshot('images-trained');

  await check('images: CIFAR-10 batches are taken by their files, truncated ones refused', async () => {
    await ready(page);
    const records = (count: number) =>
      Buffer.from(
        Uint8Array.from({ length: count * 3073 }, (_, k) => (k % 3073 === 0 ? (k / 3073) % 10 : (k * 31) % 256)),
      );
    const file = (name: string, buffer: Buffer) => ({ name, mimeType: 'application/octet-stream', buffer });
    await page.setInputFiles('#files', [file('data_batch_1.bin', records(3).subarray(0, 5000))]);
    await page.waitForFunction(() =>
      /data_batch_1\.bin.*truncated/.test(document.getElementById('notices')!.textContent!),
    );
    await page.setInputFiles('#files', [file('data_batch_1.bin', records(60)), file('test_batch.bin', records(20))]);
    await page.waitForFunction(() =>
      /60 images to learn from, 20 held out, 32 × 32 × 3/.test(document.getElementById('state')!.textContent!),
    );
    await page.waitForFunction(() => /airplane|cat|truck/.test(document.getElementById('predictions')!.textContent!));
  });
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.setViewportSize({ width: 390, height: 844 });
  await check('images: fits a phone', async () => {
    const sideways = await sidewaysPixels(page);
    expect(sideways <= 0, `${sideways} pixels wider than the window`);
  });
  await visit.screenshot('images-phone-dark');
  await visit.close();
}

async function ready(page: Page): Promise<void> {
  await page.waitForFunction(() => !(document.getElementById('train') as HTMLButtonElement).disabled, undefined, {
    timeout: 60_000,
  });
}

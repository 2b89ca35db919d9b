/**
 * The states of a run on the Digits page: what is said and what can be pressed follows what the run does, whatever is
 * pressed, dropped or taken up meanwhile.
 */

import type { Page } from 'playwright-core';
import { expect } from '../../browser/page/check.ts';
import { CUT_OFF_BY_RELOAD } from '../page-checks.ts';
import type { Site } from '../site.ts';

const CONTROLS = ['train', 'pause', 'stop', 'save', 'load', 'profile', 'files'] as const;

export async function test(site: Site): Promise<void> {
  await liveRun(site);
  await offers(site);
  await deadWorker(site);
}

async function liveRun(site: Site): Promise<void> {
  const { check } = site;
  const visit = await site.visit('digits', { allowedErrors: /nowhere|404/ });
  const { page } = visit;
  await ready(page);

  await check('digits: a failed address tried again says so once; data that work take the error away', async () => {
    await page.fill('[name=folder]', `${site.url}nowhere/`);
    for (let k = 0; k < 2; k++) {
      await page.click('#address button');
      await page.waitForFunction(() => /could not be used/.test(document.getElementById('state')!.textContent!));
      await ready(page);
    }
    const errors = await errorsOf(page);
    expect(errors.length === 1, `${errors.length} errors after two failures: ${errors.join(' | ')}`);
    await page.selectOption('[name=data]', '1');
    await page.waitForFunction(() => /^1000 images to learn/.test(document.getElementById('state')!.textContent!));
    await ready(page);
    const left = await errorsOf(page);
    expect(left.length === 0, `still there: ${left.join(' | ')}`);
  });

  await check('digits: Train by the keyboard hands the focus to Pause', async () => {
    await page.selectOption('[name=model]', 'mlp');
    await page.fill('[name=epochs]', '500');
    await page.focus('#train');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => (document.getElementById('train') as HTMLButtonElement).disabled);
    expect((await focused(page)) === 'pause', `the focus is on ${await focused(page)}`);
  });

  await check('digits: once steps are made the page says that it trains, not that it compiles', async () => {
    await reaches(page, 3);
    const words = (await page.textContent('#state'))!;
    expect(/^[\d,]+ parameters\. Training\.$/.test(words), `the page says "${words}"`);
    return words;
  });

  await check('digits: what cannot be used while it trains is off, and looks so', async () => {
    await expectControls(page, ['pause', 'stop', 'save', 'profile']);
    const [load, choose, train] = await Promise.all(
      ['label[for=load]', 'label[for=files]', '#train'].map((selector) =>
        page.locator(selector).evaluate((node) => getComputedStyle(node).opacity),
      ),
    );
    expect(load === train && choose === train && train !== '1', `opacities ${load}, ${choose} and of Train ${train}`);
  });

  await check(
    'digits: wrong files dropped on a live run are refused, and it can still be paused and stopped',
    async () => {
      await drop(page, 'holiday.jpg');
      await drop(page, 'holiday.jpg');
      await page.waitForFunction(() => /press Stop first/.test(document.getElementById('notices')!.textContent!));
      await expectControls(page, ['pause', 'stop', 'save', 'profile']);
      const errors = await errorsOf(page);
      expect(errors.length === 1, `${errors.length} errors of the same kind: ${errors.join(' | ')}`);
      await reaches(page, (await step(page)) + 2);
      await page.click('#pause');
      await page.waitForFunction(() => /^Paused/.test(document.getElementById('state')!.textContent!));
      await expectControls(page, ['pause', 'stop', 'save', 'profile']);
      await page.click('#pause');
      await reaches(page, (await step(page)) + 2);
    },
  );

  await check('digits: Stop by the keyboard hands the focus to Train', async () => {
    await page.focus('#stop');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => /^Stopped/.test(document.getElementById('state')!.textContent!));
    await expectControls(page, ['train', 'save', 'load', 'profile', 'files']);
    expect((await focused(page)) === 'train', `the focus is on ${await focused(page)}`);
  });

  await check('digits: Stop in the same moment as Train ends that run', async () => {
    await page.evaluate(() => {
      document.getElementById('train')!.click();
      document.getElementById('stop')!.click();
    });
    await page.waitForFunction(() => /^Stopped/.test(document.getElementById('state')!.textContent!));
    await expectControls(page, ['train', 'save', 'load', 'profile', 'files']);
  });

  await check('digits: a run in the place of another leaves no error behind', async () => {
    await page.locator('#notices button').first().click();
    await page.click('#train');
    await reaches(page, 2);
    await page.click('#stop');
    await page.waitForFunction(() => /^Stopped/.test(document.getElementById('state')!.textContent!));
    const errors = await errorsOf(page);
    expect(errors.length === 0, errors.join(' | '));
  });
  await visit.close();
}

/** The offer to go on with the run that was kept: another run takes its place. */
async function offers(site: Site): Promise<void> {
  const visit = await site.visit('digits', { allowedErrors: CUT_OFF_BY_RELOAD });
  const { page } = visit;
  await site.check('digits: the offer of the kept run goes when another run takes its place', async () => {
    await ready(page);
    await page.selectOption('[name=data]', '1');
    await page.waitForFunction(() => /^1000 images to learn/.test(document.getElementById('state')!.textContent!));
    await ready(page);
    await page.selectOption('[name=model]', 'mlp');
    await page.fill('[name=epochs]', '500');
    await page.click('#train');
    await page.waitForFunction(() => /step [1-9]/.test(document.getElementById('figure-saved')!.textContent!));
    await page.reload();
    const offer = page.getByRole('button', { name: 'Continue it' });
    await offer.waitFor({ timeout: 30_000 });
    await ready(page);
    await page.selectOption('[name=model]', 'mlp');
    await page.click('#train');
    await reaches(page, 1);
    expect((await offer.count()) === 0, 'it is still offered while another run is on');
    await page.click('#stop');
    await page.waitForFunction(() => /^Stopped/.test(document.getElementById('state')!.textContent!));
  });
  await visit.close();
}

/** The part of the worker that trains does not come. */
async function deadWorker(site: Site): Promise<void> {
  // The start page is left before it has its icon.
  const visit = await site.visit('', { allowedErrors: /training\.worker|ERR_FAILED|icon\.svg \(failed\)/ });
  const { page } = visit;
  await site.check(
    'digits: a worker that cannot be loaded is said, and nothing is offered that cannot work',
    async () => {
      await page.route('**/training.worker-*.js', (route) => route.abort());
      await page.goto(`${site.url}digits/`);
      await page.waitForFunction(() =>
        /The engine stopped: .*training/.test(document.getElementById('notices')!.textContent!),
      );
      expect((await page.textContent('#state')) === 'The engine stopped.', (await page.textContent('#state'))!);
      await expectControls(page, []);
    },
  );
  await visit.close();
}

/** Exactly these of CONTROLS are on. */
async function expectControls(page: Page, wanted: readonly string[]): Promise<void> {
  const on = await page.evaluate(
    (ids) => ids.filter((id) => !(document.getElementById(id) as HTMLInputElement).disabled),
    CONTROLS,
  );
  expect(on.join() === wanted.join(), `on are ${on}; expected ${wanted}`);
}

async function drop(page: Page, name: string): Promise<void> {
  await page.evaluate((name) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(['no digits'], name));
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
  }, name);
}

const errorsOf = (page: Page): Promise<string[]> => page.locator('#notices .error').allTextContents();

const focused = (page: Page): Promise<string | undefined> => page.evaluate(() => document.activeElement?.id);

const step = async (page: Page): Promise<number> => Number.parseInt((await page.textContent('#figure-step'))!, 10);

async function ready(page: Page): Promise<void> {
  await page.locator('#train:enabled').waitFor({ timeout: 60_000 });
}

async function reaches(page: Page, wanted: number): Promise<void> {
  await page.waitForFunction(
    (at) => Number.parseInt(document.getElementById('figure-step')!.textContent!, 10) >= at,
    wanted,
    { timeout: 120_000 },
  );
}

/**
 * On a phone (390 × 844), while a training runs: what it is steered by is on the screen together with what that
 * changes; nothing is cut; and charts say what they show: last values, samples of their lines, whole steps.
 */

import type { Page } from 'playwright-core';
import { expect } from '../../browser/page/check.ts';
import { checkAccessible } from '../accessibility.ts';
import { checkTogether, PHONE } from '../on-screen.ts';
import type { Site } from '../site.ts';

const LIMIT = { timeout: 120_000 };

/** Keeps what is written on canvases under their middle: the numbers along the x axis of charts. */
const KEEP_TICKS = `
  window.ticks = new Set();
  const fillText = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
    if (this.textAlign === 'center' && this.textBaseline === 'top') window.ticks.add(text);
    return fillText.call(this, text, ...rest);
  };
`;
const DOCK = ['#pause', '#stop', '[name=learningRate]', '#state', '#progress'];

export async function test(site: Site): Promise<void> {
  await digits(site);
  await images(site);
  await playground(site);
  await optimizers(site);
  await race(site);
}

async function digits(site: Site): Promise<void> {
  const { check } = site;
  const visit = await site.visit('digits', { ...PHONE, initScript: KEEP_TICKS });
  const { page } = visit;
  await page.locator('#train:enabled').waitFor(LIMIT);
  await check('phone: charts say what will come while there is nothing to show', async () => {
    const texts = await page.locator('.chart-empty:visible').allTextContents();
    expect(texts.length === 2 && texts.every((text) => /each step adds a point here/.test(text)), texts.join());
  });
  await page.selectOption('[name=data]', '1');
  await page.locator('#train:enabled').waitFor(LIMIT);
  await page.selectOption('[name=model]', 'mlp');
  await page.fill('[name=epochs]', '500');
  await page.click('#train');
  await stepsReach(page, 3);
  await page.click('#another');
  await page.waitForFunction(() => /says the network/.test(document.getElementById('answer')!.textContent!));

  await check('phone: Digits shows drawing, answer, figures and controls at once', async () => {
    await page.evaluate(() => scrollTo(0, 0));
    await checkTogether(page, '#pad', [
      ...DOCK,
      '#bars',
      '#answer',
      '#clear',
      '#another',
      '#figure-loss',
      '#figure-step',
    ]);
    for (const chart of ['#loss-chart', '#accuracy-chart']) {
      await checkTogether(page, chart, [...DOCK, `${chart} .chart-plot`, `${chart} .chart-legend li`]);
    }
  });

  await check('phone: bars have room, and "100 %" is not cut', async () => {
    const found = await page.evaluate(() => {
      const number = document.querySelector<HTMLElement>('#bars li .number')!;
      number.textContent = '100 %';
      const { left, right } = number.getBoundingClientRect();
      const item = number.parentElement!.getBoundingClientRect();
      return {
        bars: [...document.querySelectorAll<HTMLElement>('#bars i')].map(({ offsetWidth }) => offsetWidth),
        cut: number.scrollWidth - number.clientWidth,
        beyond: right - item.right,
        before: item.left - left,
      };
    });
    expect(Math.min(...found.bars) >= 40, `bars are ${found.bars} pixels wide`);
    expect(found.cut <= 0 && found.beyond <= 0.5 && found.before <= 0, JSON.stringify(found));
    return `bars of ${found.bars[0]} pixels`;
  });

  await check('phone: the legend has the last values and samples of the lines', async () => {
    await page.waitForFunction(() => document.getElementById('figure-accuracy')!.textContent !== '–', undefined, LIMIT);
    await page.click('#pause');
    await page.waitForTimeout(500);
    const [training, validation, place] = await page.locator('#loss-chart .chart-legend li').allTextContents();
    const loss = await page.textContent('#figure-loss');
    expect(training.startsWith(`training ${loss}, smoothed `), `"${training}" for a loss of ${loss}`);
    expect(/^validation \d\.\d{4}$/.test(validation) && /^at step \d+$/.test(place), `${validation}; ${place}`);
    const accuracy = Number.parseFloat((await page.textContent('#figure-accuracy'))!) / 100;
    const shown = (await page.locator('#accuracy-chart .chart-legend li').nth(1).textContent())!;
    expect(Math.abs(Number(shown.replace('validation ', '')) - accuracy) < 1e-3, `${shown} for ${accuracy}`);
    expect((await page.locator('#loss-chart .chart-legend circle').count()) === 1, 'marked points have no sample');
    return training;
  });

  await check('phone: ticks of the x axis are whole steps', async () => {
    const ticks: string[] = await page.evaluate('[...window.ticks]');
    const numbers = ticks.filter((text) => /\d/.test(text));
    const broken = numbers.filter((text) => !/^\d{1,3}(,\d{3})*$/.test(text));
    expect(numbers.length > 3 && broken.length === 0, `ticks at ${numbers}`);
    return `${numbers.length} different ticks`;
  });

  await check('phone: the logarithm and the smoothing change the picture, and have names', async () => {
    const picture = () =>
      page.locator('#loss-chart canvas').evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
    const pictures = [await picture()];
    await page.getByLabel('smoothing').first().fill('0');
    await page.waitForTimeout(150);
    pictures.push(await picture());
    await page.getByLabel('logarithmic').check();
    await page.waitForTimeout(150);
    pictures.push(await picture());
    expect(new Set(pictures).size === 3, 'two of three pictures are the same');
    expect((await page.getByLabel('logarithmic').count()) === 1, 'a share of 0 to 1 has a logarithm');
    const training = (await page.locator('#loss-chart .chart-legend li').first().textContent())!;
    expect(!/smoothed/.test(training), `without smoothing the legend says ${training}`);
  });

  await check('phone: labels of the confusion matrix are whole', async () => {
    const cut = await page.evaluate(() => {
      const table = document.getElementById('confusion')!;
      // Names as long as those of Fashion-MNIST, in the same cells.
      table.classList.add('named');
      table.querySelectorAll('th').forEach((cell, k) => {
        if (k > 0) cell.textContent = 'Ankle boot';
      });
      const box = table.closest('.panel')!.getBoundingClientRect();
      return [...table.querySelectorAll('th')].filter((cell) => {
        const { left, right } = cell.getBoundingClientRect();
        return (
          cell.scrollWidth > cell.clientWidth ||
          cell.scrollHeight > cell.clientHeight ||
          left < box.left ||
          right > box.right
        );
      }).length;
    });
    expect(cut === 0, `${cut} labels are cut`);
  });
  await check('phone: axe-core finds nothing on Digits in a run', () => checkAccessible(page, 'Digits'));
  await visit.screenshot('phone-digits-run');
  await visit.close();
}

async function images(site: Site): Promise<void> {
  const visit = await site.visit('images', PHONE);
  const { page } = visit;
  await page.locator('#train:enabled').waitFor(LIMIT);
  await page.selectOption('[name=data]', '1');
  await page.locator('#train:enabled').waitFor(LIMIT);
  await page.selectOption('[name=model]', 'lenet');
  await page.click('#train');
  await stepsReach(page, 2);
  await site.check('phone: Images shows charts and predictions with the controls', async () => {
    await checkTogether(page, '#loss-chart', [...DOCK, '#loss-chart .chart-plot']);
    await checkTogether(page, '#predictions', DOCK);
  });
  await visit.close();
}

async function playground(site: Site): Promise<void> {
  const visit = await site.visit('playground', PHONE);
  const { page } = visit;
  const stage = ['#play', '#step', '#reset', '#surface', '#trainLoss', '#testAccuracy'];
  await page.locator('#play:enabled').waitFor(LIMIT);
  await page.click('#play');
  await page.waitForFunction(() => Number(document.getElementById('updates')!.textContent) > 20, undefined, LIMIT);
  await site.check('phone: every knob of the Playground is on the screen with the surface', async () => {
    await page.evaluate(() => scrollTo(0, 0));
    await checkTogether(page, '#surface', stage);
    await checkTogether(page, '#knobs', [...stage, '#knobs select', '#knobs input']);
    await checkTogether(page, '#network', [...stage, '#fewer', '#more', '#network .neuron']);
    await checkTogether(page, '#chart', ['#play', '#chart .chart-legend li']);
  });
  await site.check('phone: samples in a legend are dashed where the lines are', async () => {
    const dashed = await page
      .locator('#chart .chart-legend path')
      .evaluateAll((lines) => lines.map((line) => line.getAttribute('stroke-dasharray') !== null));
    expect(String(dashed) === 'false,false,true,true', String(dashed));
    const axes = (await page.locator('#chart .chart-tools').textContent()) ?? '';
    expect(/^↑ loss.*share right ↑$/.test(axes), axes);
  });
  await site.check('phone: axe-core finds nothing on the Playground in a run', () =>
    checkAccessible(page, 'Playground'),
  );
  await visit.screenshot('phone-playground-run');
  await visit.close();
}

async function optimizers(site: Site): Promise<void> {
  const visit = await site.visit('optimizers', PHONE);
  const { page } = visit;
  const stage = ['#play', '#step', '#reset', '#plot'];
  await page.locator('#play:enabled').waitFor(LIMIT);
  await page.click('#play');
  await page.waitForFunction(() => Number(document.getElementById('steps-adam')!.textContent) > 5, undefined, LIMIT);
  await site.check('phone: map, Play and every control of the optimizers are on the screen together', async () => {
    await page.evaluate(() => scrollTo(0, 0));
    await checkTogether(page, '#plot', stage);
    await checkTogether(page, '#knobs', [...stage, '#knobs select', '#knobs input']);
    await checkTogether(page, '#racers', [...stage, '#racers input', '#racers tbody td']);
  });
  await site.check('phone: the legend shows all seven optimizers', async () => {
    await checkTogether(page, '#chart', ['#play', '#chart .chart-legend li']);
    const items = await page.locator('#chart .chart-legend li').allTextContents();
    expect(items.length === 8 && items.slice(0, 7).every((text) => /^\w+ \d/.test(text)), items.join('; '));
  });
  await site.check('phone: axe-core finds nothing on the optimizers in a run', () =>
    checkAccessible(page, 'Optimizers'),
  );
  await visit.screenshot('phone-optimizers-run');
  await visit.close();
}

async function race(site: Site): Promise<void> {
  const visit = await site.visit('race', PHONE);
  const { page } = visit;
  await page.selectOption('[name=model]', 'mlpSmall');
  await page.fill('[name=steps]', '2000');
  await page.click('#play');
  await page.waitForFunction(() => /^[2-9]/.test(document.getElementById('compared')!.textContent!), undefined, LIMIT);
  await site.check('phone: the race shows its losses with Pause and Reset', async () => {
    const controls = ['#play', '#reset', '#state'];
    await checkTogether(page, '#losses', [...controls, '#losses .chart-plot', '#losses .chart-legend li']);
    await checkTogether(page, '#difference', controls);
  });
  await site.check('phone: axe-core finds nothing on the race in a run', () => checkAccessible(page, 'Race'));
  await visit.close();
}

async function stepsReach(page: Page, wanted: number): Promise<void> {
  const reached = (at: number) => Number.parseInt(document.getElementById('figure-step')!.textContent!, 10) >= at;
  await page.waitForFunction(reached, wanted, LIMIT);
}

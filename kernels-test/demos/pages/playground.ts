/**
 * The playground: the spiral is separated, sixty updates a second are made, and every knob changes what its name says,
 * judged by the state that the page gives as JSON. First steps of SGD are compared with their closed forms.
 */

import type { Page } from 'playwright-core';
import { expect } from '../../browser/page/check.ts';
import {
  CUT_OFF_BY_RELOAD,
  checkNoCompiling,
  checkSmooth,
  keepLongTasks,
  keepWords,
  loseDevice,
  NO_WEBGPU,
  sidewaysPixels,
} from '../page-checks.ts';
import type { Site } from '../site.ts';

/** What the page gives as JSON. */
interface State {
  readonly settings: Record<string, unknown>;
  readonly sizes: number[];
  readonly trainCount: number;
  readonly updatesPerEpoch: number;
  readonly slots: string[];
  readonly points: number[];
  readonly updates: number;
  readonly epoch: number;
  readonly trainLoss: number;
  readonly testLoss: number;
  readonly trainAccuracy?: number;
  readonly weights: { readonly kernel: number[]; readonly bias: number[] }[];
}

/** Keeps the text of the last download. */
const KEEP_JSON = `
  const make = URL.createObjectURL.bind(URL);
  URL.createObjectURL = (blob) => { window.lastDownload = blob.text(); return make(blob); };
`;

export async function test(site: Site): Promise<void> {
  await spiral(site);
  await everyKnob(site);
  await lostDevice(site);
  await onThePhone(site);
  await withoutWebGPU(site);
}

async function spiral(site: Site): Promise<void> {
  const { check } = site;
  const visit = await site.visit('playground', { initScript: KEEP_JSON + keepLongTasks });
  const { page } = visit;
  await check('playground: two hidden layers separate the spiral (> 95 % of what they train on)', async () => {
    await ready(page);
    await page.locator('#play').click();
    const reached = await until(page, 'trainAccuracy', (value) => value > 95, 60_000);
    const updates = await figure(page, 'updates');
    return `${reached} % after ${updates} updates`;
  });
  await check('playground: at least 60 updates a second on this adapter, pictures in between', async () => {
    const before = await figure(page, 'updates');
    const started = Date.now();
    await page.waitForTimeout(3000);
    const rate = (1000 * ((await figure(page, 'updates')) - before)) / (Date.now() - started);
    const pictures = await page.locator('#perFrame').textContent();
    expect(rate >= 60, `${rate.toFixed(0)} updates a second`);
    return `${rate.toFixed(0)} a second, ${pictures} between the last two pictures`;
  });
  await check('playground: no task of the page itself takes 50 ms while it trains', async () => {
    return checkSmooth(page);
  });
  await check('playground: pauses, makes single steps, plays on, resets', async () => {
    await page.locator('#play').click();
    await resting(page);
    const paused = await settled(page);
    await page.waitForTimeout(400);
    expect((await figure(page, 'updates')) === paused.updates, 'it trains on while it is paused');
    await page.locator('#step').click();
    await until(page, 'updates', (value) => value === paused.updates + 1);
    await page.locator('#play').click();
    await until(page, 'updates', (value) => value > paused.updates + 20);
    await page.locator('#play').click();
    await page.locator('#reset').click();
    const fresh = await settled(page);
    expect(fresh.updates === 0 && fresh.trainLoss > paused.trainLoss, `after Reset: update ${fresh.updates}`);
  });
  await visit.screenshot('playground-light');
  await visit.close();
}

async function everyKnob(site: Site): Promise<void> {
  const { check } = site;
  const visit = await site.visit('playground', {
    initScript: KEEP_JSON,
    search: '#optimizer=sgd&learningRate=0.1',
    allowedErrors: CUT_OFF_BY_RELOAD,
  });
  const { page } = visit;
  const knob = (name: string, body: () => Promise<unknown>) => check(`playground: knob ${name}`, body);
  await ready(page);
  const base = await settled(page);

  await knob('data: each set has its shape, and regression its values', async () => {
    const radii = ({ points }: State) => rows(points).map(([x, y]) => Math.hypot(x, y));
    const circles = await choose(page, 'data', 'circles');
    expect(
      radii(circles).every((r) => r < 2.5 || (r > 3.49 && r < 5.01)),
      'circles: a point between disc and ring',
    );
    const xor = rows((await choose(page, 'data', 'xor')).points);
    expect(
      xor.every(([x, y, c]) => (c === 1) === x * y > 0),
      'xor: a point of the wrong class',
    );
    const gaussians = rows((await choose(page, 'data', 'gaussians')).points);
    const centre = mean(gaussians.filter(([, , c]) => c === 1).map(([x]) => x));
    expect(Math.abs(centre - 2) < 0.2, `gaussians: class 1 lies around ${centre}`);
    const moons = rows((await choose(page, 'data', 'moons')).points);
    const highest = (c: number) => Math.max(...moons.filter((one) => one[2] === c).map(([, y]) => y));
    expect(highest(0) > highest(1), 'moons: the lower one is not lower');
    const plane = await choose(page, 'data', 'plane');
    expect(
      rows(plane.points).every(([x, y, v]) => Math.abs(v - (x + y) / 10) < 1e-6),
      'plane: a value beside it',
    );
    expect(plane.trainAccuracy === undefined, 'a regression has an accuracy');
    await choose(page, 'data', 'gaussianField');
    const again = await choose(page, 'data', 'spiral');
    expect(same(again.points, base.points) && same(again.weights, base.weights), 'the spiral is not the first one');
  });

  await knob('noise: the points scatter, the network stays', async () => {
    const noisy = await slide(page, 'noise', 50);
    const moved = mean(
      rows(noisy.points).map(([x, y], k) => Math.hypot(x - base.points[3 * k], y - base.points[3 * k + 1])),
    );
    expect(moved > 0.25 && moved < 0.75, `points moved by ${moved} on average`);
    expect(same(noisy.weights, base.weights), 'the weights changed');
    await slide(page, 'noise', 0);
    return `moved by ${moved.toFixed(2)} on average`;
  });

  await knob('trained on: the counts of points', async () => {
    const more = await slide(page, 'trainShare', 80);
    expect(more.trainCount === 400 && base.trainCount === 250, `${more.trainCount} points instead of 400`);
    expect(same(more.points, base.points) && more.trainLoss !== base.trainLoss, 'the same points shall be split');
    await slide(page, 'trainShare', 50);
  });

  await knob('batch size: updates of an epoch, and the first step', async () => {
    const all = await enter(page, 'batchSize', '250');
    expect(all.updatesPerEpoch === 1 && base.updatesPerEpoch === 16, `${all.updatesPerEpoch} updates an epoch`);
    const one = await step(page);
    const two = await step(page);
    expect(two.epoch === one.epoch + 1, `epoch ${one.epoch}, then ${two.epoch}`);
    const small = await restarted(page, () => enter(page, 'batchSize', '16'));
    expect(!same((await step(page)).weights, one.weights), 'another batch gives the same step');
    expect(small.updates === 0, 'Reset is not at update 0');
  });

  await knob('learning rate: ten times the rate, ten times the first step; nothing restarts', async () => {
    const long = difference((await firstStep(page)).weights, base.weights);
    await enter(page, 'learningRate', '0.01');
    const before = await settled(page);
    expect(before.updates === 1, `at update ${before.updates} instead of 1`);
    const short = difference((await firstStep(page)).weights, base.weights);
    await enter(page, 'learningRate', '0.1');
    const ratio = norm(long) / norm(short);
    expect(Math.abs(ratio - 10) < 0.01, `steps have ratio ${ratio}`);
    return `ratio ${ratio.toFixed(4)}`;
  });

  await knob('regularisation and its rate: the penalty’s own gradient is added', async () => {
    const plain = flat((await firstStep(page)).weights);
    const start = flat(base.weights);
    const kernels = base.weights.flatMap(({ kernel, bias }) => [...kernel.map(() => 1), ...bias.map(() => 0)]);
    const found: string[] = [];
    for (const [penalty, rate] of [
      ['l2', 0.01],
      ['l2', 0.02],
      ['l1', 0.01],
    ] as const) {
      await enter(page, 'penaltyRate', String(rate));
      await choose(page, 'penalty', penalty);
      const weights = flat((await firstStep(page)).weights);
      const expected = start.map((w, k) => -0.1 * rate * kernels[k] * (penalty === 'l2' ? 2 * w : Math.sign(w)));
      const error = Math.max(...weights.map((w, k) => Math.abs(w - plain[k] - expected[k])));
      expect(error < 1e-6, `${penalty} at ${rate}: a weight is off by ${error}`);
      found.push(`${penalty} ${rate}: ${error.toExponential(1)}`);
    }
    await choose(page, 'penalty', 'l2');
    await enter(page, 'penaltyRate', '0.05');
    await page.locator('#play').click();
    await until(page, 'updates', (value) => value > 300);
    await page.locator('#play').click();
    const shrunk = await settled(page);
    expect(norm(flat(shrunk.weights)) < 0.8 * norm(start), 'L2 does not make the weights smaller');
    await choose(page, 'penalty', 'none');
    await page.locator('#reset').click();
    return `largest errors ${found.join(', ')}`;
  });

  await knob('activation: other answers of the same weights', async () => {
    const losses = new Set([(await settled(page)).trainLoss]);
    for (const name of ['tanh', 'relu', 'leakyRelu', 'elu', 'gelu', 'sigmoid', 'linear', 'silu']) {
      const state = await choose(page, 'activation', name);
      expect(same(state.weights, base.weights), `${name} changed the weights`);
      losses.add(state.trainLoss);
    }
    expect(losses.size === 8, `${losses.size} different losses of 8 activations`);
  });

  await knob('optimizer: what it keeps, and its first two steps', async () => {
    const expected = {
      sgd: 0,
      momentum: 1,
      nesterov: 1,
      adagrad: 1,
      adadelta: 2,
      rmsprop: 1,
      adam: 2,
      nadam: 2,
      lion: 1,
    };
    const ends = new Map<string, number[]>();
    for (const [name, slots] of Object.entries(expected)) {
      await choose(page, 'optimizer', name);
      const state = await firstStep(page);
      expect(state.slots.length === slots, `${name} keeps ${state.slots}`);
      ends.set(name, flat((await step(page)).weights));
    }
    await choose(page, 'optimizer', 'sgd');
    const distinct = new Set([...ends.values()].map(String)).size;
    expect(distinct === 9, `${distinct} different ends of 9 optimizers`);
  });

  await knob('hidden layers and neurons: shapes of the weights', async () => {
    const sizes = async (expected: number[], state: State) => {
      expect(same(state.sizes, expected), `sizes ${state.sizes} instead of ${expected}`);
      const shapes = state.weights.map(({ kernel, bias }) => [kernel.length, bias.length]);
      expect(
        same(
          shapes,
          expected.slice(1).map((n, k) => [n * expected[k], n]),
        ),
        `shapes ${JSON.stringify(shapes)}`,
      );
      expect(state.updates === 0, 'it did not start anew');
    };
    await sizes([2, 5, 8, 1], await enter(page, 'layer-1', '5'));
    await sizes([2, 5, 1, 1], await enter(page, 'layer-2', '1'));
    await sizes([2, 5, 1, 4, 1], await press(page, 'more'));
    await sizes([2, 5, 1, 4, 4, 1], await press(page, 'more'));
    expect(await page.locator('#more').isDisabled(), 'a fifth layer is offered');
    for (let k = 3; k >= 0; k--) await press(page, 'fewer');
    await sizes([2, 1], await settled(page));
    await press(page, 'more');
    await press(page, 'more');
    await enter(page, 'layer-1', '8');
    await sizes([2, 8, 8, 1], await enter(page, 'layer-2', '8'));
  });

  await knob('inputs: each can be switched on, the last one not off', async () => {
    for (const name of ['xx', 'yy', 'xy', 'sinX', 'sinY']) {
      await page.locator(`[data-feature=${name}]`).click();
      await settled(page);
    }
    const all = await settled(page);
    expect(all.sizes[0] === 7 && all.weights[0].kernel.length === 56, `${all.sizes[0]} inputs`);
    for (const name of ['xx', 'yy', 'xy', 'sinX', 'sinY', 'y', 'x']) {
      await page.locator(`[data-feature=${name}]`).click();
      await settled(page);
    }
    expect(same((await settled(page)).settings.features, ['x']), 'the last input was switched off');
    await notice(page, /at least one input/);
    await page.locator('[data-feature=y]').click();
  });

  await knob('seed: other weights and points, the same again for the same seed', async () => {
    const other = await enter(page, 'seed', '7');
    expect(!same(other.weights, base.weights), 'the same weights for another seed');
    const again = await enter(page, 'seed', '1');
    expect(
      same(again.weights, base.weights) && same(again.points, base.points),
      'seed 1 gives another start than before',
    );
  });

  await knob('view: held-out points and two colours change the picture alone', async () => {
    const picture = () => page.locator('#surface').evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
    const plain = await picture();
    await page.locator('#showTest').check();
    const withTest = await picture();
    await page.locator('#discrete').check();
    const discrete = await picture();
    await page.locator('#network .neuron').nth(9).hover();
    const neuron = await picture();
    expect(new Set([plain, withTest, discrete, neuron]).size === 4, 'two of four pictures are the same');
    expect(
      /Neuron 3 of layer 1: bias/.test((await page.locator('#about').textContent()) ?? ''),
      'the neuron is not told',
    );
    await page.locator('h1').hover();
    expect((await settled(page)).updates === 0, 'the view restarted or trained');
  });

  await check('playground: bad input gives a message, and the last valid value stays', async () => {
    for (const [id, bad] of [
      ['batchSize', ''],
      ['batchSize', '2.5'],
      ['batchSize', '501'],
      ['learningRate', '-1'],
      ['layer-1', '9'],
    ]) {
      const field = page.locator(`#${id}`);
      const before = await field.inputValue();
      await field.fill(bad);
      await field.press('Enter');
      await notice(page, /takes a (whole )?number from .* stays at/);
      expect((await field.inputValue()) === before, `${id} is ${await field.inputValue()} after "${bad}"`);
      await page.locator('#notices button').first().click();
    }
    await page.locator('#seed').pressSequentially('e');
    await page.locator('#seed').press('Tab');
    await notice(page, /Seed takes a whole number/);
    expect(same((await settled(page)).weights, base.weights), 'bad input changed the network');
  });

  await check('playground: steps that are too large end with a message, not with a frozen page', async () => {
    await choose(page, 'data', 'plane');
    await enter(page, 'learningRate', '10');
    await page.locator('#play').click();
    await notice(page, /The loss is no longer a number/);
    expect((await page.locator('#play').textContent()) === 'Play', 'it plays on');
    await enter(page, 'learningRate', '0.1');
    const { trainLoss } = await press(page, 'reset');
    expect(Number.isFinite(trainLoss), `the loss is ${trainLoss} after Reset`);
  });

  await check('playground: the address holds the knobs', async () => {
    await choose(page, 'data', 'xor');
    await page.reload();
    await ready(page);
    const { settings } = await settled(page);
    expect(settings.data === 'xor' && settings.optimizer === 'sgd', JSON.stringify(settings));
  });
  await visit.close();
}

async function lostDevice(site: Site): Promise<void> {
  const visit = await site.visit('playground', { initScript: KEEP_JSON });
  const { page } = visit;
  await site.check('playground: a lost device is replaced, and the training goes on', async () => {
    await ready(page);
    await page.locator('#play').click();
    await until(page, 'trainAccuracy', (value) => value > 90, 60_000);
    await page.waitForTimeout(1200);
    const before = await figure(page, 'updates');
    await loseDevice(page);
    const text = await notice(page, /A new one continues from update \d+/, 20_000);
    const from = Number(/from update (\d+)/.exec(text)?.[1]);
    await until(page, 'updates', (value) => value > from + 30, 20_000);
    const accuracy = await figure(page, 'trainAccuracy');
    expect(from > 0 && from <= before + 500 && accuracy > 70, `from update ${from}, ${accuracy} % right`);
    return `${text} (${accuracy} % right)`;
  });
  await visit.close();
}

async function onThePhone(site: Site): Promise<void> {
  const options = { width: 380, height: 800, colorScheme: 'dark', initScript: KEEP_JSON } as const;
  const visit = await site.visit('playground', {
    ...options,
    search: '#hidden=8,8,8,8&data=circles&activation=tanh&learningRate=0.01',
  });
  const { page } = visit;
  await site.check('playground: fits a phone with four hidden layers; arrow keys walk over the neurons', async () => {
    await ready(page);
    await page.locator('#play').click();
    await until(page, 'updates', (value) => value > 100, 30_000);
    await page.locator('#play').click();
    await settled(page);
    const over = await sidewaysPixels(page);
    expect(over <= 0, `${over} pixels too wide`);
    await page.locator('#network .neuron').first().focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    const label = await page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
    expect(label === 'Neuron 2 of layer 1', `the focus is on ${label}`);
  });
  await visit.screenshot('playground-phone-dark');
  await visit.close();
}

async function withoutWebGPU(site: Site): Promise<void> {
  const visit = await site.visit('playground', { initScript: NO_WEBGPU + KEEP_JSON, colorScheme: 'dark' });
  const { page } = visit;
  await site.check('playground: without WebGPU it trains on the CPU, if it is told to', async () => {
    await page.locator('#no-webgpu').waitFor();
    await keepWords(page, 'about');
    expect(await page.locator('#play').isDisabled(), 'Play before consent');
    await page.getByRole('button', { name: 'Continue on the CPU' }).click();
    await ready(page);
    await page.locator('#play').click();
    await until(page, 'trainAccuracy', (value) => value > 95, 60_000);
    await page.locator('#play').click();
    const updates = await resting(page);
    await checkNoCompiling(page);
    const device = await page.locator('#device').textContent();
    expect(/CPU/.test(device ?? ''), `the foot says ${device}`);
    return `${updates} updates on ${device}`;
  });
  await visit.screenshot('playground-dark');
  await visit.close();
}

/** Waits for the first network. */
async function ready(page: Page): Promise<void> {
  await page.locator('#play:enabled').waitFor();
  await settled(page);
}

/** The state once the page shows the network that the knobs ask for. */
async function settled(page: Page): Promise<State> {
  await page.locator('#network[aria-busy=false]').waitFor({ timeout: 30_000 });
  await page.locator('#download').click();
  return page.evaluate(async () =>
    JSON.parse(await (window as unknown as { lastDownload: Promise<string> }).lastDownload),
  );
}

async function choose(page: Page, id: string, value: string): Promise<State> {
  await page.locator(`#${id}`).selectOption(value);
  return settled(page);
}

async function slide(page: Page, id: string, value: number): Promise<State> {
  await page.locator(`#${id}`).fill(String(value));
  return settled(page);
}

async function enter(page: Page, id: string, value: string): Promise<State> {
  await page.locator(`#${id}`).fill(value);
  await page.locator(`#${id}`).press('Enter');
  return settled(page);
}

async function press(page: Page, id: string): Promise<State> {
  await page.locator(`#${id}`).click();
  return settled(page);
}

async function step(page: Page): Promise<State> {
  const next = (await figure(page, 'updates')) + 1;
  await page.locator('#step').click();
  await until(page, 'updates', (value) => value === next);
  return settled(page);
}

/** Fresh weights, then one update. */
async function firstStep(page: Page): Promise<State> {
  await press(page, 'reset');
  return step(page);
}

async function restarted(page: Page, change: () => Promise<unknown>): Promise<State> {
  await change();
  return press(page, 'reset');
}

async function figure(page: Page, id: string): Promise<number> {
  return Number.parseFloat((await page.locator(`#${id}`).textContent()) ?? '');
}

async function until(page: Page, id: string, holds: (value: number) => boolean, timeout = 10_000): Promise<number> {
  const end = Date.now() + timeout;
  for (;;) {
    const value = await figure(page, id);
    if (holds(value)) return value;
    expect(Date.now() < end, `${id} is still ${value} after ${timeout} ms`);
    await page.waitForTimeout(50);
  }
}

/** The updates once they stand still: the last picture of what was paused is still on its way. */
async function resting(page: Page): Promise<number> {
  for (let last = Number.NaN, tries = 0; tries < 10; tries++) {
    const updates = await figure(page, 'updates');
    if (updates === last) return updates;
    last = updates;
    await page.waitForTimeout(300);
  }
  throw new Error('Pause is not heard: it trains on for three seconds');
}

async function notice(page: Page, pattern: RegExp, timeout = 5000): Promise<string> {
  const found = page.locator('.notice > div:first-child', { hasText: pattern }).first();
  await found.waitFor({ timeout });
  return (await found.textContent()) ?? '';
}

const rows = (points: number[]): number[][] =>
  Array.from({ length: points.length / 3 }, (_, k) => points.slice(3 * k, 3 * k + 3));
const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const flat = (weights: State['weights']): number[] => weights.flatMap(({ kernel, bias }) => [...kernel, ...bias]);
const norm = (values: number[]): number => Math.hypot(...values);
const difference = (a: State['weights'], b: State['weights']): number[] =>
  flat(a).map((value, k) => value - flat(b)[k]);
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

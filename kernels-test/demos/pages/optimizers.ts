/**
 * The optimizer race: every path is compared with its update rule, written out here in plain numbers; the saddle is
 * left or not as theory says; who diverges is said to; start, rates, switches, speed and backend do what they are for.
 */

import type { Page } from 'playwright-core';
import { expect } from '../../browser/page/check.ts';
import { CUT_OFF_BY_RELOAD, checkSmooth, keepLongTasks, loseDevice, sidewaysPixels } from '../page-checks.ts';
import type { Site } from '../site.ts';

interface RacerState {
  readonly name: string;
  readonly rate: number;
  readonly height: number;
  readonly steps: number;
  readonly diverged: number | null;
  /** x, y of each place. */
  readonly places: number[];
}

interface State {
  readonly surface: string;
  readonly start: [number, number];
  readonly steps: number;
  readonly racers: RacerState[];
}

const KEEP_JSON = `
  const make = URL.createObjectURL.bind(URL);
  URL.createObjectURL = (blob) => { window.lastDownload = blob.text(); return make(blob); };
`;
const STEPS = 40;

export async function test(site: Site): Promise<void> {
  await paths(site);
  await saddle(site);
  await controls(site);
  await onTheGpu(site);
  await onThePhone(site);
}

async function paths(site: Site): Promise<void> {
  const { check } = site;
  const visit = await site.visit('optimizers', { initScript: KEEP_JSON, search: '#surface=ravine' });
  const { page } = visit;
  await ready(page);
  await check('optimizers: each path is that of its update rule (Keras’ formulas)', async () => {
    const state = await run(page, STEPS);
    const found: string[] = [];
    for (const { name, rate, places } of state.racers) {
      const rule = RULES[name](rate);
      let place: Pair = [...state.start];
      let worst = 0;
      for (let k = 1; k <= STEPS; k++) {
        // The ravine is x²/20 + 5 y².
        const change = rule([place[0] / 10, 10 * place[1]], k);
        place = [place[0] + change[0], place[1] + change[1]];
        worst = Math.max(worst, Math.abs(places[2 * k] - place[0]), Math.abs(places[2 * k + 1] - place[1]));
      }
      expect(worst < 2e-5, `${name} is off by ${worst} within ${STEPS} steps`);
      found.push(`${name} ${worst.toExponential(0)}`);
    }
    return `largest difference over ${STEPS} steps: ${found.join(', ')}`;
  });

  await check('optimizers: plain descent in the ravine is (1 − rate · curvature)ᵏ, to the closed form', async () => {
    const { racers, start } = await state(page);
    const { rate, places } = racers.find(({ name }) => name === 'sgd')!;
    for (const k of [1, 10, STEPS]) {
      const x = start[0] * (1 - rate / 10) ** k;
      const y = start[1] * (1 - 10 * rate) ** k;
      const error = Math.hypot(places[2 * k] - x, places[2 * k + 1] - y);
      expect(error < 1e-5, `off by ${error} after ${k} steps`);
    }
  });

  await check('optimizers: too large a rate is shown as diverged, without a NaN; the others go on', async () => {
    await enter(page, 'rate-sgd', '0.25');
    await press(page, 'reset');
    const { racers } = await run(page, 60);
    const { diverged, places } = racers.find(({ name }) => name === 'sgd')!;
    // |1 − 10 · 0.25| = 1.5 a step, from 3, until 100 sizes of the surface.
    const expected = Math.ceil(Math.log(1000 / 3) / Math.log(1.5));
    expect(diverged === expected, `diverged at step ${diverged} instead of ${expected}`);
    expect(
      places.every((value) => Number.isFinite(value)),
      'a place is not finite',
    );
    expect((await text(page, 'state-sgd')) === `diverged, step ${expected}`, await text(page, 'state-sgd'));
    expect(
      racers.every((one) => one.name === 'sgd' || (one.diverged === null && one.steps >= 60)),
      'another one is out',
    );
    expect(!/NaN|Infinity/.test(await page.locator('main').innerText()), 'the page says NaN');
  });
  await check('optimizers: a rate of 100 gets a word, and who has left the map is said to', async () => {
    await enter(page, 'rate-sgd', '0.01');
    await enter(page, 'rate-adam', '100');
    await page.locator('.notice', { hasText: /100 is 500 times the usual rate of Adam \(0\.2\)/ }).waitFor();
    await press(page, 'reset');
    const adam = (await run(page, 3)).racers.find(({ name }) => name === 'adam')!;
    const [x, y] = adam.places.slice(-2);
    expect(adam.diverged === null && Math.max(Math.abs(x), Math.abs(y)) > 5, `Adam is at ${x}, ${y}`);
    expect((await text(page, 'state-adam')) === 'off the map', await text(page, 'state-adam'));
  });
  await check(
    'optimizers: who has arrived is less than 1e−6 above the lowest point; who circles it is near',
    async () => {
      await choose(page, 'surface', 'himmelblau');
      await enter(page, 'rate-rmsprop', '0.01');
      await choose(page, 'speed', '100000');
      const { racers } = await run(page, 800);
      const states = new Map<string, string>();
      for (const { name, height } of racers) {
        const state = await text(page, `state-${name}`);
        states.set(name, state);
        expect((state === 'arrived') === height < 1e-6, `${name} stands at ${height} and is said to be ${state}`);
      }
      // At a constant rate RMSprop never comes to rest; plain descent does.
      expect(states.get('rmsprop') === 'near' && states.get('sgd') === 'arrived', [...states].join('; '));
      return [...states].join('; ');
    },
  );
  await visit.screenshot('optimizers-diverged');
  await visit.close();
}

async function saddle(site: Site): Promise<void> {
  const { check } = site;
  const visit = await site.visit('optimizers', { initScript: KEEP_JSON, search: '#surface=saddle&x=-2.5&y=0' });
  const { page } = visit;
  await ready(page);
  await check('optimizers: from y = 0 all end on the saddle and stay', async () => {
    await choose(page, 'speed', '100000');
    const { racers } = await run(page, 600);
    for (const { name, places, height } of racers) {
      expect(
        places.every((value, k) => k % 2 === 0 || value === 0),
        `${name} left y = 0`,
      );
      if (name !== 'adadelta') expect(Math.abs(height) < 0.02, `${name} stands at height ${height}`);
    }
  });
  await check(
    'optimizers: from y = 0.01 plain descent leaves it at (1 + 2 · rate) a step, and finds a minimum',
    async () => {
      await enter(page, 'startY', '0.01');
      const { racers } = await run(page, 600);
      const { rate, places } = racers[0];
      const grown = places[2 * 20 + 1] / 0.01;
      const theory = (1 + 2 * rate) ** 20;
      expect(Math.abs(grown / theory - 1) < 1e-3, `grown ${grown} times in 20 steps; ${theory} by theory`);
      for (const name of ['sgd', 'momentum', 'nesterov', 'adam']) {
        const one = racers.find((racer) => racer.name === name)!;
        expect(Math.abs(one.height + 2) < 1e-3, `${name} stands at height ${one.height} instead of −2`);
        expect((await text(page, `state-${name}`)) === 'arrived', `${name}: ${await text(page, `state-${name}`)}`);
      }
      return `${grown.toFixed(3)} times in 20 steps; by theory ${theory.toFixed(3)}`;
    },
  );
  await visit.screenshot('optimizers-saddle');
  await visit.close();
}

async function controls(site: Site): Promise<void> {
  const { check } = site;
  const initScript = KEEP_JSON + keepLongTasks;
  const visit = await site.visit('optimizers', { initScript, allowedErrors: CUT_OFF_BY_RELOAD });
  const { page } = visit;
  await ready(page);
  const box = (await page.locator('#plot').boundingBox())!;
  const plotAt = (x: number, y: number): [number, number] => [box.x + box.width * x, box.y + box.height * y];

  await check('optimizers: a click moves the start, a drag and the arrow keys too', async () => {
    await page.mouse.click(...plotAt(0.25, 0.5));
    const clicked = (await settled(page)).start;
    expect(Math.hypot(clicked[0] + 1, clicked[1] - 1) < 0.03, `the start is at ${clicked} after a click at (−1, 1)`);
    await page.mouse.move(...plotAt(0.25, 0.5));
    await page.mouse.down();
    await page.mouse.move(...plotAt(0.6, 0.4), { steps: 4 });
    await page.mouse.up();
    const dragged = (await settled(page)).start;
    expect(Math.hypot(dragged[0] - 0.4, dragged[1] - 1.4) < 0.03, `the start is at ${dragged} after a drag`);
    await page.locator('#plot').focus();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Shift+ArrowLeft');
    const moved = (await settled(page)).start;
    const by = [moved[0] - dragged[0], moved[1] - dragged[1]];
    expect(Math.abs(by[0] + 0.008) < 2e-4 && Math.abs(by[1] - 0.08) < 2e-4, `the keys moved it by ${by}`);
    expect((await page.locator('#startX').inputValue()) === String(moved[0]), 'the field does not follow');
  });

  await check('optimizers: plays, pauses, steps, resets; the speed is kept', async () => {
    await press(page, 'step');
    await press(page, 'step');
    expect((await settled(page, 2)).steps === 2, 'two steps are not two');
    await press(page, 'reset');
    expect((await settled(page)).steps === 0, 'Reset does not start anew');
    await choose(page, 'speed', '5');
    // Played, paused and played again in one moment: it runs once, not twice as fast.
    await page.locator('#play').evaluate((play) => {
      for (let k = 0; k < 3; k++) (play as HTMLButtonElement).click();
    });
    await page.waitForTimeout(2000);
    await page.locator('#play').click();
    const { steps } = await state(page);
    expect(steps >= 3 && steps <= 13, `${steps} steps in two seconds at 5 a second`);
    await page.waitForTimeout(300);
    expect((await state(page)).steps <= steps + 1, 'it runs on while it is paused');
  });

  await check('optimizers: a rate takes effect at once; who is switched off stands still', async () => {
    const before = await state(page);
    await enter(page, 'rate-adam', '0');
    await page.locator('#on-rmsprop').uncheck();
    await choose(page, 'speed', '300');
    const after = await run(page, before.steps + 20);
    const of = (one: State, name: string) => one.racers.find((racer) => racer.name === name)!;
    const [adam, rmsprop] = [of(after, 'adam'), of(after, 'rmsprop')];
    const still = adam.places.slice(2 * (before.steps + 2));
    expect(
      still.every((value, k) => value === still[k % 2]),
      'Adam moves at a rate of 0',
    );
    expect(adam.steps >= before.steps + 20, 'the change of a rate started anew');
    expect(rmsprop.steps <= before.steps + 2, `RMSprop took ${rmsprop.steps - before.steps} steps while off`);
    expect((await text(page, 'state-rmsprop')) === 'off', await text(page, 'state-rmsprop'));
    await page.locator('#on-rmsprop').check();
    const again = await run(page, after.steps + 10);
    expect(of(again, 'rmsprop').steps > rmsprop.steps, 'RMSprop does not go on');
  });

  await check('optimizers: every surface has its relief, and the lowest points are where it says', async () => {
    const pictures = new Set<string>();
    for (const name of ['beale', 'himmelblau', 'saddle', 'ravine', 'rastrigin', 'rosenbrock']) {
      await choose(page, 'surface', name);
      await settled(page);
      await page.waitForTimeout(200);
      pictures.add(await page.locator('#plot').evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL()));
    }
    expect(pictures.size === 6, `${pictures.size} different pictures of 6 surfaces`);
    await enter(page, 'startX', '1');
    await enter(page, 'startY', '1');
    const { racers } = await run(page, 5);
    expect(
      racers.every(({ height }) => height < 1e-12),
      'a racer leaves the lowest point',
    );
  });

  await check('optimizers: bad input gives a message, and the last valid value stays', async () => {
    for (const [id, bad] of [
      ['startX', '7'],
      ['startY', ''],
      ['rate-sgd', '-0.1'],
    ]) {
      const before = await page.locator(`#${id}`).inputValue();
      await enter(page, id, bad);
      await page.locator('.notice', { hasText: /takes a number from .* stays at/ }).waitFor({ timeout: 5000 });
      expect((await page.locator(`#${id}`).inputValue()) === before, `${id} took "${bad}"`);
      await page.locator('#notices button').first().click();
    }
  });

  await check('optimizers: no task of the page itself takes 50 ms while it runs', async () => {
    await choose(page, 'surface', 'himmelblau');
    await choose(page, 'speed', '300');
    await page.locator('#play').click();
    await page.waitForTimeout(500);
    const found = await checkSmooth(page);
    await page.locator('#play').click();
    return found;
  });

  await check('optimizers: the address holds the race', async () => {
    await enter(page, 'rate-adam', '0.3');
    await page.reload();
    await ready(page);
    const { surface, racers } = await state(page);
    expect(surface === 'himmelblau' && racers[6].rate === 0.3, `${surface}, rate ${racers[6].rate}`);
    await choose(page, 'speed', '300');
    await run(page, 150);
  });
  await visit.screenshot('optimizers-light');
  await visit.close();
}

async function onTheGpu(site: Site): Promise<void> {
  const visit = await site.visit('optimizers', { initScript: KEEP_JSON, search: '#surface=himmelblau' });
  const { page } = visit;
  await ready(page);
  await site.check('optimizers: on the GPU the paths are the same, to single precision', async () => {
    const cpu = await run(page, 30);
    await choose(page, 'backend', 'webgpu');
    await page.locator('#device', { hasText: /swiftshader/i }).waitFor();
    await press(page, 'reset');
    const gpu = await run(page, 30);
    const differences = gpu.racers.map(({ places }, k) =>
      Math.max(...places.slice(0, 62).map((value, i) => Math.abs(value - cpu.racers[k].places[i]))),
    );
    expect(Math.max(...differences) < 1e-3, `paths differ by ${differences}`);
    return `largest difference over 30 steps ${Math.max(...differences).toExponential(1)}`;
  });
  await site.check('optimizers: a lost device is replaced, and the race goes on', async () => {
    await page.locator('#play').click();
    await until(page, (one) => one.steps > 40);
    await loseDevice(page);
    const notice = page.locator('.notice', { hasText: /A new one continues from step \d+; \d+ steps were lost/ });
    await notice.waitFor({ timeout: 20_000 });
    const from = Number(/from step (\d+)/.exec((await notice.textContent()) ?? '')?.[1]);
    const after = await until(page, (one) => one.steps > from + 10);
    await page.locator('#play').click();
    expect(
      after.racers.every(({ places, steps }) => places.length === 2 * (steps + 1)),
      'a path has a gap',
    );
    expect(from > 0, `it went on from step ${from}`);
    return `from step ${from}`;
  });
  await visit.close();
}

async function onThePhone(site: Site): Promise<void> {
  const options = { width: 380, height: 800, colorScheme: 'dark', initScript: KEEP_JSON } as const;
  const visit = await site.visit('optimizers', { ...options, search: '#surface=beale' });
  const { page } = visit;
  await site.check('optimizers: fits a phone, in the dark', async () => {
    await ready(page);
    await choose(page, 'speed', '300');
    await run(page, 200);
    const over = await sidewaysPixels(page);
    expect(over <= 0, `${over} pixels too wide`);
  });
  await visit.screenshot('optimizers-phone-dark');
  await visit.close();
}

async function ready(page: Page): Promise<void> {
  await page.locator('#play:enabled').waitFor();
  await settled(page);
}

/** The state when the race that was asked for stands at its start (or has taken `steps`). */
async function settled(page: Page, steps = 0): Promise<State> {
  await page.locator('#plot[aria-busy=false]').waitFor();
  return until(page, (one) => one.steps >= steps);
}

/** Plays until all that are on took `steps` steps, then pauses. */
async function run(page: Page, steps: number): Promise<State> {
  await page.locator('#plot[aria-busy=false]').waitFor();
  await page.locator('#play').click();
  await until(page, (one) => one.steps >= steps, 30_000);
  await page.locator('#play').click();
  await page.waitForTimeout(150);
  return state(page);
}

async function state(page: Page): Promise<State> {
  return page.evaluate(async () => {
    document.getElementById('download')!.click();
    return JSON.parse(await (window as unknown as { lastDownload: Promise<string> }).lastDownload);
  });
}

async function until(page: Page, holds: (state: State) => boolean, timeout = 15_000): Promise<State> {
  const end = Date.now() + timeout;
  for (;;) {
    const now = await state(page);
    if (holds(now)) return now;
    expect(Date.now() < end, `the race is still at step ${now.steps} after ${timeout} ms`);
    await page.waitForTimeout(60);
  }
}

async function enter(page: Page, id: string, value: string): Promise<void> {
  await page.locator(`#${id}`).fill(value);
  await page.locator(`#${id}`).press('Enter');
}

const choose = (page: Page, id: string, value: string) => page.locator(`#${id}`).selectOption(value);
const press = (page: Page, id: string) => page.locator(`#${id}`).click();
const text = async (page: Page, id: string): Promise<string> => (await page.locator(`#${id}`).textContent()) ?? '';

type Pair = [number, number];
/** Gradient and number of the step (from 1) → change of the place. */
type Rule = (gradient: Pair, step: number) => Pair;

/** Each coordinate by itself: `change` of a gradient with what it keeps, which starts from `kept`. */
function each<K extends object>(kept: () => K, change: (g: number, kept: K, step: number) => number): Rule {
  const [x, y] = [kept(), kept()];
  return ([gx, gy], step) => [change(gx, x, step), change(gy, y, step)];
}

const EPSILON = 1e-7;
const RULES: Readonly<Record<string, (rate: number) => Rule>> = {
  sgd: (rate) => each(Object, (g) => -rate * g),
  momentum: (rate) =>
    each(
      () => ({ v: 0 }),
      (g, kept) => (kept.v = 0.9 * kept.v - rate * g),
    ),
  nesterov: (rate) =>
    each(
      () => ({ v: 0 }),
      (g, kept) => {
        kept.v = 0.9 * kept.v - rate * g;
        return 0.9 * kept.v - rate * g;
      },
    ),
  adagrad: (rate) =>
    each(
      () => ({ sum: 0.1 }),
      (g, kept) => {
        kept.sum += g * g;
        return (-rate * g) / Math.sqrt(kept.sum + EPSILON);
      },
    ),
  adadelta: (rate) =>
    each(
      () => ({ squares: 0, changes: 0 }),
      (g, kept) => {
        kept.squares = 0.95 * kept.squares + 0.05 * g * g;
        const change = (g * Math.sqrt(kept.changes + EPSILON)) / Math.sqrt(kept.squares + EPSILON);
        kept.changes = 0.95 * kept.changes + 0.05 * change * change;
        return -rate * change;
      },
    ),
  rmsprop: (rate) =>
    each(
      () => ({ squares: 0 }),
      (g, kept) => {
        kept.squares = 0.9 * kept.squares + 0.1 * g * g;
        return (-rate * g) / Math.sqrt(kept.squares + EPSILON);
      },
    ),
  adam: (rate) =>
    each(
      () => ({ m: 0, v: 0 }),
      (g, kept, step) => {
        kept.m = 0.9 * kept.m + 0.1 * g;
        kept.v = 0.999 * kept.v + 0.001 * g * g;
        const alpha = (rate * Math.sqrt(1 - 0.999 ** step)) / (1 - 0.9 ** step);
        return (-alpha * kept.m) / (Math.sqrt(kept.v) + EPSILON);
      },
    ),
};

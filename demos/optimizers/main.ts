/** The page of the optimizer race: a map, a table, a chart, and the worker that runs the race. */

import './optimizers.css';
import { download } from '../shared/download.ts';
import { LineChart } from '../shared/line-chart.ts';
import { NumberField } from '../shared/number-field.ts';
import { PlayControls } from '../shared/play-controls.ts';
import { element, messageOf, notify, startPage } from '../shared/shell.ts';
import { keepWorker } from '../shared/worker/start.ts';
import { palette, seriesOf } from './colors.ts';
import { freshTrails, Plot, type Trail } from './plot.ts';
import type { News, RacerNews, Relief } from './protocol.ts';
import {
  distance,
  fromHash,
  NAMES,
  OPTIMIZERS,
  type OptimizerName,
  type Place,
  RATE_LIMITS,
  type Race,
  SURFACES,
  type SurfaceName,
  surfaceOf,
  toHash,
  usualRace,
  withinSurface,
} from './surfaces.ts';

/** Less than this above the lowest point is there; nearer than that to one is near. */
const ARRIVED = 1e-6;
const NEAR = 0.01;
/** Times the usual rate of a surface from which on there is something to say. */
const LARGE = 20;
/** Heights below this are drawn at it: 0 has no logarithm. */
const FLOOR = 1e-9;
/** Pictures of the map for each picture of the chart, which costs more. */
const FRAMES_PER_CHART = 4;

startPage();
const { race: first, refused } = fromHash(location.hash);
if (refused.length > 0) {
  const text = `The URL has values that cannot be set: ${refused.join(', ')}. Defaults are used instead.`;
  notify(text, { kind: 'warning' });
}

let race: Race = first;
let relief: Relief | undefined;
let news: News | undefined;
let frames = 0;
/** Heights that the chart does not have yet, and the step of the first of them. */
let charted: { readonly step: number; readonly heights: (number | null)[] }[] = [];
const off = new Set<OptimizerName>();
let trails: Trail[] = freshTrails(race.start, off);
const latest = new Map<OptimizerName, RacerNews>();

const canvas = element<HTMLCanvasElement>('plot');
const plot = new Plot(canvas, surfaceOf(race.surface), race.start, palette());
const chart = new LineChart(element('chart'), {
  label: 'Height above the lowest point',
  xLabel: 'step',
  yLabel: 'height',
  empty: 'Press Play to see the height of each optimizer here.',
  logarithmic: true,
  floor: FLOOR,
  series: NAMES.map((name) => ({ label: OPTIMIZERS[name], color: seriesOf(name), digits: 4 })),
});
const engine = keepWorker('optimizers', () => controls.die());
const controls = new PlayControls<News>({
  engine,
  unit: 'step',
  draw: (next) => {
    if (!busy && (news === undefined || next.race === news.race)) take(next);
  },
  onRecovered: () => {
    trails = trails.map((trail) => ({ ...trail, places: [] }));
    chart.clear();
    charted = [];
  },
  onEnded: (at) => notify(`${at} steps: the race ends here. Reset starts it again.`, { key: 'ended' }),
  onFailed: (message) => notify(`${message} Reset starts the race again.`, { kind: 'error', key: 'failed' }),
});

const surfaceField = element<HTMLSelectElement>('surface');
surfaceField.append(...Object.entries(SURFACES).map(([name, { title }]) => new Option(title, name)));
const rateFields = new Map(NAMES.map((name) => [name, rateField(name)]));
let startFields = placeFields();

/** Begins the race that is asked for; of several that were asked for meanwhile, the last. */
let wanted = false;
let busy = false;
async function begin(): Promise<void> {
  wanted = true;
  if (busy || !controls.ready) return;
  busy = true;
  canvas.setAttribute('aria-busy', 'true');
  try {
    while (wanted) {
      wanted = false;
      const now = race;
      trails = freshTrails(now.start, off).map((trail) => ({ ...trail, places: [] }));
      chart.clear();
      charted = [];
      await engine.setOff([...off]);
      take(await engine.begin(now));
      controls.begun();
    }
  } catch (error) {
    notify(messageOf(error), { kind: 'error', key: 'begin' });
  } finally {
    busy = false;
    canvas.setAttribute('aria-busy', 'false');
  }
}

async function changeSurface(surface: SurfaceName): Promise<void> {
  relief = undefined;
  setRace(usualRace(surface));
  for (const [name, field] of rateFields) field.value = race.rates[name];
  startFields = placeFields();
  await showRelief();
}

function setRace(next: Race): void {
  race = next;
  history.replaceState(null, '', `#${toHash(race)}`);
  const surface = surfaceOf(race.surface);
  surfaceField.value = race.surface;
  element('about').textContent =
    `${surface.formula}, for x from ${span(surface.x)} and y from ${span(surface.y)}. ${surface.about}`;
  plot.show(surface, race.start, relief);
  void begin();
}

const span = ([low, high]: readonly [number, number]): string => `${low} to ${high}`.replaceAll('-', '−');

function setStart(place: Place): void {
  const rounded = withinSurface(surfaceOf(race.surface), place).map((value) => Number(value.toFixed(4)));
  setRace({ ...race, start: [rounded[0], rounded[1]] });
  startFields.x.value = rounded[0];
  startFields.y.value = rounded[1];
}

async function showRelief(): Promise<void> {
  const { surface } = race;
  const found = await engine.relief(surface);
  if (surface !== race.surface) return;
  relief = found;
  plot.show(surfaceOf(surface), race.start, relief);
}

/** Takes news of this race in and shows them. */
function take(next: News): void {
  news = next;
  trails = trails.map((trail) => {
    const one = next.racers.find(({ name }) => name === trail.name)!;
    latest.set(trail.name, one);
    (trail.places as number[]).push(...one.places);
    return { ...trail, shown: !off.has(trail.name), diverged: one.diverged !== undefined };
  });
  plot.follow(trails);
  for (const one of next.racers) showRow(one);
  element('pace').textContent = controls.playing ? `${next.stepsPerSecond.toFixed(0)} steps a second.` : '';
  for (let k = 0; k < next.heights.length; k += NAMES.length) {
    const step = next.steps - (next.heights.length - k) / NAMES.length;
    const row = Array.from(next.heights.subarray(k, k + NAMES.length));
    charted.push({ step, heights: row.map((height) => (Number.isFinite(height) ? height : null)) });
  }
  if (!controls.playing || chart.data.x.length === 0 || frames++ % FRAMES_PER_CHART === 0) {
    for (const { step, heights } of charted) chart.push(step, heights);
    charted = [];
  }
}

function showRow({ name, height, steps, diverged }: RacerNews): void {
  const surface = surfaceOf(race.surface);
  const { places } = trails[NAMES.indexOf(name)];
  const away = distance(surface, [places[places.length - 2], places[places.length - 1]]);
  const gone = diverged !== undefined;
  const above = gone ? Number.NaN : height - surface.lowest;
  const [x, y] = places.slice(-2);
  const [nearestX, nearestY] = withinSurface(surface, [x, y]);
  const outside = places.length > 0 && (x !== nearestX || y !== nearestY);
  let state = steps > 0 ? 'runs' : 'waits';
  if (outside) state = 'off the map';
  else if (above < ARRIVED) state = 'arrived';
  else if (away < NEAR) state = 'near';
  if (off.has(name)) state = 'off';
  if (gone) state = 'diverged';
  element(`row-${name}`).dataset.state = state;
  element(`loss-${name}`).textContent = Number.isFinite(above) ? above.toExponential(2).replace('-', '−') : '–';
  element(`distance-${name}`).textContent = gone ? '–' : away.toFixed(3);
  element(`steps-${name}`).textContent = String(steps);
  element(`state-${name}`).textContent = gone ? `diverged, step ${diverged}` : state;
}

function rateField(name: OptimizerName): NumberField {
  const input = element<HTMLInputElement>(`rate-${name}`);
  return new NumberField(input, `The rate of ${OPTIMIZERS[name]}`, RATE_LIMITS, race.rates[name], (rate) => {
    race = { ...race, rates: { ...race.rates, [name]: rate } };
    history.replaceState(null, '', `#${toHash(race)}`);
    void engine.setRate(name, rate);
    const usual = usualRace(race.surface).rates[name];
    if (rate < LARGE * usual) return;
    const times = Number((rate / usual).toPrecision(2)).toLocaleString('en');
    const text = `${rate} is ${times} times the usual rate of ${OPTIMIZERS[name]} (${usual}): it may leave the map.`;
    notify(text, { kind: 'warning', key: `rate-${name}` });
  });
}

/** Fields of the start; their limits are those of the surface. */
function placeFields(): { x: NumberField; y: NumberField } {
  const surface = surfaceOf(race.surface);
  const field = (id: string, name: string, [min, max]: readonly [number, number], axis: 0 | 1): NumberField => {
    // Another element, so that the listeners of the last surface's limits are gone.
    const old = element<HTMLInputElement>(id);
    const input = old.cloneNode() as HTMLInputElement;
    old.replaceWith(input);
    return new NumberField(input, name, { min, max }, race.start[axis], (value) => {
      setStart(axis === 0 ? [value, race.start[1]] : [race.start[0], value]);
    });
  };
  return { x: field('startX', 'Start x', surface.x, 0), y: field('startY', 'Start y', surface.y, 1) };
}

element('reset').addEventListener('click', () => void begin());
surfaceField.addEventListener('change', () => void changeSurface(surfaceField.value as SurfaceName));
element('speed').addEventListener('change', ({ target }) => {
  void engine.setSpeed(Number((target as HTMLSelectElement).value));
});
element('knobs').addEventListener('submit', (event) => event.preventDefault());
for (const name of NAMES) {
  element<HTMLInputElement>(`on-${name}`).addEventListener('change', ({ target }) => {
    if ((target as HTMLInputElement).checked) off.delete(name);
    else off.add(name);
    void engine.setOff([...off]);
    trails = trails.map((trail) => ({ ...trail, shown: !off.has(trail.name) }));
    plot.follow(trails);
    showRow(latest.get(name)!);
  });
}

canvas.addEventListener('pointerdown', (event) => {
  canvas.setPointerCapture(event.pointerId);
  setStart(plot.placeAt(event.clientX, event.clientY));
});
canvas.addEventListener('pointermove', (event) => {
  if (canvas.hasPointerCapture(event.pointerId)) setStart(plot.placeAt(event.clientX, event.clientY));
});
canvas.addEventListener('keydown', (event) => {
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const { x, y } = surfaceOf(race.surface);
  const share = event.shiftKey ? 0.002 : 0.02;
  setStart([race.start[0] + step[0] * share * (x[1] - x[0]), race.start[1] + step[1] * share * (y[1] - y[0])]);
});
document.addEventListener('themechange', () => {
  plot.palette = palette();
});
addEventListener('hashchange', () => location.reload());

const where = element<HTMLSelectElement>('backend');
where.addEventListener('change', async () => {
  const choice = where.value as 'cpu' | 'webgpu';
  try {
    await controls.open(choice);
  } catch (error) {
    where.value = choice === 'cpu' ? 'webgpu' : 'cpu';
    notify(`The race stays where it is: ${messageOf(error)}`, { kind: 'warning', key: 'backend' });
  }
});

element('download').addEventListener('click', () => {
  const racers = trails.map(({ name, places }) => {
    const { height, steps, diverged } = latest.get(name)!;
    return { name, rate: race.rates[name], height, steps, diverged: diverged ?? null, places };
  });
  const state = { ...race, steps: news?.steps, racers };
  download(JSON.stringify(state), 'optimizers.json');
});

await controls.open('cpu');
setRace(first);
await showRelief();

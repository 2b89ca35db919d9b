/**
 * The surfaces of the optimizer race: where they are shown, where their lowest points are, where a race starts and at
 * which rates. Their formulas, in ops, are in landscape.ts. The page and its worker share this file.
 *
 * Sources: H. H. Rosenbrock 1960; E. M. L. Beale 1958; D. M. Himmelblau 1972; L. A. Rastrigin 1974.
 */

export const OPTIMIZERS = {
  sgd: 'SGD',
  momentum: 'Momentum',
  nesterov: 'Nesterov',
  adagrad: 'Adagrad',
  adadelta: 'Adadelta',
  rmsprop: 'RMSprop',
  adam: 'Adam',
} as const;

export type OptimizerName = keyof typeof OPTIMIZERS;
export const NAMES = Object.keys(OPTIMIZERS) as OptimizerName[];

export type Place = readonly [x: number, y: number];
export type Rates = Readonly<Record<OptimizerName, number>>;

export interface Surface {
  readonly title: string;
  readonly formula: string;
  /** What there is to see. */
  readonly about: string;
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
  readonly minima: readonly Place[];
  /** Height of the minima. */
  readonly lowest: number;
  readonly start: Place;
  readonly rates: Rates;
}

const rates = (...[sgd, momentum, nesterov, adagrad, adadelta, rmsprop, adam]: number[]): Rates => ({
  sgd,
  momentum,
  nesterov,
  adagrad,
  adadelta,
  rmsprop,
  adam,
});

export const SURFACES = {
  rosenbrock: {
    title: 'Rosenbrock: a bent valley',
    formula: '(1 − x)² + 100 (y − x²)²',
    about: 'Into the valley is easy; along its flat floor to (1, 1) is not.',
    x: [-2, 2],
    y: [-1, 3],
    minima: [[1, 1]],
    lowest: 0,
    start: [-1.2, 1],
    rates: rates(0.001, 0.0005, 0.0005, 0.3, 5, 0.01, 0.05),
  },
  beale: {
    title: 'Beale: plateaus and a saddle',
    formula: '(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²',
    about: 'Steep at the corners, nearly flat in the middle, with a saddle at (0, 1).',
    x: [-4.5, 4.5],
    y: [-4.5, 4.5],
    minima: [[3, 0.5]],
    lowest: 0,
    start: [0.5, 1.6],
    rates: rates(0.005, 0.001, 0.001, 0.3, 5, 0.01, 0.05),
  },
  himmelblau: {
    title: 'Himmelblau: four minima',
    formula: '(x² + y − 11)² + (x + y² − 7)²',
    about: 'Which of the four equal minima is found depends on the optimizer, and on a small move of the start.',
    x: [-5, 5],
    y: [-5, 5],
    minima: [
      [3, 2],
      [-2.805118, 3.131312],
      [-3.77931, -3.283186],
      [3.584428, -1.848126],
    ],
    lowest: 0,
    start: [-0.5, -0.8],
    rates: rates(0.005, 0.001, 0.001, 0.5, 5, 0.02, 0.1),
  },
  saddle: {
    title: 'Saddle',
    formula: 'x² − y² + y⁴ / 8',
    about: 'Down to the saddle at (0, 0), then off to (0, ±2); with a start at y = 0 nothing ever leaves it.',
    x: [-3, 3],
    y: [-3, 3],
    minima: [
      [0, 2],
      [0, -2],
    ],
    lowest: -2,
    start: [-2.5, 0.01],
    rates: rates(0.02, 0.01, 0.01, 0.2, 5, 0.02, 0.05),
  },
  ravine: {
    title: 'Ravine: a hundred times as steep across as along',
    formula: 'x² / 20 + 5 y²',
    about: 'Plain gradient descent jumps from side to side; a rate of 0.2 or more throws it out.',
    x: [-5, 5],
    y: [-5, 5],
    minima: [[0, 0]],
    lowest: 0,
    start: [-4.5, 3],
    rates: rates(0.19, 0.02, 0.02, 0.5, 5, 0.05, 0.2),
  },
  rastrigin: {
    title: 'Rastrigin: many dimples',
    formula: '20 + x² − 10 cos 2πx + y² − 10 cos 2πy',
    about: 'A local minimum near every pair of whole numbers; what carries momentum may skip some.',
    x: [-3, 3],
    y: [-3, 3],
    minima: [[0, 0]],
    lowest: 0,
    start: [2.35, -1.6],
    rates: rates(0.002, 0.001, 0.001, 0.5, 5, 0.02, 0.1),
  },
} as const satisfies Record<string, Surface>;

export type SurfaceName = keyof typeof SURFACES;

/** What a race is made of. */
export interface Race {
  readonly surface: SurfaceName;
  readonly start: Place;
  readonly rates: Rates;
}

export const RATE_LIMITS = { min: 0, max: 100 } as const;

export const surfaceOf = (name: SurfaceName): Surface => SURFACES[name];

export function usualRace(surface: SurfaceName): Race {
  const { start, rates } = surfaceOf(surface);
  return { surface, start, rates };
}

/** `start`, moved to the nearest place that is shown. */
export function withinSurface({ x, y }: Surface, [px, py]: Place): Place {
  return [Math.max(x[0], Math.min(x[1], px)), Math.max(y[0], Math.min(y[1], py))];
}

/** From a place to the nearest of the lowest points. */
export function distance({ minima }: Surface, [x, y]: Place): number {
  return Math.min(...minima.map(([mx, my]) => Math.hypot(x - mx, y - my)));
}

/** The race as a fragment of the address: what differs from the surface's usual one. */
export function toHash({ surface, start, rates }: Race): string {
  const usual = usualRace(surface);
  const parts: [string, string][] = [['surface', surface]];
  if (String(start) !== String(usual.start)) parts.push(['x', String(start[0])], ['y', String(start[1])]);
  for (const name of NAMES) if (rates[name] !== usual.rates[name]) parts.push([name, String(rates[name])]);
  return new URLSearchParams(parts).toString();
}

/** The race in a fragment; `refused` names invalid parts, for which the defaults are used. */
export function fromHash(hash: string): { race: Race; refused: string[] } {
  const said = new URLSearchParams(hash.replace(/^#/, ''));
  const name = said.get('surface') ?? 'rosenbrock';
  const known = Object.hasOwn(SURFACES, name);
  const usual = usualRace(known ? (name as SurfaceName) : 'rosenbrock');
  const refused = known ? [] : [`surface=${name}`];
  const surface = surfaceOf(usual.surface);
  const read = (key: string, low: number, high: number, fallback: number): number => {
    const text = said.get(key);
    if (text === null) return fallback;
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (value >= low && value <= high) return value;
    refused.push(`${key}=${text}`);
    return fallback;
  };
  const start: Place = [read('x', ...surface.x, usual.start[0]), read('y', ...surface.y, usual.start[1])];
  const { min, max } = RATE_LIMITS;
  const rates = Object.fromEntries(NAMES.map((one) => [one, read(one, min, max, usual.rates[one])])) as Rates;
  const all: readonly string[] = ['surface', 'x', 'y', ...NAMES];
  for (const [key, text] of said) if (!all.includes(key)) refused.push(`${key}=${text}`);
  return { race: { surface: usual.surface, start, rates }, refused };
}

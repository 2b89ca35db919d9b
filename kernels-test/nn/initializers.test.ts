/** Initial weights: random numbers on the host, Keras' fans and scales, reproducibility, and refusals. */
import { describe, expect, test } from 'vitest';
import { HostRandom } from '../../src/nn/host-random.ts';
import {
  describeInitializer,
  fans,
  type Initializer,
  initializers,
  resolveInitializer,
} from '../../src/nn/initializers.ts';
import { expectRefusal } from '../data/refusal.ts';

describe('HostRandom', () => {
  test('streams and seeds are unrelated, and each is a function of its key', () => {
    const draw = (seed: number, stream: number) =>
      Array.from(
        { length: 9 },
        (
          (r) => () =>
            r.uint32()
        )(new HostRandom(seed, stream)),
      );
    expect(draw(1, 2)).toEqual(draw(1, 2));
    const all = [draw(1, 2), draw(1, 3), draw(2, 2), draw(2 ** 40, 2), draw(0, 2)].flat();
    expect(new Set(all).size).toBe(all.length);
  });

  test('normal numbers have mean 0 and variance 1, truncated ones stay within 2', () => {
    const r = new HostRandom(5, 0);
    const normal = Array.from({ length: 20000 }, () => r.normal());
    const truncated = Array.from({ length: 200000 }, () => r.truncatedNormal());
    expect(Math.abs(mean(normal))).toBeLessThan(0.03);
    expect(deviation(normal)).toBeCloseTo(1, 1);
    expect(truncated.reduce((max, x) => Math.max(max, Math.abs(x)), 0)).toBeLessThanOrEqual(2);
    expect(deviation(truncated)).toBeCloseTo(0.8796, 2);
  });
});

describe('initializers', () => {
  test.each([
    [[], [1, 1]],
    [[7], [7, 7]],
    [
      [3, 5],
      [3, 5],
    ],
    [
      [5, 4, 3, 8],
      [60, 160],
    ],
  ])('fans of %j are %j', (shape, expected) => expect(fans(shape)).toEqual(expected));

  // [name, deviation on [120, 84], bound of the values]
  const limit = (variance: number) => Math.sqrt(3 * variance);
  const cut = (variance: number) => (2 * Math.sqrt(variance)) / 0.87962566103423978;
  test.each([
    ['glorotUniform', 1 / 102, limit(1 / 102)],
    ['glorotNormal', 1 / 102, cut(1 / 102)],
    ['heUniform', 2 / 120, limit(2 / 120)],
    ['heNormal', 2 / 120, cut(2 / 120)],
    ['lecunUniform', 1 / 120, limit(1 / 120)],
    ['lecunNormal', 1 / 120, cut(1 / 120)],
    ['randomUniform', 0.05 ** 2 / 3, 0.05],
    ['randomNormal', 0.05 ** 2, 0.3],
    ['truncatedNormal', (0.05 * 0.8796) ** 2, 0.1],
  ] as const)('%s has its variance and stays in its bounds', (name, variance, bound) => {
    const values = [...initializers[name]().values([120, 84], 3, 1)];
    expect(Math.abs(mean(values))).toBeLessThan(0.05 * Math.sqrt(variance));
    expect(deviation(values) / Math.sqrt(variance)).toBeCloseTo(1, 1);
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(Math.fround(bound));
  });

  test('zeros, ones and constant fill', () => {
    expect([...initializers.zeros().values([2], 0, 0)]).toEqual([0, 0]);
    expect([...initializers.ones().values([2], 0, 0)]).toEqual([1, 1]);
    expect([...initializers.constant({ value: 2.5 }).values([2], 0, 0)]).toEqual([2.5, 2.5]);
    expect(initializers.zeros().values([2, 0], 0, 0)).toHaveLength(0);
  });

  test('the seed, the stream and the own seed decide the values', () => {
    const values = (initializer: Initializer, seed: number, stream: number) => [
      ...initializer.values([4], seed, stream),
    ];
    const glorot = initializers.glorotUniform();
    expect(values(glorot, 1, 0)).toEqual(values(glorot, 1, 0));
    expect(values(glorot, 1, 0)).not.toEqual(values(glorot, 2, 0));
    expect(values(glorot, 1, 0)).not.toEqual(values(glorot, 1, 1));
    const own = initializers.glorotUniform({ seed: 9 });
    expect(values(own, 1, 0)).toEqual(values(own, 2, 0));
  });

  test('each is its name and config', () => {
    for (const [name, make] of Object.entries(initializers)) {
      const made = make();
      expect(made.name).toBe(name);
      const again = resolveInitializer('test', describeInitializer(made));
      expect(again.config).toEqual(made.config);
      expect(again.values([3, 2], 1, 2)).toEqual(made.values([3, 2], 1, 2));
    }
    expect(describeInitializer(initializers.zeros())).toBe('zeros');
    const uniform = initializers.randomUniform({ maxval: 1, seed: 3 });
    expect(describeInitializer(uniform)).toEqual({
      name: 'randomUniform',
      config: { minval: -0.05, maxval: 1, seed: 3 },
    });
  });

  test('refuses unknown names, options and values', async () => {
    await expectRefusal(
      () => resolveInitializer('dense', 'glorot_uniform'),
      'argument',
      /initializer of dense: "glorot_uniform"; did you mean "glorotUniform"/,
    );
    await expectRefusal(() => resolveInitializer('dense', null), 'argument', /unknown initializer of dense: null/);
    await expectRefusal(
      () => initializers.constant({ value: Number.NaN }),
      'argument',
      /constant: value must be a finite number, found NaN/,
    );
    await expectRefusal(
      () => initializers.randomNormal({ stdev: 1 } as object),
      'argument',
      /unknown option "stdev"; did you mean "stddev"/,
    );
    await expectRefusal(
      () => initializers.heNormal({ seed: -1 }),
      'argument',
      /heNormal: seed must be a whole number of at least 0, found -1/,
    );
  });
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}

function deviation(values: readonly number[]): number {
  const m = mean(values);
  return Math.sqrt(mean(values.map((x) => (x - m) ** 2)));
}

/**
 * Learning-rate schedules against Keras 3 (golden/make/make-updates.py, f32), and what an optimizer does with one.
 */

import { describe, expect, test } from 'vitest';
import { resolveOptimizer } from '../../src/nn/optimizers/index.ts';
import { sgd } from '../../src/nn/optimizers/sgd.ts';
import {
  cosineDecay,
  cosineDecayRestarts,
  exponentialDecay,
  oneCycle,
  piecewiseConstantDecay,
  polynomialDecay,
  resolveSchedule,
  type ScheduleConfig,
  schedules,
  warmup,
} from '../../src/nn/schedules/index.ts';
import { golden } from './golden-values.ts';

describe('as Keras', () => {
  interface ScheduleCase {
    readonly name: string;
    readonly config: ScheduleConfig['config'];
    readonly steps: number[];
    readonly rates: number[];
  }
  const cases = golden<ScheduleCase[]>('schedules.json');
  test.each(cases.map((c) => [c.name, c.config, c] as const))('%s %j', (schedule, config, { steps, rates }) => {
    const made = resolveSchedule({ schedule, config });
    for (const [k, step] of steps.entries()) {
      // Keras computes in f32.
      expect(Math.abs(made.at(step) - rates[k]), `step ${step}`).toBeLessThan(1e-5 * rates[k] + 1e-7);
    }
    const again = resolveSchedule(JSON.parse(JSON.stringify({ schedule: made.name, config: made.config })));
    for (const step of steps) expect(again.at(step)).toBe(made.at(step));
  });

  test('all that Keras has', () => {
    const names = new Set([...cases.map(({ name }) => name), 'oneCycle', 'warmup']);
    expect(names).toEqual(new Set(Object.keys(schedules)));
  });
});

describe('oneCycle', () => {
  const schedule = oneCycle({ maxLearningRate: 0.1, totalSteps: 101, pctStart: 0.3 });

  test("passes through the points of PyTorch's formula", () => {
    expect(schedule.at(0)).toBeCloseTo(0.004, 12);
    // The way up ends at 0.3 · 101 − 1 = 29.3, half of it is over at 14.65.
    const half = 0.1 + (0.004 - 0.1) * 0.5 * (1 + Math.cos((Math.PI * 14) / 29.3));
    expect(schedule.at(14)).toBeCloseTo(half, 12);
    expect(schedule.at(29)).toBeGreaterThan(0.0999);
    expect(schedule.at(30)).toBeCloseTo(0.1, 4);
    const down = 4e-7 + (0.1 - 4e-7) * 0.5 * (1 + Math.cos((Math.PI * (65 - 29.3)) / (100 - 29.3)));
    expect(schedule.at(65)).toBeCloseTo(down, 12);
    expect(schedule.at(100)).toBeCloseTo(4e-7, 15);
    expect(schedule.at(5000)).toBeCloseTo(4e-7, 15);
  });

  test('comes back from its JSON, and has no hole at its ends', () => {
    const again = resolveSchedule({ schedule: schedule.name, config: schedule.config });
    for (let step = 0; step < 110; step++) expect(again.at(step)).toBe(schedule.at(step));
    for (const pctStart of [0, 0.5, 1]) {
      const short = oneCycle({ maxLearningRate: 0.1, totalSteps: 2, pctStart });
      for (let step = 0; step < 4; step++) expect(Number.isFinite(short.at(step))).toBe(true);
    }
  });
});

describe('warmup', () => {
  test('rises in a line to where the schedule starts', () => {
    const decay = exponentialDecay({ initialLearningRate: 0.2, decaySteps: 10, decayRate: 0.5 });
    const schedule = warmup(decay, 4);
    expect([0, 1, 2, 3, 4].map((step) => schedule.at(step))).toEqual([0, 0.05, 0.1, expect.closeTo(0.15, 12), 0.2]);
    expect(schedule.at(14)).toBe(decay.at(10));
    expect(warmup(0.3, 3, 0.06).at(1)).toBeCloseTo(0.14, 12);
    expect(warmup(0.3, 3).at(77)).toBe(0.3);
  });

  test('comes back from its JSON, schedule and all', () => {
    const inner = cosineDecayRestarts({ initialLearningRate: 0.1, firstDecaySteps: 5 });
    const optimizer = sgd({ learningRate: warmup(warmup(inner, 3), 2) });
    const again = resolveOptimizer('sgd', JSON.parse(JSON.stringify(optimizer.config)));
    for (let step = 1; step < 30; step++) expect(again.scalarValues(step)).toEqual(optimizer.scalarValues(step));
  });
});

test.each([
  [() => exponentialDecay({ initialLearningRate: 0.1, decaySteps: 0, decayRate: 0.5 }), /exponentialDecay: decaySteps/],
  [() => exponentialDecay({ initialLearningRate: 0.1, decaySteps: 1 } as never), /decayRate must be .* undefined/],
  [() => polynomialDecay({ initialLearningRate: 0.1, decaySteps: 5, power: -1 }), /polynomialDecay: power/],
  [() => polynomialDecay({ initialLearningRate: 0.1, decaySteps: 5, cycles: true } as never), /did you mean "cycle"/],
  [() => piecewiseConstantDecay({ boundaries: [1, 2], values: [1, 2] }), /values must be one more .* found 2 for 2/],
  [() => piecewiseConstantDecay({ boundaries: [5, 5], values: [1, 2, 3] }), /boundaries must rise; 5 comes after 5/],
  [() => piecewiseConstantDecay({ boundaries: 5, values: [1, 2] } as never), /boundaries must be a list of numbers/],
  [() => cosineDecayRestarts({ initialLearningRate: 0.1, firstDecaySteps: 5, tMul: 0.5 }), /tMul must be/],
  [() => oneCycle({ maxLearningRate: 0.1, totalSteps: 1 }), /totalSteps must be a whole number of at least 2/],
  [() => oneCycle({ maxLearningRate: 0.1, totalSteps: 9, divFactor: 0 }), /divFactor must be .* above 0, found 0/],
  [() => warmup('cosineDecay' as never, 5), /warmup: expected a schedule or a finite rate/],
  [() => warmup(0.1, 0.5), /warmup: steps must be a whole number/],
  [() => resolveSchedule({ schedule: 'cosinedecay', config: {} }), /did you mean "cosineDecay"/],
])('%s', (call, message) => {
  expect(call).toThrow(message);
});

describe('cosineDecay', () => {
  test('plain', () => {
    const schedule = cosineDecay({ initialLearningRate: 0.002, decaySteps: 100 });
    const keras = { 0: 0.002, 1: 0.0019995064940303564, 25: 0.001707106945104897, 50: 0.001, 99: 4.93466870921111e-7 };
    for (const [step, rate] of Object.entries(keras)) expect(schedule.at(Number(step))).toBeCloseTo(rate, 9);
    expect(schedule.at(100)).toBe(0);
    expect(schedule.at(150)).toBe(0);
  });

  test('with a warm-up', () => {
    const options = { initialLearningRate: 0, decaySteps: 90, alpha: 0.1, warmupTarget: 0.01, warmupSteps: 10 };
    const schedule = cosineDecay(options);
    const keras = {
      0: 0,
      1: 0.001,
      5: 0.005,
      10: 0.01,
      11: 0.009997258894145489,
      55: 0.0055,
      99: 0.0010027411626651883,
    };
    for (const [step, rate] of Object.entries(keras)) expect(schedule.at(Number(step))).toBeCloseTo(rate, 9);
    expect(schedule.at(150)).toBeCloseTo(0.001, 12);
  });

  test('refuses what is no schedule', () => {
    expect(() => cosineDecay({ initialLearningRate: Number.NaN, decaySteps: 10 })).toThrow(/initialLearningRate/);
    expect(() => cosineDecay({ initialLearningRate: 0.1, decaySteps: 0 })).toThrow(/decaySteps/);
  });
});

describe('an optimizer under a schedule', () => {
  const make = () => sgd({ learningRate: cosineDecay({ initialLearningRate: 0.1, decaySteps: 4 }) });

  test('takes the rate of each step: the first update has step 0 of the schedule', () => {
    const optimizer = make();
    const rates = [1, 2, 3, 4, 5].map((step) => optimizer.scalarValues(step)[0]);
    expect(rates[0]).toBe(0.1);
    expect(rates[2]).toBeCloseTo(0.05, 12);
    expect(rates[4]).toBe(0);
  });

  test('comes back from its JSON', () => {
    const optimizer = make();
    const again = resolveOptimizer('sgd', JSON.parse(JSON.stringify(optimizer.config)));
    expect(again.scalarValues(2)).toEqual(optimizer.scalarValues(2));
  });

  test('does not let the rate be set', () => {
    expect(() => {
      make().learningRate = 0.5;
    }).toThrow(/follows cosineDecay and cannot be set to 0.5/);
  });
});

/**
 * Learning-rate schedules against figures printed by Keras 3 (CosineDecay, f32), and what an optimizer does with one.
 */

import { describe, expect, test } from 'vitest';
import { resolveOptimizer } from '../../src/nn/optimizers/index.ts';
import { sgd } from '../../src/nn/optimizers/sgd.ts';
import { cosineDecay } from '../../src/nn/schedules/index.ts';

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

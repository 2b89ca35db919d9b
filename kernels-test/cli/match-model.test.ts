/** Which models and losses go with which data, and the targets that are made for them. */
import { describe, expect, test } from 'vitest';
import { checkOutputs, withTargets } from '../../src/cli/match-model.ts';
import { arrayDataset } from '../../src/data/dataset.ts';
import { type LossName, resolveLoss } from '../../src/nn/losses/index.ts';

const classNames = ['a', 'b', 'c'];
const classes = arrayDataset({
  ...{ name: 'three', x: new Float32Array(8), xShape: [2] },
  ...{ y: Int32Array.of(0, 2, 1, 2), classNames },
});
const numbers = arrayDataset({
  ...{ name: 'numbers', x: new Float32Array(8), xShape: [2] },
  ...{ y: Float32Array.of(0, 2, 1, 2), yShape: [1] },
});
const loss = (name: LossName) => resolveLoss(name);

describe('targets', () => {
  test('of classes are one-hot rows, ids or one probability, as the loss takes them', () => {
    const hot = withTargets(classes, 'classes', loss('categoricalCrossentropy'), [3]);
    expect([...hot.y]).toEqual([1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1]);
    expect(hot.yShape).toEqual([3]);
    // More outputs than classes are never right, and harmless.
    expect([...withTargets(classes, 'classes', loss('meanSquaredError'), [4]).y].slice(4, 8)).toEqual([0, 0, 1, 0]);
    expect(withTargets(classes, 'classes', loss('sparseCategoricalCrossentropy'), [3])).toBe(classes);
  });

  test('are refused where the model has fewer outputs than there are classes, whatever the loss', () => {
    const losses = ['categoricalCrossentropy', 'sparseCategoricalCrossentropy', 'meanSquaredError', 'hinge'] as const;
    for (const name of losses) {
      const make = (outputs: number) => () =>
        withTargets(classes, outputs === 1 ? 'yesOrNo' : 'classes', loss(name), [outputs]);
      expect(make(2)).toThrow(/"three" has 3 classes; the model has 2 outputs: its last layer needs 3 units/);
      expect(make(1)).toThrow(/"three" has 3 classes; the model has 1 output: its last layer needs 3 units/);
    }
  });

  test('with a class that the held-out part alone has are refused by their row', () => {
    const { classNames: _, ...bare } = { ...classes, classNames: ['a', 'b'] };
    const heldOut = { ...bare, classNames: ['a', 'b'] };
    const make = () => withTargets(heldOut, 'classes', loss('categoricalCrossentropy'), [2]);
    expect(make).toThrow(/"three": label 2 of example 1 has no output; expected 0 to 1 \(the model has 2 outputs\)/);
  });

  test('that are numbers do not go with a loss of classes', () => {
    for (const name of ['categoricalCrossentropy', 'sparseCategoricalCrossentropy'] as const) {
      expect(() => checkOutputs(numbers, 'numbers', loss(name), [3])).toThrow(
        /loss ".*ategoricalCrossentropy" tells classes apart; data set "numbers" has numbers to predict/,
      );
    }
    expect(withTargets(numbers, 'numbers', loss('meanSquaredError'), [1])).toBe(numbers);
  });

  test('of an autoencoder are its inputs: of bytes the 255th parts', () => {
    const bytes = arrayDataset({
      ...{ name: 'bytes', x: Uint8Array.of(0, 51, 255, 102), xShape: [2, 2, 1] },
      ...{ y: Int32Array.of(0), classNames: ['a'] },
    });
    const { y, yShape, classNames: names } = withTargets(bytes, 'input', loss('meanSquaredError'), [2, 2, 1]);
    expect([...y]).toEqual([0, 0.2, 1, 0.4].map(Math.fround));
    expect([yShape, names]).toEqual([[2, 2, 1], undefined]);
    const floats = { ...bytes, x: Float32Array.of(0, 51, 255, 102) };
    expect([...withTargets(floats, 'input', loss('meanSquaredError'), [2, 2, 1]).y]).toEqual([0, 51, 255, 102]);
  });
});

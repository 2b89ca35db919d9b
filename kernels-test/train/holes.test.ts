/** Holes in nested arrays: an element, a row or a label that is not there is refused with its place, never shifted over. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { setBackend } from '../../src/runtime/index.ts';
import { tensor } from '../../src/runtime/tensor.ts';
import { sequential } from '../../src/train/model/sequential.ts';

beforeAll(() => {
  setBackend(createCpuBackend());
});
afterAll(() => {
  setBackend(undefined);
});

function model() {
  const made = sequential([layers.dense({ units: 2, activation: 'softmax' })], { inputShape: [3] });
  made.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' });
  return made;
}

/** An array with a hole at `at`. */
function holed<T>(values: readonly T[], at: number): T[] {
  const copy = [...values];
  delete copy[at];
  return copy;
}

const rows = [
  [1, 2, 3],
  [4, 5, 6],
];

test.each([
  ['an element', [holed([1, 2, 3], 1), [4, 5, 6]], /^tensor: expected a number at \[0\]\[1\], found undefined/],
  [
    'a row',
    holed(
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      1,
    ),
    /^tensor: expected 2 entries .* found undefined at \[1\]/,
  ],
  ['the first value', holed([1, 2], 0), /^tensor: expected a number at \[0\], found undefined/],
])('of a tensor: %s', (_, values, message) => {
  expect(() => tensor(values as number[][])).toThrow(message);
});

test.each([
  ['an element of x', [holed([1, 2, 3], 1), [4, 5, 6]], [0, 1], /^x\[0\]\[1\]: expected a number, found undefined/],
  ['a row of x', holed([...rows, [7, 8, 9]], 1), [0, 1, 1], /^x\[1\]: expected 3 entries .* found undefined/],
  [
    'null in x',
    [
      [1, 2, null],
      [4, 5, 6],
    ],
    [0, 1],
    /^x\[0\]\[2\]: expected a number, found null/,
  ],
  ['a label', rows, holed([0, 1], 1), /^y\[1\]: expected a number, found undefined/],
  ['the first label', rows, holed([0, 1], 0), /^y\[0\]: expected a number, found undefined/],
])('of training data: %s', async (_, x, y, message) => {
  using made = model();
  await expect(made.fit(x as number[][], y as number[], { verbose: 0 })).rejects.toThrow(message);
  expect(made.iterations).toBe(0);
});

test('of weights of examples, and of what is predicted', async () => {
  using made = model();
  const weighted = made.fit(rows, [0, 1], { verbose: 0, sampleWeight: holed([1, 2], 0) });
  await expect(weighted).rejects.toThrow(/^sampleWeight\[0\]: expected a number, found undefined/);
  await expect(made.predict([holed([1, 2, 3], 2)])).rejects.toThrow(/^x\[0\]\[2\]: expected a number, found undefined/);
});

/** What inner layers give: the outputs that `activationsOnBatch` reads are those of the layers by themselves. */

import { expect, test } from 'vitest';
import { layers } from '../../src/nn/layers/index.ts';
import { Sequential } from '../../src/train/model/sequential.ts';
import { expectRefusal } from '../data/refusal.ts';
import { describeOnBackends } from '../support/on-backends.ts';

describeOnBackends('activationsOnBatch', () => {
  test('each layer once, in order, with what the layers before it make of x', async () => {
    using model = new Sequential(
      [
        layers.input({ shape: [2, 1] }),
        layers.flatten(),
        layers.dense({ units: 2, activation: 'relu' }),
        layers.dropout({ rate: 0.5 }),
        layers.dense({ units: 1, name: 'out' }),
      ],
      { name: 'small' },
    );
    const f32 = (...values: number[]) => Float32Array.from(values);
    model.setWeights([
      { name: 'dense/kernel', shape: [2, 2], data: f32(1, -1, 2, -3) },
      { name: 'dense/bias', shape: [2], data: f32(0.5, 1) },
      { name: 'out/kernel', shape: [2, 1], data: f32(2, 4) },
      { name: 'out/bias', shape: [1], data: f32(-1) },
    ]);
    const x = { data: f32(1, 2, -3, 1), shape: [2, 2, 1] };
    const outputs = await model.activationsOnBatch(x);
    expect(outputs.map(({ name, shape, data }) => [name, shape, Array.from(data)])).toEqual([
      ['flatten', [2, 2], [1, 2, -3, 1]],
      ['dense', [2, 2], [5.5, 0, 0, 1]],
      ['dropout', [2, 2], [5.5, 0, 0, 1]],
      ['out', [2, 1], [10, 3]],
    ]);
    // The program is kept, the batch is another.
    const again = await model.activationsOnBatch({ data: f32(0, 0, 1, 0), shape: [2, 2, 1] });
    expect(Array.from(again[1].data)).toEqual([0.5, 1, 1.5, 0]);
    await expectRefusal(() => model.activationsOnBatch([[1, 2, 3]]), 'shape', /small/);
  });
});

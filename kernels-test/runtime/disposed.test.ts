/** Tensors used after dispose(), and gradients of what is none, are refused by name. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { add, mul } from '../../src/ops/elementwise/binary.ts';
import { compile } from '../../src/runtime/compile-function.ts';
import { evaluate } from '../../src/runtime/evaluate.ts';
import { setBackend } from '../../src/runtime/set-backend.ts';
import { tensor } from '../../src/runtime/tensor.ts';
import { grad, gradients } from '../../src/transform/grad.ts';
import { expectRefusal } from '../data/refusal.ts';

beforeAll(() => setBackend(createCpuBackend()));
afterAll(() => setBackend(undefined));

const disposed = (): Tensor => {
  const x = tensor([1, 2]);
  x.dispose();
  return x;
};

test('a disposed argument of a compiled function, or of evaluate', async () => {
  const twice = compile((x: Tensor) => add(x, x));
  await expectRefusal(
    () => twice(disposed()),
    'state',
    /argument 0 of the compiled function: .* was used after dispose/,
  );
  await expectRefusal(() => evaluate([disposed()]), 'state', /evaluate: .* was used after dispose/);
  expect([...(await (await twice(tensor([1, 2]))).data())]).toEqual([2, 4]);
  twice.dispose();
});

test('a captured tensor that is disposed between two calls', async () => {
  const captured = add(tensor([1, 2]), 1);
  await evaluate([captured]);
  const scaled = compile((x: Tensor) => mul(x, captured));
  expect([...(await (await scaled(tensor([2, 2]))).data())]).toEqual([4, 6]);
  captured.dispose();
  await expectRefusal(() => scaled(tensor([2, 2])), 'state', /closes over: .* was used after dispose/);
  scaled.dispose();
  const gone = disposed();
  await expectRefusal(() => compile(() => gone)(), 'state', /closes over: .* was used after dispose/);
});

test('grad of what is not a function of tensors', async () => {
  await expectRefusal(() => grad(2 as never), 'argument', /grad: expected a function of tensors, found 2/);
  await expectRefusal(
    () => grad((() => 2) as never)(tensor([1])),
    'argument',
    /the function returned 2; it must return/,
  );
  await expectRefusal(() => gradients(2 as never, []), 'argument', /gradients: expected tensors .* found 2/);
});

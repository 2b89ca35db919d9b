/** The package's two entries: what they export, tensors made of numbers, and backends chosen by name. */
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import * as universal from '../../src/index.ts';
import * as node from '../../src/node.ts';
import { type BackendChoice, chooseBackend } from '../../src/runtime/use-backend.ts';
import { expectRefusal } from '../data/refusal.ts';

const { allOps, DownhillError, tensor } = universal;

describe('entries', () => {
  test('Node has all that browsers have, its own way to a backend, and callbacks that write files', () => {
    const own = Object.keys(universal).filter((name) => Reflect.get(universal, name) !== Reflect.get(node, name));
    expect(own.sort()).toEqual(['callbacks', 'loadTuning', 'saveTuning', 'useBackend']);
    expect(node.callbacks).toMatchObject({ ...universal.callbacks, modelCheckpoint: expect.any(Function) });
    const more = Object.keys(node).filter((name) => !(name in universal));
    expect(more).toEqual(expect.arrayContaining(['createNodeWebGPUBackend', 'loadMnist', 'loadModel', 'saveModel']));
  });

  test('every op that people call is exported under its own name', () => {
    /** Halves of other ops, which only gradients and views call; `slice` chooses between two. */
    const inner = /Grad$|Pick$|^slice|^pack$|^unpackBytes$|^copy$|^randomBits$|^shuffleIndices$/;
    const missing = allOps.filter((op) => !inner.test(op.name) && Reflect.get(universal, op.name) !== op);
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  test('lists of records stay inside', () => {
    expect(Object.keys(universal).filter((name) => name.endsWith('Ops'))).toEqual(['allOps']);
  });
});

describe('tensor', () => {
  test.each([
    [2, {}, [], 'f32', [2]],
    [true, {}, [], 'bool', [1]],
    [[1, 2, 3], {}, [3], 'f32', [1, 2, 3]],
    [[[1], [2]], { dtype: 'i32' }, [2, 1], 'i32', [1, 2]],
    [[1, 2, 3, 4], { shape: [2, 2] }, [2, 2], 'f32', [1, 2, 3, 4]],
    [[], {}, [0], 'f32', []],
    [[[], []], {}, [2, 0], 'f32', []],
    [Float64Array.of(0.5), {}, [1], 'f32', [0.5]],
    [Int32Array.of(-1, 1), { shape: [2, 1] }, [2, 1], 'i32', [-1, 1]],
    [Uint32Array.of(2 ** 32 - 1), {}, [1], 'u32', [2 ** 32 - 1]],
    [Uint8Array.of(1, 0), {}, [2], 'bool', [1, 0]],
    [[Number.NaN, Number.NEGATIVE_INFINITY], {}, [2], 'f32', [Number.NaN, Number.NEGATIVE_INFINITY]],
  ] as const)('of %j with %j', async (values, options, shape, dtype, expected) => {
    const x = tensor(values, options);
    expect([x.shape, x.dtype]).toEqual([shape, dtype]);
    expect([...(await x.data())]).toEqual(expected);
  });

  test('copies', async () => {
    const values = Float32Array.of(1);
    const x = tensor(values);
    values[0] = 2;
    expect([...(await x.data())]).toEqual([1]);
  });

  test.each([
    [[[1, 2], [3]], {}, 'shape', /expected 2 entries on axis 1 as in the first, found 1 entries/],
    [[1, [2]], {}, 'shape', /expected a number at \[1\], found an array/],
    [[[1], 2], {}, 'shape', /found 2/],
    [[1, 'x'], {}, 'argument', /expected a number at \[1\], found "x"/],
    [undefined, {}, 'argument', /expected a number, found undefined/],
    [[1, 2, 3], { shape: [2, 2] }, 'shape', /3 values do not fill shape \[2,2\], which takes 4/],
    [[[1, 2]], { shape: [2, 1] }, 'shape', /arrays of shape \[1,2\] with shape \[2,1\]/],
    [[1], { shape: [-1] }, 'shape', /tensor/],
    [[1.5], { dtype: 'i32' }, 'argument', /value 1.5 at 0 is no i32: whole numbers from -2147483648/],
    [[0, -1], { dtype: 'u32' }, 'argument', /value -1 at 1 is no u32/],
    [[2], { dtype: 'bool' }, 'argument', /value 2 at 0 is no bool/],
    [[1], { dtype: 'f23' }, 'argument', /unknown dtype of tensor: "f23"; did you mean "f32"/],
    [new Int16Array(1), {}, 'dtype', /Int16Array has no dtype here/],
  ] as const)('refuses %j with %j', async (values, options, code, message) => {
    await expectRefusal(() => tensor(values as never, options as never), code, message);
  });
});

describe('chooseBackend', () => {
  const cpu = createCpuBackend();
  const works = async (): Promise<Backend> => cpu;
  const fails = (code: 'device' | 'internal') => async (): Promise<Backend> => {
    throw new DownhillError(code, 'no adapter');
  };

  test('takes WebGPU where there is one, and the CPU when it is asked for', async () => {
    expect(await chooseBackend('auto', works)).toBe(cpu);
    expect(await chooseBackend('webgpu', works)).toBe(cpu);
    const chosen = await chooseBackend('cpu', works);
    expect(chosen).not.toBe(cpu);
    expect(chosen.kind).toBe('cpu');
  });

  test('falls back only when nothing was asked for, and says why', async () => {
    const reasons: string[] = [];
    const chosen = await chooseBackend('auto', fails('device'), ({ message }) => reasons.push(message));
    expect([chosen.kind, reasons]).toEqual(['cpu', ['no adapter']]);
    await expectRefusal(() => chooseBackend('webgpu', fails('device')), 'device', 'no adapter');
    await expectRefusal(() => chooseBackend('auto', fails('internal')), 'internal', 'no adapter');
  });

  test('refuses an unknown name', () =>
    expectRefusal(
      () => chooseBackend('webgl' as BackendChoice, works),
      'argument',
      /unknown backend "webgl".*"webgpu"/,
    ));
});

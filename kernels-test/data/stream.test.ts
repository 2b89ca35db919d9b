/**
 * Streams from generators: re-batched in order, asked for ahead, ended when nobody reads on, checked batch by batch.
 */
import { describe, expect, test } from 'vitest';
import { collect, type DatasetStream, fromGenerator, type GeneratedBatch } from '../../src/data/stream.ts';
import { expectRefusal } from './refusal.ts';

/** Batches of the given sizes; x counts up, y is the parity. */
function* counting(...sizes: number[]): Generator<GeneratedBatch> {
  let next = 0;
  for (const size of sizes) {
    const ids = Array.from({ length: size }, () => next++);
    yield { x: Float32Array.from(ids), y: Int32Array.from(ids, (id) => id % 2) };
  }
}
const options = { name: 'numbers', xShape: [1], classNames: ['even', 'odd'] };
async function drain(stream: DatasetStream, batchSize: number, dropRemainder = false) {
  const all: number[][] = [];
  for await (const batch of stream.batches(batchSize, { dropRemainder })) all.push([...batch.x]);
  return all;
}

describe('fromGenerator', () => {
  test.each([1, 2, 3, 4, 5, 7, 100])('gives batches of %s whatever the generator gives', async (batchSize) => {
    const stream = fromGenerator(() => counting(3, 1, 5, 2), options);
    const all = await drain(stream, batchSize);
    expect(all.flat()).toEqual(Array.from({ length: 11 }, (_, k) => k));
    expect(all.slice(0, -1).every((batch) => batch.length === batchSize)).toBe(true);
    expect((await drain(stream, batchSize, true)).flat()).toHaveLength(11 - (11 % batchSize));
  });

  test('each pass calls the function again; async generators too', async () => {
    let passes = 0;
    const stream = fromGenerator(async function* () {
      passes++;
      yield* counting(2, 2);
    }, options);
    expect(await drain(stream, 2)).toEqual(await drain(stream, 2));
    expect(passes).toBe(2);
  });

  test('asks for the next batch before it gives one out, and for no more', async () => {
    let asked = 0;
    const stream = fromGenerator(function* () {
      for (const batch of counting(2, 2, 2, 2)) {
        asked++;
        yield batch;
      }
    }, options);
    const batches = stream.batches(2);
    await batches.next();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(asked).toBe(2);
    await batches.return();
  });

  test('who stops early ends the generator', async () => {
    let ended = false;
    const stream = fromGenerator(function* () {
      try {
        yield* counting(...Array(100).fill(2));
      } finally {
        ended = true;
      }
    }, options);
    for await (const _ of stream.batches(3)) break;
    expect(ended).toBe(true);
  });

  test('what the generator throws comes through', async () => {
    const stream = fromGenerator(function* () {
      yield* counting(2);
      throw new Error('the disk is gone');
    }, options);
    await expect(drain(stream, 2)).rejects.toThrow('the disk is gone');
  });

  const x = Float32Array.of(1, 2);
  const y = Int32Array.of(0, 1);
  test.each([
    ['counts that differ', { x, y: Int32Array.of(0) }, 'data', /"numbers, batch 1": 2 examples but 1 targets/],
    ['classes out of range', { x, y: Int32Array.of(0, 2) }, 'data', /"numbers, batch 1": label 2 of example 1/],
    ['an empty batch', { x: new Float32Array(0), y: new Int32Array(0) }, 'data', /batch 1" is empty/],
    [
      'another kind of array',
      { x: new Uint8Array(2), y },
      'data',
      /batch 1": x is a Uint8Array; expected Float32Array/,
    ],
    ['nested arrays', { x: [1, 2], y }, 'data', /x is \[1,2\]; expected Float32Array/],
    ['nothing', undefined, 'data', /x is undefined/],
  ] as const)('refuses a batch with %s', async (_, batch, code, message) => {
    const stream = fromGenerator(function* () {
      yield* counting(2);
      yield batch as GeneratedBatch;
    }, options);
    await expectRefusal(() => drain(stream, 2), code, message);
  });

  test('refuses rows that do not fill the shape', async () => {
    const stream = fromGenerator(() => counting(3), { ...options, xShape: [2] });
    await expectRefusal(() => drain(stream, 2), 'shape', /"numbers, batch 0": 3 values in x/);
  });

  test('refuses other totals than announced, and passes of nothing', async () => {
    await expectRefusal(
      () =>
        drain(
          fromGenerator(() => counting(3), { ...options, size: 4 }),
          2,
        ),
      'data',
      /gave 3 examples; its size says 4/,
    );
    await expectRefusal(
      () =>
        drain(
          fromGenerator(() => counting(), options),
          2,
        ),
      'data',
      /gave no examples/,
    );
  });

  test('refuses a generator in place of its function', async () => {
    await expectRefusal(
      () => fromGenerator(counting(2) as never, options),
      'argument',
      /expected a function that makes a generator/,
    );
    await expectRefusal(() => fromGenerator(() => counting(2), {} as never), 'argument', /option "xShape" is missing/);
    await expectRefusal(
      () =>
        drain(
          fromGenerator(() => 3 as never, options),
          2,
        ),
      'argument',
      /return a generator, found 3/,
    );
    await expectRefusal(
      () =>
        drain(
          fromGenerator(() => counting(2), options),
          0,
        ),
      'argument',
      /batchSize must be/,
    );
  });
});

describe('collect', () => {
  test('asks for no more than it was told to', async () => {
    let given = 0;
    const one = { name: 'one', x: Float32Array.of(1, 2), xShape: [1], y: Int32Array.of(0, 1), yShape: [], size: 2 };
    const stream: DatasetStream = {
      ...{ name: 'endless', xShape: [1], yShape: [] },
      async *batches() {
        for (;;) {
          given++;
          yield one;
        }
      },
    };
    expect([...(await collect(stream, 4)).x]).toEqual([1, 2, 1, 2]);
    expect(given).toBe(2);
    expect((await collect(stream, 3)).size).toBe(3);
    expect(given).toBe(4);
  });

  test('takes a whole pass, or its beginning', async () => {
    const stream = fromGenerator(() => counting(3, 1, 5), options);
    const all = await collect(stream);
    expect(all).toMatchObject({ name: 'numbers', size: 9, xShape: [1], classNames: ['even', 'odd'] });
    expect([...all.x]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect([...(await collect(stream, 4)).x]).toEqual([0, 1, 2, 3]);
    await expectRefusal(() => collect(stream, 0), 'argument', /limit/);
  });
});

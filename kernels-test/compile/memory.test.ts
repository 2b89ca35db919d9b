/** Which buffers temporaries share: the nearest that is free, grown where none is large enough. */

import { describe, expect, test } from 'vitest';
import { Memory } from '../../src/compile/memory/memory.ts';

/** A memory in which temporaries of these sizes are free. */
function withFree(...sizes: number[]): { memory: Memory; ids: number[] } {
  const memory = new Memory([], true);
  const ids = sizes.map((size, k) => memory.acquire(size, `t${k}`));
  for (const id of ids) memory.release(id);
  return { memory, ids };
}

const sizesOf = (memory: Memory): number[] => memory.list().map(({ bytes }) => bytes);

describe('a temporary', () => {
  test('takes the smallest free buffer that is large enough', () => {
    const { memory, ids } = withFree(100, 20, 400);
    expect(memory.acquire(15, 'small')).toBe(ids[1]);
    expect(memory.acquire(15, 'another')).toBe(ids[0]);
    expect(sizesOf(memory)).toEqual([100, 20, 400]);
  });

  test('takes the largest of those that are too small, which grows', () => {
    const { memory, ids } = withFree(10, 30, 20);
    expect(memory.acquire(50, 'large')).toBe(ids[1]);
    expect(sizesOf(memory)).toEqual([10, 50, 20]);
  });

  test('takes a new buffer where none is free, or none may be shared', () => {
    const { memory } = withFree(10);
    expect([memory.acquire(5, 'a'), memory.acquire(5, 'b')]).toEqual([0, 1]);
    const alone = new Memory([], false);
    alone.release(alone.acquire(5, 'a'));
    expect(alone.acquire(5, 'b')).toBe(1);
  });

  test('alone is given back: what is bound stays', () => {
    const memory = new Memory([], true);
    memory.release(memory.add('bound', 10, 'x'));
    expect(memory.acquire(5, 't')).toBe(1);
  });
});

/**
 * Philox4x32-10 on the host: random words as a pure function of a counter and a key, hence the same on every device, in
 * any order and any number. The same in WGSL: shaders/philox.wgsl.
 *
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.
 */

const ROUNDS = 10;
const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;

/** Fills the four words of `out` with the block of counter (c0, c1, c2, c3) under the key (k0, k1). */
export function philoxBlock(
  out: Uint32Array,
  [c0, c1, c2, c3]: readonly [number, number, number, number],
  [k0, k1]: readonly [number, number],
): void {
  let [x0, x1, x2, x3] = [c0, c1, c2, c3];
  let [key0, key1] = [k0, k1];
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, x0);
    const low0 = Math.imul(MULTIPLIER_0, x0);
    const high1 = multiplyHigh(MULTIPLIER_1, x2);
    const low1 = Math.imul(MULTIPLIER_1, x2);
    x0 = high1 ^ x1 ^ key0;
    x1 = low1;
    x2 = high0 ^ x3 ^ key1;
    x3 = low0;
    key0 = (key0 + WEYL_0) | 0;
    key1 = (key1 + WEYL_1) | 0;
  }
  out[0] = x0;
  out[1] = x1;
  out[2] = x2;
  out[3] = x3;
}

/**
 * Calls `take` with words 0 … count-1 of a stream: word i is word i mod 4 of the block of counter (⌊i/4⌋, stream, 0,
 * 0).
 */
export function forEachWord(
  key: readonly [number, number],
  stream: number,
  count: number,
  take: (word: number, i: number) => void,
): void {
  const block = new Uint32Array(4);
  for (let i = 0; i < count; i++) {
    if (i % 4 === 0) philoxBlock(block, [i / 4, stream, 0, 0], key);
    take(block[i % 4], i);
  }
}

/** The upper 32 bits of the 64-bit product of two words, by 16-bit halves: every sum is exact in a double. */
export function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const cross = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + (middle >>> 16) + (cross >>> 16)) >>> 0;
}

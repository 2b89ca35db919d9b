/**
 * A small seeded generator for host-side work: shuffles, splits, drawn data sets. (Random numbers of a training
 * step come from Philox on the device, not from here.)
 *
 * Invariant: a stream is a pure function of its key, with integer arithmetic only, so every engine and platform
 * draws the same numbers. The key is a list of integers such as (seed, split, index), which makes item 7 of a set
 * independent of how many items are drawn.
 * Source: sfc32 by Chris Doty-Humphrey (PractRand), keyed through the murmur3 finaliser.
 */
import { DownhillError } from './errors.ts';

/** One stream of pseudo-random numbers. */
export class Prng {
  private a = 0x9e3779b9;
  private b = 0x243f6a88;
  private c = 0xb7e15162;
  private counter = 1;

  /**
   * @param key safe integers, of which all bits count; streams of different keys are unrelated.
   * @throws DownhillError('argument') when a part of the key is not a safe integer.
   */
  constructor(...key: readonly number[]) {
    for (const part of key) {
      if (!Number.isSafeInteger(part)) {
        throw new DownhillError('argument', `seed: expected a whole number, found ${String(part)}`);
      }
      this.absorb(part >>> 0);
      this.absorb(Math.floor(part / 0x100000000) >>> 0);
    }
    for (let round = 0; round < 12; round++) this.uint32();
  }

  /** The next 32 random bits, as an integer in [0, 2^32). */
  uint32(): number {
    const mixed = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + mixed) | 0;
    return mixed >>> 0;
  }

  /** A number in [0, 1), a multiple of 2^-32. */
  uniform(): number {
    return this.uint32() / 0x100000000;
  }

  /** A number in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** An integer in [0, n), for n up to 2^32; the bias is below n / 2^32. */
  int(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  /** True with probability `p`. */
  chance(p: number): boolean {
    return this.uniform() < p;
  }

  /**
   * Bell-shaped, mean 0, variance 1, within ±√12: the sum of four uniforms (Irwin–Hall). It is close to a normal
   * variable and, unlike Box–Muller, needs no logarithm or cosine, whose last bits differ between engines.
   */
  bell(): number {
    return (this.uniform() + this.uniform() + this.uniform() + this.uniform() - 2) * Math.sqrt(3);
  }

  /** Shuffles `items` in place (Fisher–Yates) and returns it. */
  shuffle<T extends { length: number; [index: number]: number }>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      const kept = items[i]!;
      items[i] = items[j]!;
      items[j] = kept;
    }
    return items;
  }

  private absorb(word: number): void {
    this.a = mix32(this.a ^ word);
    this.b = mix32((this.b + this.a) | 0);
    this.c = mix32((this.c ^ this.b) + word);
  }
}

/** The murmur3 finaliser: a bijection of 32-bit words that spreads each input bit over all output bits. */
function mix32(word: number): number {
  let h = word | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}

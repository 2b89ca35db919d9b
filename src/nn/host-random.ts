/**
 * Random numbers on the host, for initial weights: Philox4x32-10 as on the device, but with nothing to compile.
 *
 * Invariant: the numbers are a pure function of (seed, stream), so the CPU and the GPU backend start from the very
 * same f32 weights, and a layer's weights do not depend on how many numbers other layers drew.
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.
 */

const ROUNDS = 10;
const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;

/** A sequence of numbers for one weight. */
export class HostRandom {
  private readonly block = new Uint32Array(4);
  private used = 4;
  private counter = 0;
  private spare: number | undefined;

  /** `seed` and `stream` are safe integers; all bits of the seed count. */
  constructor(
    private readonly seed: number,
    private readonly stream: number,
  ) {}

  /** The next 32 random bits. */
  uint32(): number {
    if (this.used === 4) {
      const high = Math.floor(this.seed / 0x100000000) >>> 0;
      philox(this.block, this.counter++ >>> 0, this.stream >>> 0, high, this.seed >>> 0);
      this.used = 0;
    }
    return this.block[this.used++];
  }

  /** A number in [0, 1), a multiple of 2^-24: exact in f32. */
  uniform(): number {
    return (this.uint32() >>> 8) / 0x1000000;
  }

  /** Standard normal, by Box and Muller's transform; numbers come in pairs. */
  normal(): number {
    if (this.spare !== undefined) {
      const value = this.spare;
      this.spare = undefined;
      return value;
    }
    // 1 - u lies in (0, 1]: the logarithm is finite.
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** Standard normal, drawn again while it is farther than two from zero. */
  truncatedNormal(): number {
    for (;;) {
      const value = this.normal();
      if (Math.abs(value) <= 2) return value;
    }
  }
}

/** Fills `out` with the block of counter (c0, c1, 0, 0) under the key (k0, k1). */
export function philox(out: Uint32Array, c0: number, c1: number, k0: number, k1: number): void {
  let [x0, x1, x2, x3] = [c0, c1, 0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, x0);
    const low0 = Math.imul(MULTIPLIER_0, x0);
    const high1 = multiplyHigh(MULTIPLIER_1, x2);
    const low1 = Math.imul(MULTIPLIER_1, x2);
    [x0, x1, x2, x3] = [high1 ^ x1 ^ k0, low1, high0 ^ x3 ^ k1, low0];
    k0 = (k0 + WEYL_0) | 0;
    k1 = (k1 + WEYL_1) | 0;
  }
  out[0] = x0;
  out[1] = x1;
  out[2] = x2;
  out[3] = x3;
}

/** The upper 32 bits of the 64-bit product of two u32, by 16-bit halves: every partial sum is exact in a double. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = aLow * bLow;
  const middle = aHigh * bLow + Math.floor(low / 0x10000);
  const cross = aLow * bHigh + (middle % 0x10000);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000)) | 0;
}

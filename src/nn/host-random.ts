/**
 * Random numbers on the host, for initial weights: the device's Philox4x32-10, but with nothing to compile.
 *
 * Invariant: the numbers are a pure function of (seed, stream), so the CPU and the GPU backend start from the very
 * same f32 weights, and a layer's weights do not depend on how many numbers other layers drew.
 */

import { philoxBlock } from '../ops/random/philox.ts';

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
      philoxBlock(this.block, [this.counter++, this.stream, 0, 0], [high, this.seed >>> 0]);
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
    // 1 - u is in (0, 1]: the logarithm is finite.
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

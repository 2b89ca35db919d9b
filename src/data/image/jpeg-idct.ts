/**
 * The inverse discrete cosine transform of a block, in whole numbers: one walk over columns and one over rows, each of
 * twelve multiplications. It gives the bytes of libjpeg's accurate transform, which browsers and TensorFlow use.
 * Source: C. Loeffler, A. Ligtenberg, G. Moschytz, "Practical fast 1-D DCT algorithms with 11 multiplications" (1989).
 */

/** Constants have 13 binary places, values between the two walks 2. */
const PLACES = 13;
const BETWEEN = 2;
const fixed = (value: number): number => Math.round(value * 2 ** PLACES);

const [C0_298, C0_390, C0_541, C0_765] = [0.298631336, 0.390180644, 0.5411961, 0.765366865].map(fixed);
const [C0_899, C1_175, C1_501, C1_847] = [0.899976223, 1.175875602, 1.50132111, 1.847759065].map(fixed);
const [C1_961, C2_053, C2_562, C3_072] = [1.96157056, 2.053119869, 2.562915447, 3.072711026].map(fixed);

const work = new Int32Array(64);
const line = new Int32Array(8);

/**
 * Writes the 8 × 8 samples of the block at `from` (row by row, not yet multiplied by `quantization`) to `plane` at
 * `to`.
 */
export function inverseTransform(
  coefficients: Int16Array,
  from: number,
  quantization: Uint16Array,
  plane: Uint8Array,
  to: number,
  stride: number,
): void {
  for (let column = 0; column < 8; column++) {
    const at = from + column;
    const c = coefficients;
    if (!(c[at + 8] || c[at + 16] || c[at + 24] || c[at + 32] || c[at + 40] || c[at + 48] || c[at + 56])) {
      const level = (c[at]! * quantization[column]!) << BETWEEN;
      for (let k = column; k < 64; k += 8) work[k] = level;
      continue;
    }
    for (let k = 0; k < 8; k++) line[k] = c[at + 8 * k]! * quantization[column + 8 * k]!;
    transformLine();
    const [shift, half] = [PLACES - BETWEEN, 1 << (PLACES - BETWEEN - 1)];
    for (let k = 0; k < 8; k++) work[column + 8 * k] = (line[k]! + half) >> shift;
  }
  const [shift, half] = [PLACES + BETWEEN + 3, 1 << (PLACES + BETWEEN + 2)];
  for (let row = 0; row < 8; row++) {
    for (let k = 0; k < 8; k++) line[k] = work[8 * row + k]!;
    transformLine();
    const at = to + row * stride;
    for (let k = 0; k < 8; k++) {
      const value = ((line[k]! + half) >> shift) + 128;
      plane[at + k] = value < 0 ? 0 : value > 255 ? 255 : value;
    }
  }
}

/** The transform of `line` in place; 13 binary places more. */
function transformLine(): void {
  const [x0, x1, x2, x3] = [line[0]!, line[1]!, line[2]!, line[3]!];
  const [x4, x5, x6, x7] = [line[4]!, line[5]!, line[6]!, line[7]!];
  const turned = (x2 + x6) * C0_541!;
  const low = turned - x6 * C1_847!;
  const high = turned + x2 * C0_765!;
  const sum = (x0 + x4) * 8192;
  const difference = (x0 - x4) * 8192;
  const [e0, e1, e2, e3] = [sum + high, difference + low, difference - low, sum - high];

  const shared = (x7 + x3 + x5 + x1) * C1_175!;
  const outer = -(x7 + x1) * C0_899!;
  const inner = -(x5 + x3) * C2_562!;
  const odd = shared - (x7 + x3) * C1_961!;
  const even = shared - (x5 + x1) * C0_390!;
  const o3 = x7 * C0_298! + outer + odd;
  const o2 = x5 * C2_053! + inner + even;
  const o1 = x3 * C3_072! + inner + odd;
  const o0 = x1 * C1_501! + outer + even;

  line[0] = e0 + o0;
  line[7] = e0 - o0;
  line[1] = e1 + o1;
  line[6] = e1 - o1;
  line[2] = e2 + o2;
  line[5] = e2 - o2;
  line[3] = e3 + o3;
  line[4] = e3 - o3;
}

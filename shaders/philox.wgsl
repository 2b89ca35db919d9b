// Counter-based random numbers: Philox4x32-10, and what makes uniform and normal numbers of its bits.
//
// Integer arithmetic, and f32 operations whose result IEEE 754 prescribes, so every device and the CPU agree in all bits.
// A library: the names carry its prefix. The same in TypeScript: src/ops/philox.ts, src/ops/normal-table.ts.
// Source: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.

const PHILOX_ROUNDS = 10u;
const PHILOX_MULTIPLIER_0 = 0xd2511f53u;
const PHILOX_MULTIPLIER_1 = 0xcd9e8d57u;
const PHILOX_WEYL_0 = 0x9e3779b9u;
const PHILOX_WEYL_1 = 0xbb67ae85u;

// Upper word of the 64-bit product, by halves: no sum below exceeds 32 bits.
fn philox_multiply_high(a: u32, b: u32) -> u32 {
  let a_low = a & 0xffffu;
  let a_high = a >> 16u;
  let b_low = b & 0xffffu;
  let b_high = b >> 16u;
  let middle = a_high * b_low + ((a_low * b_low) >> 16u);
  let cross = a_low * b_high + (middle & 0xffffu);
  return a_high * b_high + (middle >> 16u) + (cross >> 16u);
}

fn philox_block(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
  var x = counter;
  var k = key;
  for (var round = 0u; round < PHILOX_ROUNDS; round++) {
    x = vec4<u32>(
      philox_multiply_high(PHILOX_MULTIPLIER_1, x.z) ^ x.y ^ k.x,
      PHILOX_MULTIPLIER_1 * x.z,
      philox_multiply_high(PHILOX_MULTIPLIER_0, x.x) ^ x.w ^ k.y,
      PHILOX_MULTIPLIER_0 * x.x,
    );
    k += vec2<u32>(PHILOX_WEYL_0, PHILOX_WEYL_1);
  }
  return x;
}

// Word i of a stream: 32 random bits.
fn philox_word(i: u32, stream: u32, key: vec2<u32>) -> u32 {
  return philox_block(vec4<u32>(i >> 2u, stream, 0u, 0u), key)[i & 3u];
}

// The 24 high bits as a multiple of 2^-24 in [0, 1).
fn philox_unit(bits: u32) -> f32 {
  return f32(bits >> 8u) * 0x1p-24;
}

// x * scale + shift, rounded twice. `zero` is 0 and must come from memory: a compiler that knew it could make one fused
// multiply-add of this, which rounds once.
fn philox_affine(x: f32, scale: f32, shift: f32, zero: u32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x * scale) ^ zero) + shift;
}

// The normal table's cell for the 31 bits of a magnitude: .x its row of 64 times the octave, plus the place in it,
// .y how far the magnitude is from the next cell, as a fraction of 32 bits.
fn philox_normal_cell(magnitude: u32) -> vec2<u32> {
  let octave = max(firstLeadingBit(magnitude | 1u), 6u) - 6u;
  // Octave 0 has no fraction: its shift, 32 & 31, moves nothing and the mask is empty.
  let fraction = (magnitude & ((1u << octave) - 1u)) << ((32u - octave) & 31u);
  return vec2<u32>((octave << 6u) + (magnitude >> octave), fraction);
}

// Between the quantiles of a cell and the next, in units of 2^-29, as f32 with the sign of the top bit of `bits`.
fn philox_normal_value(bits: u32, here: u32, next: u32, fraction: u32) -> f32 {
  let quantile = here - philox_multiply_high(here - next, fraction);
  // Rounded to 24 significant bits (a tie goes up), after which the conversion is exact.
  let excess = 8u - min(countLeadingZeros(quantile), 8u);
  let rounded = ((quantile + ((1u << excess) >> 1u)) >> excess) << excess;
  return bitcast<f32>(bitcast<u32>(f32(rounded) * 0x1p-29) | (bits & 0x80000000u));
}

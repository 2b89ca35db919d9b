// Functions of f32 that must be right for NaN and infinities, or that WGSL leaves undefined in part.
//
// A WGSL compiler may assume that no NaN or infinity exists, so `x != x` may be folded to false. Everything here
// decides by bits. A library: the names carry its prefix.

const FLOAT_MAGNITUDE = 0x7fffffffu;
const FLOAT_INFINITY = 0x7f800000u;
const FLOAT_ONE = 0x3f800000u;

fn float_is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & FLOAT_MAGNITUDE) > FLOAT_INFINITY;
}

fn float_is_finite(x: f32) -> bool {
  return (bitcast<u32>(x) & FLOAT_MAGNITUDE) < FLOAT_INFINITY;
}

// The larger; NaN when one is NaN (`max` may give either).
fn float_maximum(a: f32, b: f32) -> f32 {
  return select(select(max(a, b), b, float_is_nan(b)), a, float_is_nan(a));
}

// The smaller; NaN when one is NaN (`min` may give either).
fn float_minimum(a: f32, b: f32) -> f32 {
  return select(select(min(a, b), b, float_is_nan(b)), a, float_is_nan(a));
}

// 0 for numbers below 0, by their bits: from the smallest negative number to -infinity.
fn float_relu(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  return bitcast<f32>(select(bits, 0u, bits - 0x80000001u < FLOAT_INFINITY));
}

// e^x; NaN for NaN (drivers may give infinity).
fn float_exp(x: f32) -> f32 {
  return select(exp(x), x, float_is_nan(x));
}

// ln x: drivers may give any number at 0, below 0, at infinity and for NaN. The two values WGSL cannot write come from
// outside.
fn float_log(x: f32, negative_infinity: f32, nan: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if ((bits & FLOAT_MAGNITUDE) == 0u) {
    return negative_infinity;
  }
  if (bits > FLOAT_INFINITY) {
    return nan;
  }
  return select(log(x), x, bits == FLOAT_INFINITY);
}

// Toward zero; out of range to the nearest f32 in range; NaN to 0.
fn float_to_i32(x: f32) -> i32 {
  return select(i32(clamp(x, -2147483648.0, 2147483520.0)), 0i, float_is_nan(x));
}

fn float_to_u32(x: f32) -> u32 {
  return select(u32(clamp(x, 0.0, 4294967040.0)), 0u, float_is_nan(x));
}

// a - b·floor(a / b). Where the quotient was rounded over a whole number, the remainder is off by b.
fn float_mod(a: f32, b: f32) -> f32 {
  let r = a - b * floor(a / b);
  let short = select((r > 0.0), (r < 0.0), (b > 0.0));
  let long = select((r <= b), (r >= b), (b > 0.0));
  return select(select(r, r - b, long), r + b, short);
}

// IEEE 754 pow: WGSL's own is undefined for a negative base, and drivers may give any number for 0, infinities and NaN.
// Numbers below the normal ones count as 0. `nan` comes from outside, WGSL has no way to write it.
fn float_pow(a: f32, b: f32, nan: f32) -> f32 {
  let base = bitcast<u32>(a) & FLOAT_MAGNITUDE;
  let exponent = bitcast<u32>(b) & FLOAT_MAGNITUDE;
  if (exponent == 0u || bitcast<u32>(a) == FLOAT_ONE || (base == FLOAT_ONE && exponent == FLOAT_INFINITY)) {
    return 1.0;
  }
  if (base > FLOAT_INFINITY || exponent > FLOAT_INFINITY) {
    return nan;
  }
  let negative = bitcast<u32>(a) > FLOAT_MAGNITUDE;
  // From 2^24 on every f32 is an even whole number.
  let odd = exponent < 0x4b800000u && floor(b) == b && fract(b * 0.5) != 0.0;
  if (base < 0x00800000u || base == FLOAT_INFINITY || exponent == FLOAT_INFINITY) {
    let infinite = (base > FLOAT_ONE) == (bitcast<u32>(b) <= FLOAT_MAGNITUDE);
    return bitcast<f32>(select(0u, FLOAT_INFINITY, infinite) | select(0u, FLOAT_MAGNITUDE + 1u, negative && odd));
  }
  let magnitude = pow(abs(a), b);
  let whole = exponent >= 0x4b800000u || floor(b) == b;
  return select(magnitude, select(nan, select(magnitude, -magnitude, odd), whole), negative);
}

// Special functions that WGSL does not have, in f32: expm1, log1p, erf, and the activations made of them.
//
// Series and polynomials, no algebraic tricks that only hold in floating point (a compiler may simplify those away).
// A library: the names carry its prefix.

// `of_x`, or x itself when that is NaN: what drivers make of NaN is their own affair.
fn special_keep_nan(x: f32, of_x: f32) -> f32 {
  return select(of_x, x, (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u);
}

// e^x - 1: Taylor's series to x^8 below 1/2 (the next term is 5e-9 of the value), else the difference.
fn special_expm1(x: f32) -> f32 {
  let series = x * (1.0 + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0 * (1.0 + x / 6.0 * (1.0 + x / 7.0
    * (1.0 + x / 8.0)))))));
  return special_keep_nan(x, select(exp(x) - 1.0, series, abs(x) < 0.5));
}

// ln(1 + x) = 2 artanh(s), s = x / (2 + x): series to s^9 below 1/4 (the next term is 1e-9 of the value), else the log.
fn special_log1p_inside(x: f32) -> f32 {
  let s = x / (2.0 + x);
  let q = s * s;
  let series = 2.0 * s * (1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q / 9.0))));
  return select(log(1.0 + x), series, abs(x) < 0.25);
}

// The same with its ends: -infinity at -1, NaN below, infinity at infinity. WGSL cannot write the first two.
fn special_log1p(x: f32, negative_infinity: f32, nan: f32) -> f32 {
  if (x == -1.0) {
    return negative_infinity;
  }
  let bits = bitcast<u32>(x);
  let below = bits > 0xbf800000u;
  return special_keep_nan(x, select(select(special_log1p_inside(x), nan, below), x, bits == 0x7f800000u));
}

// 1 / (1 + e^-x), with an exponential that never overflows.
fn special_sigmoid(x: f32) -> f32 {
  let e = exp(-abs(x));
  return special_keep_nan(x, select(1.0, e, x < 0.0) / (1.0 + e));
}

// ln(1 + e^x), with an exponential that never overflows.
fn special_softplus(x: f32) -> f32 {
  return special_keep_nan(x, select(0.0, x, x > 0.0) + special_log1p_inside(exp(-abs(x))));
}

// tanh from expm1(-2|x|), which never overflows; the built-in may be off by 1e-5 and NaN for large arguments.
fn special_tanh(x: f32) -> f32 {
  let e = special_expm1(-2.0 * abs(x));
  let magnitude = -e / (2.0 + e);
  return select(magnitude, -magnitude, x < 0.0);
}

// erf, at most 1 ulp off with a correctly rounded exp: Norbert Juffa's minimax polynomials (my_erff), odd near 0, else
// 1 - e^-p(|x|).
fn special_erf(x: f32) -> f32 {
  let t = abs(x);
  let s = x * x;
  var near = -5.96761703e-4;
  near = fma(near, s, 4.99119423e-3);
  near = fma(near, s, -2.67681349e-2);
  near = fma(near, s, 1.12819925e-1);
  near = fma(near, s, -3.76125336e-1);
  near = fma(near, s, 1.28379166e-1);
  near = fma(near, x, x);
  var far = fma(-1.72853470e-5, t, 3.83197126e-4);
  far = fma(far, s, fma(-3.88396438e-3, t, 2.42546219e-2));
  far = fma(far, t, -1.06777877e-1);
  far = fma(far, t, -6.34846687e-1);
  far = fma(far, t, -1.28717512e-1);
  far = fma(far, t, -t);
  // Beyond 4 it is 1 in f32, and the polynomial, which infinity would make NaN, is left alone.
  let tail = sign(x) * select(1.0 - exp(far), 1.0, t > 4.0);
  return select(near, tail, t > 0.927734375);
}

// x · Φ(x), exactly and with the usual tanh for Φ.
fn special_gelu(x: f32) -> f32 {
  return x * (0.5 + 0.5 * special_erf(x * 0.7071067811865476));
}

fn special_gelu_tanh(x: f32) -> f32 {
  return x * (0.5 + 0.5 * special_tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
}

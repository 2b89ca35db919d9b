// Where a resampled image reads when its source position is outside: positions along one axis, in pixels.
//
// A library: the names carry its prefix. The same in TypeScript: src/ops/affine-geometry.ts.
// Source: TensorFlow, ImageProjectiveTransformV3 (fill modes), which Keras' image.affine_transform calls.

// The image again behind a mirror at its edge: d c b a | a b c d | d c b a.
fn affine_reflect(at: f32, size: f32) -> f32 {
  let period = 2.0 * size;
  var x = at;
  if (x < 0.0) {
    x += period * floor(-x / period);
    x = select(-x - 1.0, x + period, x < -size);
  } else if (x > size - 1.0) {
    x -= period * floor(x / period);
    x = select(x, period - x - 1.0, x >= size);
  }
  return clamp(x, 0.0, size - 1.0);
}

// The image again from the other end. The count of whole turns is that of TensorFlow, of size - 1.
fn affine_wrap(at: f32, size: f32) -> f32 {
  if (size <= 1.0) {
    return 0.0;
  }
  var x = at;
  if (x < 0.0) {
    x += size * (floor(-x / (size - 1.0)) + 1.0);
  } else if (x > size - 1.0) {
    x -= size * floor(x / (size - 1.0));
  }
  return clamp(x, 0.0, size - 1.0);
}

// The nearest whole number; halves go away from zero.
fn affine_round(at: f32) -> f32 {
  return sign(at) * floor(abs(at) + 0.5);
}

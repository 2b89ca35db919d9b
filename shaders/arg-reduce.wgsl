// The state of argMax and argMin: the best value so far and where it stood. NaN beats everything, the first of equals
// stays (NumPy's rule). Bits are compared, because a compiler may assume that no float is NaN.

struct ArgBest {
  value: f32,
  index: u32,
}

fn arg_is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn arg_max_step(best: ArgBest, x: f32, index: u32) -> ArgBest {
  let better = (x > best.value || arg_is_nan(x)) && !arg_is_nan(best.value);
  if (index == 0u || better) {
    return ArgBest(x, index);
  }
  return best;
}

fn arg_min_step(best: ArgBest, x: f32, index: u32) -> ArgBest {
  let better = (x < best.value || arg_is_nan(x)) && !arg_is_nan(best.value);
  if (index == 0u || better) {
    return ArgBest(x, index);
  }
  return best;
}

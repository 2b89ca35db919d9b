// The state of a variance in one walk: count, mean and sum of squared distances from the mean, none of which cancels.
//
// Sources: Welford, "Note on a method for calculating corrected sums of squares and products" (1962), for the step; Chan,
// Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances" (1979), for the merge.

struct Moments {
  count: f32,
  mean: f32,
  squares: f32,
}

fn moments_step(state: Moments, x: f32) -> Moments {
  let count = state.count + 1.0;
  let delta = x - state.mean;
  let mean = state.mean + delta / count;
  return Moments(count, mean, state.squares + delta * (x - mean));
}

// The moments of what both have seen; either may have seen nothing.
fn moments_merge(a: Moments, b: Moments) -> Moments {
  let count = a.count + b.count;
  let share = b.count / max(count, 1.0);
  let delta = b.mean - a.mean;
  return Moments(count, a.mean + delta * share, a.squares + b.squares + delta * delta * a.count * share);
}

// The state of a variance in one walk: the mean as `base` + `rest`, as in center.wgsl, which says why, and the sum of squared
// distances from the mean. A run sums distances from the base and their squares: what cancels in the difference of the
// two is as small as the base is near.
//
// Source: Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances" (1979).

const MOMENTS_LARGEST = 0x1p100f;

struct Moments {
  base: f32,
  rest: f32,
  squares: f32,
}

struct MomentsRun {
  sum: f32,
  squares: f32,
}

fn moments_step(run: MomentsRun, distance: f32) -> MomentsRun {
  return MomentsRun(run.sum + distance, run.squares + distance * distance);
}

fn moments_move(acc: Moments, turn: u32) -> Moments {
  let due = ((turn & (turn - 1u)) == 0u) & (abs(acc.base + acc.rest) < MOMENTS_LARGEST);
  let base = acc.base + select(0.0, acc.rest, due);
  return Moments(base, (acc.base - base) + acc.rest, acc.squares);
}

// After a run of `count` values, which follows `before` others.
fn moments_add(acc: Moments, run: MomentsRun, turn: u32, before: f32, count: f32) -> Moments {
  let all = before + count;
  let mean = run.sum / count;
  let delta = mean - acc.rest;
  let squares = acc.squares + (run.squares - run.sum * mean) + delta * delta * (before * (count / all));
  return moments_move(Moments(acc.base, acc.rest * (before / all) + run.sum / all, squares), turn);
}

// The moments of what both have seen: `before` values and `count`; either may be none.
fn moments_merge(a: Moments, b: Moments, turn: u32, before: f32, count: f32) -> Moments {
  if (before == 0.0) {
    return b;
  }
  let all = before + count;
  let mean = (b.base - a.base) + b.rest;
  let delta = mean - a.rest;
  let share = count / all;
  let squares = a.squares + b.squares + delta * delta * (before * share);
  return moments_move(Moments(a.base, a.rest * (before / all) + mean * share, squares), turn);
}

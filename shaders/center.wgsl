// The state of a mean in one walk: `base` is near the values, and `rest` is the mean of their distances from it. Sums are
// those of distances, so that equal values have exactly their value as mean, wherever they are, and rounding errors are
// small beside the spread of the values.
//
// The base moves to the mean so far after the runs 0, 1, 2, 4, 8 …: an outlier in front is soon forgotten, and what is
// rounded in a move is rounded a few times only, should a compiler drop the exact remainder.

const CENTER_LARGEST = 0x1p100f;  // of a base: x - base cannot overflow, and infinity is no base

struct Center {
  base: f32,
  rest: f32,
}

fn center_move(acc: Center, turn: u32) -> Center {
  let due = ((turn & (turn - 1u)) == 0u) & (abs(acc.base + acc.rest) < CENTER_LARGEST);
  let base = acc.base + select(0.0, acc.rest, due);
  return Center(base, (acc.base - base) + acc.rest);
}

// After a run of `count` values whose distances from the base add up to `sum`; it follows `before` values. Weighted means and
// not differences of means: infinity minus infinity would be NaN.
fn center_add(acc: Center, sum: f32, turn: u32, before: f32, count: f32) -> Center {
  let all = before + count;
  return center_move(Center(acc.base, acc.rest * (before / all) + sum / all), turn);
}

// The mean of what both have seen: `before` values and `count`; either may be none.
fn center_merge(a: Center, b: Center, turn: u32, before: f32, count: f32) -> Center {
  if (before == 0.0) {
    return b;
  }
  let all = before + count;
  let distance = (b.base - a.base) + b.rest;
  return center_move(Center(a.base, a.rest * (before / all) + distance * (count / all)), turn);
}

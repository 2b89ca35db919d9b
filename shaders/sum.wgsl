// The state of a long sum. Sums of runs are added to `low`, `low` to `middle` whenever it has taken SUM_LOW of them, and
// `middle` to `high` in the same way. No addition chain is then long but that of `high`, which takes whole blocks of thousands
// of elements, and rounding errors grow with the longest chain.
//
// Source: Higham, "Accuracy and Stability of Numerical Algorithms" (2002), section 4.2, on blocked summation.

const SUM_LOW = 16u;      // runs
const SUM_MIDDLE = 512u;  // runs, a multiple of SUM_LOW

struct Sum {
  high: f32,
  middle: f32,
  low: f32,
}

// The sum after that of a run, the `turn`-th.
fn sum_add(acc: Sum, run: f32, turn: u32) -> Sum {
  let low = acc.low + run;
  let low_full = turn % SUM_LOW == SUM_LOW - 1u;
  let middle = acc.middle + select(0.0, low, low_full);
  let middle_full = turn % SUM_MIDDLE == SUM_MIDDLE - 1u;
  let high = acc.high + select(0.0, middle, middle_full);
  return Sum(high, select(middle, 0.0, middle_full), select(low, 0.0, low_full));
}

fn sum_of(acc: Sum) -> f32 {
  return acc.high + (acc.middle + acc.low);
}

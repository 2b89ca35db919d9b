// The state of a long sum: sums of runs are added to `low`, and `low` to `high` whenever it has taken SUM_TURNS of them. No
// addition chain is then longer than a run, SUM_TURNS or their share of the whole, and rounding errors grow with these.
//
// Source: Higham, "Accuracy and Stability of Numerical Algorithms" (2002), section 4.2, on blocked summation.

const SUM_TURNS = 16u;

struct Sum {
  high: f32,
  low: f32,
}

// The sum after that of a run, the `turn`-th.
fn sum_add(acc: Sum, run: f32, turn: u32) -> Sum {
  let low = acc.low + run;
  let full = turn % SUM_TURNS == SUM_TURNS - 1u;
  return Sum(acc.high + select(0.0, low, full), select(low, 0.0, full));
}

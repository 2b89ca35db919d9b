// softmax-rows.wgsl: softmax along the last axis of long rows, one workgroup a row.
//
//   y[row, k] = exp(x[row, k] - top) / total    top = max over k of x[row, k], total = Σ over k of exp(x[row, k] - top)
//
// A reduction over a long row gives each of its phases (maximum, sum, quotient) a dispatch. Here the invocations of a
// workgroup share a row: each takes every WORKGROUP_SIZE-th element, so neighbours read neighbours, and partial
// results meet in workgroup memory, always in the same order. The row is read three times, from the cache after the
// first.
//
// params[0].x is the number of rows, params[0].y their length.

// @slot declarations
@group(0) @binding(0) var<uniform> params: array<vec4<u32>, 1>;
@group(0) @binding(1) var<storage, read> b0: array<f32>;
@group(0) @binding(2) var<storage, read_write> b1: array<f32>;
// @end

const WORKGROUP_SIZE = 256u; // @param
// Elements that an invocation adds up before it adds them to its total: rounding errors grow with the longer of the
// two.
const RUN = 64u;

// @slot helpers
fn float_maximum(a: f32, b: f32) -> f32 { return max(a, b); }
fn float_exp(x: f32) -> f32 { return exp(x); }
// @end

// @slot load_0
fn load_0(i: u32) -> f32 { return b0[i]; }
// @end

// @slot store
fn store(i: u32, value: f32) { b1[i] = value; }
// @end

var<workgroup> partial_values: array<f32, 256>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) invocation: u32,
) {
  let row = group.y * groups.x + group.x;
  if (row >= params[0].x) { return; }
  let size = params[0].y;
  let base = row * size;

  // Starts from an element that the row has: WGSL cannot write -infinity.
  var top = load_0(base + min(invocation, size - 1u));
  for (var k = invocation; k < size; k += WORKGROUP_SIZE) {
    top = float_maximum(top, load_0(base + k));
  }
  partial_values[invocation] = top;
  workgroupBarrier();
  for (var half = WORKGROUP_SIZE / 2u; half > 0u; half = half / 2u) {
    if (invocation < half) {
      partial_values[invocation] = float_maximum(partial_values[invocation], partial_values[invocation + half]);
    }
    workgroupBarrier();
  }
  top = partial_values[0];
  workgroupBarrier();

  var sum = 0.0;
  for (var first = invocation; first < size; first += RUN * WORKGROUP_SIZE) {
    let last = min(first + RUN * WORKGROUP_SIZE, size);
    var run = 0.0;
    for (var k = first; k < last; k += WORKGROUP_SIZE) {
      run += float_exp(load_0(base + k) - top);
    }
    sum += run;
  }
  partial_values[invocation] = sum;
  workgroupBarrier();
  for (var half = WORKGROUP_SIZE / 2u; half > 0u; half = half / 2u) {
    if (invocation < half) {
      partial_values[invocation] += partial_values[invocation + half];
    }
    workgroupBarrier();
  }
  let total = partial_values[0];

  for (var k = invocation; k < size; k += WORKGROUP_SIZE) {
    store(base + k, float_exp(load_0(base + k) - top) / total);
  }
}

// A body for every point of a one-dimensional iteration space: the skeleton of elementwise kernels, of index
// arithmetic, of folds (a point is a fold) and of the second stage of split folds and contractions.
//
// params[0].x is the number of points, params[0].y how many of them an invocation takes, a workgroup's width apart: on a
// software adapter starting an invocation costs more than a short body. Workgroups are folded over two grid dimensions,
// so any count fits.

// @slot declarations
@group(0) @binding(0) var<uniform> params: array<vec4<u32>, 1>;
@group(0) @binding(1) var<storage, read_write> b0: array<f32>;
// @end

const WORKGROUP_SIZE = 64u; // @param

// @slot helpers
// @end

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) invocation: vec3<u32>,
) {
  let start = (group.y * groups.x + group.x) * (WORKGROUP_SIZE * params[0].y) + invocation.x;
  for (var turn = 0u; turn < params[0].y; turn++) {
    let i = start + turn * WORKGROUP_SIZE;
    if (i >= params[0].x) {
      return;
    }
    // @slot body
    b0[i] = 0.0;
    // @end
  }
}

// One invocation per point of a one-dimensional iteration space: the skeleton of elementwise kernels, of index
// arithmetic, of folds (one invocation per fold) and of the second stage of split folds and contractions.
//
// params[0].x is the number of points. Workgroups are folded over two grid dimensions, so any count fits.

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
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.y * groups.x + group.x) * WORKGROUP_SIZE + lane;
  if (i >= params[0].x) {
    return;
  }
  // @slot body
  b0[i] = 0.0;
  // @end
}

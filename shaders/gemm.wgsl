// gemm.wgsl: every dense contraction of the engine in one template (matmul, convolution, both of its gradients).
//
//   out[m, n] = Σ over segments s, Σ over kk in [lo, hi) of   A[a_base(m, s) + kk * a_step] * B[b_base(n, s) + kk * b_step]
//
// m is a row of the result, n a column, and the contracted axis k is cut into `segments` runs of at most `inner`
// elements. Inside a run both addresses move by a fixed step, so nothing is divided or looked up per element:
//
//                            m             n      segment    kk         the run of A
//   matmul                   row           col    one        k          a row (or, transposed, a column) of the matrix
//   convolution              b, oh, ow     cout   kh         kw, cin    one stretch of an image row
//   its input gradient       b, ih, iw     cin    kh, kw     cout       the channels of one output pixel
//   its weight gradient      kh, kw, cin   cout   b, oh      ow         every stride-th pixel of an image row
//
// lo and hi clip a run where it hangs over the zero padding; lo >= hi says the whole run is stored in it.
//
// One invocation owns a TM x TN block of the result in registers; a workgroup is INVOCATIONS_M x INVOCATIONS_N invocations whose rows
// and columns interleave, so neighbours touch neighbouring columns.
//
// Three variants fill the same loops. By default each invocation loads the A of its own rows, without workgroup memory or barriers. Where a workgroup is exactly one
// subgroup (INVOCATIONS_M = 1), all of its invocations have the same rows, and each loads only every INVOCATIONS_N-th of them and is told
// the others' by a broadcast: on a software adapter a load of eight lanes is eight loads, and a broadcast is a register
// move. Loops marked @unroll are written out, so that every index of acc is a literal: SwiftShader keeps an array that is
// indexed by a variable in memory. Staged, for GPUs: the workgroup copies a slab of A and of B to its memory and multiplies from
// there (staged-slots.ts).
//
// When the result is small and k is long (weight gradients), the segments are cut into `chunks`; each chunk writes its own
// slice of the output and a second kernel adds the slices in a fixed order.
//
// Where a invocation would add thousands of products, acc is added to a second block of totals now and then and starts anew
// (long-products.ts): rounding errors grow with the longest chain of additions.

const TM = 4u;           // @param  rows per invocation
const TN = 4u;           // @param  columns per invocation
const INVOCATIONS_M = 16u;     // @param  invocations of a workgroup along m
const INVOCATIONS_N = 16u;     // @param  and along n
const LOADS = 4u;        // @param  rows whose A an invocation loads: TM, or its share of them
const LOAD_SHARERS = 16u;  // @param  neighbouring invocations that load the same rows: INVOCATIONS_N, or 1 when they share the work
const LOAD_STEP = 16u;   // @param  distance of the rows that a invocation loads: INVOCATIONS_M, or INVOCATIONS_N
const CLIPPED = false;   // @param  true if any run can be clipped (zero padding, input gradients)
const SLICED = true;     // @param  false if there is one product in one chunk: then there is one slice
const ONES_ROW = false;  // @param  one more row, m == dims.m, whose A is 1: column sums of B, the gradient of a bias

// @slot declarations
@group(0) @binding(0) var<uniform> params: array<vec4<u32>, 2>;
@group(0) @binding(1) var<storage, read> b0: array<f32>;
@group(0) @binding(2) var<storage, read> b1: array<f32>;
@group(0) @binding(3) var<storage, read_write> b2: array<f32>;
// @end

// What may vary without a new pipeline: element counts and strides, never bytes.
struct Dims {
  m: u32,         // rows of the result, without the row of ones
  n: u32,         // columns
  inner: u32,     // longest run
  segments: u32,  // runs
  a_step: u32,    // distance in A when kk grows by one
  b_step: u32,    // distance in B
  batch: u32,     // independent products
  chunks: u32,    // slices of the segment axis (1: no split)
}

fn dims() -> Dims {
  let p = params[0];
  let q = params[1];
  return Dims(p.x, p.y, p.z, p.w, q.x, q.y, q.z, q.w);
}

// A run of A: where kk = 0 would lie (perhaps before the image, hence signed), and which kk exist.
struct Run { base: i32, lo: i32, hi: i32 }

// @slot operands
fn load_a(i: u32) -> f32 { return b0[i]; }
fn load_b(i: u32) -> f32 { return b1[i]; }
// @end

// @slot helpers
// @end

// @slot memory
// @end

// column is called once per column of the result that an invocation owns, store then once per value.
// @slot store
fn column(n: u32) {}
fn store(m: u32, n: u32, product: u32, chunk: u32, value: f32) {
  b2[(product * dims().m + m) * dims().n + n] = value;
}
// @end

// The address functions. row(m) and segment(s) hold the divisions, done once per row and once per segment; a_run and b_base
// combine their results cheaply. out_row may renumber the rows: an input gradient that lets the batch vary fastest clips
// the same runs in every invocation and skips them whole. The default is a plain matmul of one batch entry.
// @slot address
fn row(m: u32, product: u32) -> vec3i { return vec3i(i32(m * dims().inner), 0, 0); }
fn segment(s: u32) -> vec3i { return vec3i(0); }
fn a_run(r: vec3i, s: vec3i) -> Run { return Run(r.x, 0, i32(dims().inner)); }
fn b_base(n: u32, s: vec3i, product: u32) -> i32 { return i32(n); }
fn out_row(m: u32) -> u32 { return m; }
// @end

@compute @workgroup_size(INVOCATIONS_M * INVOCATIONS_N)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let d = dims();
  // The grid is one list of tiles folded into x and y (a dimension holds 65,535): n varies fastest, then m, then the slice.
  let rows = d.m + u32(ONES_ROW);
  let tiles_n = (d.n + TN * INVOCATIONS_N - 1u) / (TN * INVOCATIONS_N);
  let tiles_m = (rows + TM * INVOCATIONS_M - 1u) / (TM * INVOCATIONS_M);
  let tile = group.y * groups.x + group.x;
  let tile_row = tile / tiles_n;
  let slice = select(0u, tile_row / tiles_m, SLICED);
  if (tile_row >= tiles_m * select(1u, d.batch * d.chunks, SLICED)) { return; }
  let top = (tile_row - slice * tiles_m) * (TM * INVOCATIONS_M);
  // @slot load0
  let load0 = top + invocation / LOAD_SHARERS;                        // this invocation loads the rows load0 + q * LOAD_STEP,
  // @end
  let m0 = top + invocation / INVOCATIONS_N;                              // owns the rows m0 + i * INVOCATIONS_M
  let n0 = (tile % tiles_n) * (TN * INVOCATIONS_N) + invocation % INVOCATIONS_N;  // and the columns n0 + j * INVOCATIONS_N

  let product = select(0u, slice / d.chunks, SLICED);
  let chunk = slice - product * d.chunks;
  let chunk_size = select(d.segments, (d.segments + d.chunks - 1u) / d.chunks, SLICED);
  let first = chunk * chunk_size;
  let last = min(first + chunk_size, d.segments);
  let inner = i32(d.inner);
  let a_step = i32(d.a_step);
  let b_step = i32(d.b_step);

  // Rows and columns over the edge repeat the last one and are not stored: no test in the loops.
  var r: array<vec3i, LOADS>;
  var ones: array<bool, LOADS>;
  for (var q = 0u; q < LOADS; q++) {  // @unroll
    r[q] = row(min(load0 + q * LOAD_STEP, d.m - 1u), product);
    ones[q] = ONES_ROW & (load0 + q * LOAD_STEP >= d.m);
  }

  var acc: array<array<f32, TN>, TM>;
  // @slot totals
  // @end
  for (var s = first; s < last; s++) {  // @loop segments
    let seg = segment(s);
    var run: array<Run, LOADS>;
    var b_at: array<i32, TN>;
    var start = select(0, inner, CLIPPED);
    var stop = select(inner, 0, CLIPPED);
    for (var q = 0u; q < LOADS; q++) {  // @unroll
      run[q] = a_run(r[q], seg);
      if (CLIPPED) {  // walk over what any of the rows needs
        start = min(start, select(run[q].lo, 0, ones[q]));
        stop = max(stop, select(run[q].hi, inner, ones[q]));
      }
    }
    // @slot span
    // @end
    // @slot run
    for (var j = 0u; j < TN; j++) {  // @unroll
      b_at[j] = b_base(min(n0 + j * INVOCATIONS_N, d.n - 1u), seg, product);
    }

    for (var kk = start; kk < stop; kk++) {  // @loop elements
      var av: array<f32, LOADS>;
      for (var q = 0u; q < LOADS; q++) {  // @unroll
        let at = run[q].base + kk * a_step;
        if (CLIPPED) {  // load something that exists, then drop it
          let inside = (kk >= run[q].lo) & (kk < run[q].hi);
          av[q] = select(0.0, load_a(u32(select(0, at, inside))), inside);
        } else {
          av[q] = load_a(u32(at));
        }
        if (ONES_ROW) { av[q] = select(av[q], 1.0, ones[q]); }
      }
      var bv: array<f32, TN>;
      for (var j = 0u; j < TN; j++) {  // @unroll
        bv[j] = load_b(u32(b_at[j] + kk * b_step));
      }
      for (var i = 0u; i < TM; i++) {  // @unroll
        // @slot value
        let x = av[i];
        // @end
        for (var j = 0u; j < TN; j++) {  // @unroll
          acc[i][j] += x * bv[j];
        }
      }
    }
    // @end
    // @slot after_segment
    // @end
  }
  // @slot finish
  // @end

  // The code that stores stands here once, in a loop that stays a loop, down the columns: a copy for each value made software
  // adapters compile three times longer. acc[i][j] with variable i and j would push the block out of registers, so the
  // kernel's value is picked by selects.
  let lines = min(TM, (max(rows, m0) - m0 + INVOCATIONS_M - 1u) / INVOCATIONS_M);
  let columns = min(TN, (max(d.n, n0) - n0 + INVOCATIONS_N - 1u) / INVOCATIONS_N);
  var i = 0u;
  var j = 0u;
  for (var left = lines * columns; left > 0u; left--) {
    let n = n0 + j * INVOCATIONS_N;
    if (i == 0u) { column(n); }
    // @slot pick
    let value = acc[i][j];
    // @end
    store(out_row(m0 + i * INVOCATIONS_M), n, product, chunk, value);
    i++;
    let full = i == lines;
    i = select(i, 0u, full);
    j += u32(full);
  }
}

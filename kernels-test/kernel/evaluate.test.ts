/** What evaluated kernels compute: WGSL's arithmetic, control flow, values that are copied, invocations that meet. */

import { describe, expect, test } from 'vitest';
import { readModule } from '../../src/kernel/check.ts';
import { EvaluatedKernel } from '../../src/kernel/evaluate/index.ts';

interface Setup {
  readonly precision?: 'f32' | 'f64';
  readonly helpers?: string;
  readonly size?: number;
  readonly subgroupSize?: number;
  readonly output?: Float64Array | Float32Array | Int32Array | Uint32Array;
}

/** What `body` leaves in `out`, one invocation an element. */
function run(body: string, type: 'f32' | 'i32' | 'u32', setup: Setup = {}): number[] {
  const { precision = 'f64', helpers = '', size = 1, subgroupSize = 4 } = setup;
  const make = { f32: precision === 'f64' ? Float64Array : Float32Array, i32: Int32Array, u32: Uint32Array }[type];
  const output = setup.output ?? new make(size);
  const text = `
    @group(0) @binding(0) var<uniform> params: array<vec4<u32>, 1>;
    @group(0) @binding(1) var<storage, read_write> out: array<${type}>;
    ${helpers}
    @compute @workgroup_size(${size}u)
    fn main(@builtin(local_invocation_index) lane: u32) { ${body} }`;
  const kernel = new EvaluatedKernel(readModule(text, 'test'), 'test', { precision, subgroupSize });
  kernel.run({ uniforms: [7, 0x3f000000, 0, 0], storage: [output], workgroups: [1, 1, 1] });
  return [...output];
}

test.each([
  ['i32', '2147483647 + params_one()', -2147483648],
  ['i32', '-7 / (params_one() + 1)', -3],
  ['i32', '-7 % (params_one() + 3)', -3],
  ['i32', '(params_one() - 1000000) * 1000000', 728379968 + 0],
  ['u32', '0u - u32(params_one())', 4294967295],
  ['u32', '4000000000u * u32(params_one() + 1)', 3705032704],
  ['u32', '(0xf0f0f0f0u ^ u32(params_one())) >> 4u', 0x0f0f0f0f],
  ['u32', '~u32(params_one())', 4294967294],
  ['u32', 'u32(f32(params_one()) * -5.0)', 0],
  ['u32', 'countLeadingZeros(u32(params_one()))', 31],
  ['u32', 'firstLeadingBit(u32(params_one()) << 9u)', 9],
  ['f32', 'f32(params_one()) / 3.0', 1 / 3],
  ['f32', 'round(f32(params_one()) * 2.5)', 2],
  ['f32', 'fract(f32(params_one()) * -1.25)', 0.75],
  ['f32', 'bitcast<f32>(params[0].y)', 0.5],
  ['f32', 'select(1.0, 2.0, params[0].x == 7u)', 2],
  ['f32', 'dot(vec3<f32>(1.0, 2.0, 3.0), vec3<f32>(f32(params_one())))', 6],
  ['f32', '(vec3<f32>(1.0, 2.0, 3.0) * 2.0).z', 6],
] as const)('%s: %s', (type, expression, value) => {
  const helpers = 'fn params_one() -> i32 { return i32(params[0].x) - 6; }';
  // (1 - 1000000) * 1000000 in 32 bits.
  const expected = expression.includes('1000000') ? Math.imul(-999999, 1000000) : value;
  expect(run(`out[0] = ${expression};`, type, { helpers })).toEqual([expected]);
});

test('f32 is rounded after each operation, f64 is not', () => {
  const body = 'var x = f32(params[0].x); x = x / 3.0; out[0] = x * x;';
  const third = Math.fround(7 / 3);
  expect(run(body, 'f32', { precision: 'f32' })).toEqual([Math.fround(third * third)]);
  expect(run(body, 'f32')).toEqual([(7 / 3) * (7 / 3)]);
});

describe('values', () => {
  test('are copied when they are declared, assigned and handed over', () => {
    const helpers =
      'struct P { x: f32, v: vec2<f32> }\nfn grown(p: P) -> P { var q = p; q.x += 1.0; q.v.y = 9.0; return q; }';
    const body = `
      var a: array<f32, 2>; a[0] = 1.0; let b = a; a[0] = 5.0;
      var p = P(1.0, vec2<f32>(2.0, 3.0)); let q = grown(p); p.v.x = 4.0;
      out[0] = b[0] * 1000.0 + p.x * 100.0 + p.v.y * 10.0 + q.v.x;`;
    expect(run(body, 'f32', { helpers })).toEqual([1000 + 100 + 30 + 2]);
  });

  test('of an inner declaration hide those outside until its block ends', () => {
    expect(run('let x = 1.0; { let x = x + 1.0; out[0] = x; } out[0] = out[0] * 10.0 + x;', 'f32')).toEqual([21]);
  });
});

test('loops, breaks and early returns', () => {
  const helpers = `fn first_over(limit: u32) -> u32 {
    for (var k = 0u; k < 100u; k++) { if (k % 2u == 0u) { continue; } if (k * k > limit) { return k; } }
    return 0u;
  }
  fn halvings(n: u32) -> u32 { var x = n; var count = 0u; loop { if (x <= 1u) { break; } x /= 2u; count++; } return count; }`;
  expect(run('out[0] = first_over(30u) * 100u + halvings(64u);', 'u32', { helpers })).toEqual([706]);
});

test('private variables start anew in every invocation, with their value', () => {
  const helpers = 'var<private> seen: u32 = 5u;';
  expect(run('seen += lane; out[lane] = seen;', 'u32', { helpers, size: 3 })).toEqual([5, 6, 7]);
});

describe('invocations that meet', () => {
  test('see what the others stored before a barrier', () => {
    const helpers = 'var<workgroup> shared_values: array<f32, 4>;';
    const body = 'shared_values[lane] = f32(lane) * 2.0; workgroupBarrier(); out[lane] = shared_values[3u - lane];';
    expect(run(body, 'f32', { helpers, size: 4 })).toEqual([6, 4, 2, 0]);
  });

  test('exchange values within their subgroup', () => {
    const body = 'out[lane] = subgroupBroadcast(f32(lane), 1u) * 100.0 + subgroupMax(f32(lane)) + subgroupAdd(0.5);';
    expect(run(body, 'f32', { size: 4, subgroupSize: 2 })).toEqual([102, 102, 304, 304]);
  });

  test('must take part', () => {
    const body = 'if (lane == 1u) { return; } out[lane] = subgroupBroadcast(1.0, 1u);';
    expect(() => run(body, 'f32', { size: 2 })).toThrow('broadcast from invocation 1, which does not take part');
  });
});

test('an index outside of a buffer is an error', () => {
  expect(() => run('out[params[0].x] = 1.0;', 'f32', { size: 3 })).toThrow('index 7 of 3 elements');
  expect(() => run('out[0] = out[i32(params[0].x) - 8];', 'f32', { size: 3 })).toThrow('index -1 of 3 elements');
});

/** verifyPlan accepts what backends can run and names what is wrong with anything else. */

import { describe, expect, it } from 'vitest';
import { createNullBackend } from '../../src/backend/null.ts';
import type { Dispatch, Plan, PlanBuffer } from '../../src/compile/plan.ts';
import { DEFAULT_TARGET } from '../../src/compile/target.ts';
import { verifyPlan } from '../../src/compile/verify-plan.ts';
import { RangeSet } from '../../src/util/range-set.ts';
import { descentPlan, reusePlan, scalarWords, scalePlan } from './hand-plans.ts';

const n = 100;
const scaled = scalePlan(n);
const descent = descentPlan(n);
const reuse = reusePlan([1, 2, 3]);

function withBuffer(plan: Plan, id: number, change: Partial<PlanBuffer>): Plan {
  return { ...plan, buffers: plan.buffers.map((buffer) => (buffer.id === id ? { ...buffer, ...change } : buffer)) };
}

function withDispatch(plan: Plan, at: number, change: Partial<Dispatch>): Plan {
  return { ...plan, dispatches: plan.dispatches.map((d, k) => (k === at ? { ...d, ...change } : d)) };
}

function withStep(plan: Plan, at: number, change: Partial<Dispatch['reference'][number]>): Plan {
  const [first, ...rest] = plan.dispatches[at].reference;
  return withDispatch(plan, at, { reference: [{ ...first, ...change }, ...rest] });
}

function withInput(plan: Plan, at: number, change: Partial<Plan['inputs'][number]>): Plan {
  return { ...plan, inputs: plan.inputs.map((input, k) => (k === at ? { ...input, ...change } : input)) };
}

function withKernel(plan: Plan, at: number, change: Partial<Plan['kernels'][number]>): Plan {
  return { ...plan, kernels: plan.kernels.map((kernel, k) => (k === at ? { ...kernel, ...change } : kernel)) };
}

const y = { buffer: 2, offset: 0, shape: [n], dtype: 'f32' } as const;

const broken: readonly [title: string, plan: Plan, message: RegExp][] = [
  ['buffer ids', withBuffer(scaled, 1, { id: 7 }), /buffer 1 "scalars" has id 7/],
  ['a buffer without label', withBuffer(scaled, 2, { label: '' }), /buffer 2 has no label/],
  ['a broken size', withBuffer(scaled, 2, { bytes: 1.5 }), /buffer 2 "y" takes 1.5 bytes/],
  ['a constant without data', withBuffer(reuse, 0, { data: undefined }), /buffer 0 "c" is constant and has no data/],
  ['data of another length', withBuffer(reuse, 0, { data: new Float32Array(2) }), /takes 12 bytes and has data for 8/],
  ['two scalar blocks', withBuffer(scaled, 2, { role: 'scalars' }), /has 2 scalar blocks/],
  ['wrong plan bytes', { ...scaled, planBytes: 1 }, /its own buffers take 656 bytes, planBytes is 1/],
  ['wrong bound bytes', { ...scaled, boundBytes: 1 }, /bound buffers take 400 bytes, not 1/],
  ['kernel ids', withKernel(scaled, 0, { id: 3 }), /kernel 0 "scale" has id 3/],
  ['a kernel without label', withKernel(scaled, 0, { label: '' }), /kernel 0 "" has no label/],
  ['an uneven uniform block', withKernel(scaled, 0, { uniformWords: 3 }), /a uniform block of 3 words/],
  [
    'an input out of bounds',
    withInput(scaled, 1, { offset: 64 }),
    /input "s": bytes 256 to 260 leave buffer "scalars"/,
  ],
  [
    'an input in the wrong role',
    withInput(scaled, 0, { kind: 'scalar' }),
    /input "x" is scalar and is stored in "x", which is bound/,
  ],
  ['a scalar between slots', withInput(scaled, 1, { offset: 3 }), /input "s" starts at element 3; slots are 64 apart/],
  ['an updated scalar', withInput(scaled, 1, { updated: true }), /input "s" is a scalar and marked as updated/],
  ['a bound part', withInput(scaled, 0, { offset: 1, shape: [2] }), /input "x" starts at element 1 of "x"/],
  ['a dispatch without label', withDispatch(scaled, 0, { label: '' }), /dispatch 0 "" has no label/],
  ['an unknown kernel', withDispatch(scaled, 0, { kernel: 5 }), /there is no kernel 5/],
  ['missing uniforms', withDispatch(scaled, 0, { uniforms: [] }), /0 uniform words; kernel "scale" takes 4/],
  [
    'uniforms that are no u32',
    withDispatch(scaled, 0, { uniforms: [-1, 0, 0, 0] }),
    /uniform words must be whole numbers/,
  ],
  ['missing bindings', withDispatch(scaled, 0, { buffers: [0, 1] }), /binds 2 buffers; kernel "scale" takes 3/],
  ['an unknown buffer', withDispatch(scaled, 0, { buffers: [0, 1, 9] }), /binding 3 is buffer 9, which does not exist/],
  [
    'a buffer bound twice',
    withDispatch(scaled, 0, { buffers: [2, 1, 2] }),
    /(reads buffer "y" before|buffer 2 "y" is bound twice)/,
  ],
  [
    'a buffer read and written',
    withDispatch(descent, 3, { buffers: [1, 1] }),
    /buffer 1 "scalars" is bound twice|writes buffer "scalars"/,
  ],
  ['a written constant', withDispatch(reuse, 1, { buffers: [0] }), /writes buffer "c", which is constant/],
  [
    'a write to what is not updated',
    withInput(descent, 0, { updated: false }),
    /writes buffer "p", which is bound and not updated/,
  ],
  [
    'a temporary read before it is written',
    withDispatch(descent, 0, { buffers: [2, 3] }),
    /dispatch 0 "square": reads buffer "squared" before/,
  ],
  ['a grid of no number', withDispatch(scaled, 0, { workgroups: [1, -1, 1] }), /-1 workgroups along y/],
  ['a step reading a later one', withStep(reuse, 0, { inputs: [{ step: 1 }] }), /step 0 \(addOne\): input 0 is step 1/],
  [
    'a step reading out of bounds',
    withStep(scaled, 0, { inputs: [{ ...y, buffer: 0, offset: 1 }] }),
    /bytes 4 to 404 leave buffer "x"/,
  ],
  [
    'a step reading what is not written',
    withStep(descent, 1, { inputs: [{ ...y, buffer: 4 }] }),
    /reads byte 0 of "positive" before it is written/,
  ],
  [
    'a step whose place is too small',
    withStep(scaled, 0, { output: { ...y, shape: [2] } }),
    /gives f32\[100\], placed as f32\[2\]/,
  ],
  ['a step whose place has another dtype', withStep(scaled, 0, { output: { ...y, dtype: 'i32' } }), /placed as i32/],
  [
    'a step that writes what the kernel does not',
    withStep(descent, 0, { output: { ...y, buffer: 4 } }),
    /its output is stored in "positive", which the dispatch does not write/,
  ],
  [
    'outputs that overlap',
    withDispatch(scaled, 0, { reference: [scaled.dispatches[0].reference[0], scaled.dispatches[0].reference[0]] }),
    /step 1 \(scale\): its output overlaps another output of the dispatch in "y"/,
  ],
  [
    'an output in a temporary',
    { ...descent, outputs: [{ ...y, name: 'squared' }] },
    /output 0 "squared" is stored in "squared", which is temporary/,
  ],
  [
    'an output that nothing writes',
    withDispatch(scaled, 0, { reference: [] }),
    /output 0 "y": byte 0 of "y" is never written/,
  ],
];

const tooMuch: readonly [title: string, plan: Plan, limits: Partial<typeof DEFAULT_TARGET>, message: RegExp][] = [
  [
    'buffer size',
    scaled,
    { maxBufferSize: 300 },
    /buffer 0 "x" takes 400 bytes; the device allows 300 \(maxBufferSize\)/,
  ],
  ['binding size', scaled, { maxStorageBufferBindingSize: 300 }, /dispatch 0 "scale": buffer "x" takes 400 bytes/],
  ['bindings', scaled, { maxStorageBuffersPerShaderStage: 2 }, /kernel 0 "scale" binds 3 buffers; the device allows 2/],
  [
    'workgroup size',
    scaled,
    { maxComputeInvocationsPerWorkgroup: 32 },
    /has 64 invocations a workgroup; the device allows 32/,
  ],
  ['grid', scaled, { maxComputeWorkgroupsPerDimension: 1 }, /2 workgroups along x; the device allows 1/],
  [
    'uniform block',
    withKernel(scaled, 0, { uniformWords: 16388 }),
    {},
    /a uniform block of 65552 bytes; the device allows 65536/,
  ],
];

describe('verifyPlan', () => {
  it.each([
    ['scale', scaled],
    ['descent', descent],
    ['reuse', reuse],
  ])('accepts %s', (_, plan) => {
    verifyPlan(plan, DEFAULT_TARGET);
    verifyPlan(plan);
  });

  it.each(broken)('rejects %s', (_, plan, message) => {
    expect(() => verifyPlan(plan)).toThrow(expect.objectContaining({ code: 'internal' }));
    expect(() => verifyPlan(plan)).toThrow(message);
  });

  it.each(tooMuch)('holds a plan to the limit of %s', (_, plan, change, message) => {
    const limits = { ...DEFAULT_TARGET, ...change };
    expect(() => verifyPlan(plan, limits)).toThrow(expect.objectContaining({ code: 'device' }));
    expect(() => verifyPlan(plan, limits)).toThrow(message);
  });

  it('lets the second stage of a kernel write what the first one defines', () => {
    const [first] = scaled.dispatches;
    const twoStage: Plan = {
      ...scaled,
      buffers: [...scaled.buffers, { id: 3, role: 'temporary', bytes: 4 * n, label: 'partial' }],
      planBytes: scaled.planBytes + n * 4,
      dispatches: [
        { ...first, label: 'stage 1', buffers: [0, 1, 3] },
        { ...first, label: 'stage 2', buffers: [3, 1, 2], reference: [] },
      ],
    };
    verifyPlan(twoStage, DEFAULT_TARGET);
  });
});

describe('the null backend', () => {
  it('verifies, counts and gives zeros', async () => {
    const backend = createNullBackend();
    const x = backend.createBuffer(n, 'f32', 'x');
    const program = await backend.load(scaled, [x]);
    program.run(scalarWords(2));
    expect(() => program.run()).toThrow(/takes 64 words, got none/);
    expect(await program.read(0)).toEqual(new Float32Array(n));
    expect(backend.counters).toMatchObject({ submits: 1, passes: 1, dispatches: 1, liveBuffers: 3 });
    program.dispose();
    x.dispose();
    expect(backend.counters).toMatchObject({ liveBuffers: 0, liveBytes: 0, peakBytes: 400 + 656 });
    expect(() => backend.createBuffer(2 ** 26, 'f32', 'huge')).toThrow(/buffer "huge" takes 268435456 bytes/);
    await expect(backend.load(withDispatch(scaled, 0, { kernel: 5 }), [x])).rejects.toThrow(/no kernel 5/);
  });
});

describe('RangeSet', () => {
  it('merges ranges and finds gaps, as a plain set does', () => {
    const ranges = new RangeSet();
    const plain = new Set<number>();
    let seed = 1;
    const random = (below: number) => {
      seed = (seed * 48271) % 2147483647;
      return seed % below;
    };
    for (let round = 0; round < 200; round++) {
      const from = random(60);
      const to = from + random(5);
      if (round % 3 === 0) {
        ranges.add(from, to);
        for (let k = from; k < to; k++) plain.add(k);
      }
      const end = from + random(12);
      const missing = Array.from({ length: end - from }, (_, k) => from + k).find((k) => !plain.has(k));
      expect(ranges.firstMissing(from, end)).toBe(missing);
    }
  });
});

/**
 * Plans as JSON: they come back as they were, are refused when they are broken, and train to the same bits in a process
 * that did not compile them.
 */

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { WorkloadName } from '../../bench/core/workloads.ts';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import type { Plan, ReferenceStep } from '../../src/compile/plan.ts';
import { planFromJson, planToJson } from '../../src/compile/plan-json.ts';
import { defineOp } from '../../src/core/op.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { printModule } from '../../src/kernel/print.ts';
import { relu } from '../../src/ops/elementwise/activations.ts';
import { matmul } from '../../src/ops/matmul/matmul.ts';
import { input, planned } from '../support/graphs.ts';
import { type BackendName, keepPlans } from './stored-plans.ts';

const plan = planned({ outputs: [relu(matmul(input('x', [4, 3]), input('w', [3, 2])))] });

/** `plan` with the attributes of its first reference step replaced. */
function withAttributes(attrs: unknown): Plan {
  const [dispatch, ...others] = plan.dispatches;
  const [step, ...steps] = dispatch.reference;
  return { ...plan, dispatches: [{ ...dispatch, reference: [{ ...step, attrs }, ...steps] }, ...others] };
}

function noWorkgroups(json: Record<string, unknown>): void {
  for (const dispatch of json.dispatches as { workgroups: number[] }[]) dispatch.workgroups[0] = 0;
}

/** A plan whose kernels are texts: trees also say which lines they come from. */
function withTexts(plan: Plan) {
  return { ...plan, kernels: plan.kernels.map(({ module, ...kernel }) => ({ ...kernel, text: printModule(module) })) };
}

describe('a plan comes back as it was', () => {
  test('whole', () => {
    const read = planFromJson(planToJson(plan));
    expect(withTexts(read)).toStrictEqual(withTexts(plan));
    expect(planToJson(read)).toBe(planToJson(plan));
  });

  test('with attributes that JSON lacks', () => {
    const attrs = {
      numbers: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, -0, 0, 1e-45, 0.1],
      floats: Float32Array.of(-0, Number.NaN, 1.5),
      doubles: Float64Array.of(Math.PI),
      words: Uint32Array.of(0xdeadbeef),
      nested: { left: undefined, nothing: null, text: '-0', flag: true, bytes: new Uint8Array(10_000).fill(7) },
    };
    const { dispatches } = planFromJson(planToJson(withAttributes(attrs)));
    expect(dispatches[0].reference[0].attrs).toStrictEqual(attrs);
  });

  test('with constants that are a view into more memory', () => {
    const shared = Float32Array.of(9, 9, 1, 2, 9);
    const constant = {
      ...plan.buffers[0],
      id: plan.buffers.length,
      role: 'constant',
      label: 'c',
      bytes: 8,
    } as const;
    const buffers = [...plan.buffers, { ...constant, data: shared.subarray(2, 4) }];
    const read = planFromJson(planToJson({ ...plan, buffers, planBytes: plan.planBytes + 8 }));
    expect(read.buffers.at(-1)?.data).toStrictEqual(Float32Array.of(1, 2));
  });

  test('and finds an op that no table lists', async () => {
    const make = (factor: number) =>
      defineOp<Record<string, never>, (x: Tensor) => Tensor>(
        {
          name: 'times',
          doc: 'x · factor.',
          infer: ([x]) => x,
          cpu: ([x], output) => {
            for (let i = 0; i < x.data.length; i++) output.data[i] = x.data[i] * factor;
          },
          vjp: null,
          lower: { kind: 'map', wgsl: ([x]) => `(${x} * ${factor}.0)` },
          samples: [],
          rejects: [],
          tolerance: { relative: 0, source: '' },
          bench: { flops: () => 0, sample: { inputs: [], attrs: {} } },
        },
        (apply) => (x) => apply([x], {}),
      );
    // Two ops of one name are two ops.
    const [twice, thrice] = [make(2), make(3)];
    const read = planFromJson(planToJson(planned({ outputs: [thrice(twice(input('x', [1])))] })));
    const backend = createCpuBackend();
    const x = backend.createBuffer(1, 'f32', 'x');
    backend.write(x, Float32Array.of(5));
    const program = await backend.load(read, [x]);
    program.run();
    expect(await program.read(0)).toEqual(Float32Array.of(30));
  });
});

describe('refuses', () => {
  const changed = (change: (json: { plan: Record<string, never> } & Record<string, unknown>) => void): string => {
    const json = JSON.parse(planToJson(plan));
    change(json);
    return JSON.stringify(json);
  };

  test.each<[string, string, RegExp]>([
    ['what is not JSON', '{', /^p\.json: not JSON: /],
    ['another file', '{"format":"downhill tuning"}', /^p\.json: not a "downhill plan" file/],
    ['another version', changed((json) => Object.assign(json, { formatVersion: 2 })), /format version 2; .* version 1/],
    [
      'a plan without buffers',
      changed(({ plan: p }) => Reflect.deleteProperty(p, 'buffers')),
      /buffers must be a list/,
    ],
    [
      'an unknown property',
      changed(({ plan: p }) => Object.assign(p, { more: 1 })),
      /property "more", which is unknown/,
    ],
    [
      'a text for a number',
      changed(({ plan: p }) => Object.assign(p, { planBytes: '8' })),
      /planBytes must be a whole/,
    ],
    ['an unknown dtype', planToJson(plan).replace('"dtype":"f32"', '"dtype":"f8"'), /dtype must be f32 or i32 or/],
    ['an unknown value', planToJson(plan).replace('"attrs":{', '"attrs":{"a":{"$":"Map"},'), /stands for no value/],
    ['broken base64', planToJson(withAttributes(Uint8Array.of(1))).replace('"AQ=="', '"A"'), /are not base64/],
    [
      'a kernel that is not WGSL',
      planToJson(plan).replace('return b0[i];', 'return b0[i] +;'),
      /kernel "matmul.*expected an/,
    ],
    [
      'a kernel with a wrong type',
      planToJson(plan).replace('return b0[i];', 'return i;'),
      /kernel "matmul.*u32, but f32/,
    ],
    ['an unknown function', planToJson(plan).replace('= float_relu(', '= float_rel('), /unknown function "float_rel"/],
    ['a kernel without main', planToJson(plan).replaceAll('fn main(', 'fn start('), /no entry point main/],
    ['no workgroups', changed(({ plan: p }) => noWorkgroups(p)), /0 workgroups along x/],
    ['a broken rule of plans', changed(({ plan: p }) => Object.assign(p, { boundBytes: 1 })), /bound buffers take/],
  ])('%s', (_title, text, message) => {
    expect(() => planFromJson(text, 'p.json')).toThrow(expect.objectContaining({ code: 'file' }));
    expect(() => planFromJson(text, 'p.json')).toThrow(message);
  });

  test('to write what is not plain data', () => {
    const step = (attrs: unknown) => () => planToJson(withAttributes(attrs));
    expect(step({ f: () => 1 })).toThrow(/reference\[0\]\.attrs\.f cannot be written as JSON: function f/);
    expect(step(new Map())).toThrow(/cannot be written/);
    expect(step({ $: 1 })).toThrow(/cannot be written/);
  });

  test('an op that nobody has defined, when its reference is needed', async () => {
    const text = planToJson(plan).replaceAll('"op":"matmul"', '"op":"matmal"');
    const read = planFromJson(text);
    expect(read.dispatches[0].reference[0]).toMatchObject({ op: 'matmal' } satisfies Partial<ReferenceStep>);
    const backend = createCpuBackend();
    const bound = read.buffers
      .filter(({ role }) => role === 'bound')
      .map(({ bytes, label }) => backend.createBuffer(bytes / 4, 'f32', label));
    await expect(backend.load(read, bound)).rejects.toThrow(/no op "matmal" is defined here; import the module/);
  });
});

describe('in another process', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'downhill-plans-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test.each<[WorkloadName, BackendName]>([
    ['lenet', 'references'],
    ['lenet', 'evaluating'],
    ['lenet', 'webgpu'],
    ['vgg', 'webgpu'],
  ])('plans of %s train to the same digest, %s', async (workload, backend) => {
    const digest = await keepPlans(workload, backend, folder);
    const program = fileURLToPath(new URL('stored-plans.ts', import.meta.url));
    // NOFUSE: what that process compiles itself has other kernels, so the digest can only come from the stored plans.
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', program, workload, backend, folder],
      { env: { ...process.env, NOFUSE: '1' } },
    );
    expect(stdout.trim()).toBe(digest);
  });
});

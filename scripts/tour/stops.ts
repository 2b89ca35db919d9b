/**
 * The stops of docs/tour.md: one small training step, followed from the user's line to the dispatch, through its
 * gradient, to the updated weights. Each stop is what the product itself prints or computes on the way.
 *
 * Invariant: the plans are made for WebGPU's default limits, and every number of the example is a small multiple of a
 * power of two, so that the text is the same on every machine and on every backend.
 */

import type { Backend } from '../../src/backend/backend.ts';
import { createEvaluatingBackend } from '../../src/backend/evaluate.ts';
import { clusterName } from '../../src/compile/fuse/cluster.ts';
import { fuseGraph } from '../../src/compile/fuse-graph.ts';
import { compileGraph } from '../../src/compile/index.ts';
import { type Plan, SCALAR_STRIDE } from '../../src/compile/plan.ts';
import { printPlan } from '../../src/compile/print-plan.ts';
import { DEFAULT_TARGET } from '../../src/compile/target.ts';
import { buildGraph, type GraphSpec, printGraph } from '../../src/core/graph.ts';
import type { Op } from '../../src/core/op.ts';
import { Tensor } from '../../src/core/tensor.ts';
import { printDeclaration } from '../../src/kernel/print.ts';
import type { Module } from '../../src/kernel/tree.ts';
import { sgd } from '../../src/nn/optimizers/sgd.ts';
import { relu } from '../../src/ops/elementwise/activations.ts';
import { add, squaredDifference } from '../../src/ops/elementwise/binary.ts';
import { matmul } from '../../src/ops/matmul/matmul.ts';
import { mean } from '../../src/ops/reduction/reduce.ts';
import { gradients } from '../../src/transform/grad.ts';
import type { Shape } from '../../src/util/shape.ts';

/** What the example computes with, row by row. */
const VALUES: Readonly<Record<string, readonly number[]>> = {
  x: [1, 2, 0, 0, 1, -1, 2, 0, 1, -1, 1, 2],
  w: [1, -1, 2, 0, 0, 1],
  b: [0.5, -1],
  target: [4, 0, 2, 0, 2, 0, 1, 1],
};
const LEARNING_RATE = 0.5;

const input = (name: string, shape: Shape): Tensor => Tensor.placeholder(name, { shape, dtype: 'f32' });
const bound = (...tensors: readonly Tensor[]): GraphSpec['inputs'] =>
  tensors.map((tensor) => ({ name: tensor.label as string, kind: 'bound', tensor }));

/** The three graphs of the tour: a prediction, the gradients of its loss, a whole training step. */
function graphs() {
  const [x, w, b] = [input('x', [4, 3]), input('w', [3, 2]), input('b', [2])];
  const y = relu(add(matmul(x, w), b));
  const forward: GraphSpec = { name: 'forward', inputs: bound(x, w, b), outputs: [{ name: 'y', tensor: y }] };

  const target = input('target', [4, 2]);
  const loss = mean(squaredDifference(y, target));
  const [dw, db] = gradients(loss, [w, b]);
  const backward: GraphSpec = {
    name: 'backward',
    inputs: bound(x, w, b, target),
    outputs: Object.entries({ loss, dw, db }).map(([name, tensor]) => ({ name, tensor })),
  };

  const rate = input('learningRate', []);
  const updated = (parameters: Tensor, gradient: Tensor) => {
    const rest = { slots: {}, scalars: { learningRate: rate }, shapes: [parameters.shape], rule: '' };
    return sgd().update({ parameters, gradient, ...rest }).parameters;
  };
  const step: GraphSpec = {
    name: 'step',
    inputs: [...bound(x, w, b, target), { name: 'learningRate', kind: 'scalar', tensor: rate }],
    outputs: [{ name: 'loss', tensor: loss }],
    updates: [
      { target: w, value: updated(w, dw) },
      { target: b, value: updated(b, db) },
    ],
  };
  return { y, forward, backward, step };
}

/** Text of each stop by its name, in the order of the page. @param backend what runs the programs. */
export async function tourStops(
  backend: Backend = createEvaluatingBackend({ precision: 'f32', target: DEFAULT_TARGET }),
): Promise<ReadonlyMap<string, string>> {
  const { y, forward, backward, step } = graphs();
  const [forwardPlan, backwardPlan, stepPlan] = [forward, backward, step].map((spec) =>
    compileGraph(spec, DEFAULT_TARGET, { fusion: true, reuse: true }),
  );
  const [{ module }] = forwardPlan.kernels;
  return new Map([
    ['line', describeNode(y)],
    ['graph', printGraph(buildGraph(forward))],
    ['fused', printClusters(forward)],
    ['plan', printPlan(forwardPlan, { kernels: false })],
    ['kernel', ['load_a', 'load_b', 'column', 'store'].map((name) => declaration(module, name)).join('\n')],
    ['library', declaration(module, 'float_relu')],
    ['dispatch', printDispatch(forwardPlan)],
    ['run', await printRun(backend, forwardPlan)],
    ['gradient', printGraph(buildGraph(backward))],
    ['slopes', await printSlopes(backend, backwardPlan)],
    ['step', printGraph(fuseGraph(step, DEFAULT_TARGET, true).fused.graph)],
    ['step-fused', printClusters(step)],
    ['step-kernel', declaration(stepPlan.kernels[0].module, 'store')],
    ['step-plan', printPlan(stepPlan, { kernels: false })],
    ['update', await printRun(backend, stepPlan, 2)],
  ]);
}

/** The node behind the user's line and those it points to. */
function describeNode(node: Tensor, depth = 0): string {
  const what = node.op === null ? `leaf ${node.leaf?.kind}` : `op ${node.op.name}`;
  const lines = node.inputs.map((each) => describeNode(each, depth + 1));
  return [`${'  '.repeat(depth)}${node}: ${what}`, ...lines].join('\n');
}

/** One paragraph a kernel, in the order they run: its kind, its points, and each of its nodes with its role. */
function printClusters(spec: GraphSpec): string {
  const { fused, scheduled } = fuseGraph(spec, DEFAULT_TARGET, true);
  const clusters = scheduled.order.map((cluster) => {
    const roles = [...cluster.roles].map(([node, role]) => {
      return `  ${role.padEnd(6)} ${(node.op as Op).name}${fused.materialized.has(node) ? ', stored' : ''}`;
    });
    return [`${cluster.kind} kernel over ${cluster.points} points: ${clusterName(cluster)}`, ...roles].join('\n');
  });
  const anew = [...fused.recomputed].map(({ op }) => (op as Op).name);
  return [...clusters, ...(anew.length === 0 ? [] : [`computed by every reader: ${anew.join(', ')}`])].join('\n');
}

/** The text of the function `name` of a kernel, with the private variables that are declared right before it. */
function declaration({ declarations }: Module, name: string): string {
  const at = declarations.findIndex((tree) => tree.kind === 'function' && tree.name === name);
  if (at < 0) throw new Error(`the kernel has no function ${name}`);
  let first = at;
  for (let before = declarations[first - 1]; before?.kind === 'variable' && before.space === 'private'; ) {
    before = declarations[--first - 1];
  }
  return declarations
    .slice(first, at + 1)
    .map(printDeclaration)
    .join('\n');
}

/** What the backend is told of each dispatch. */
function printDispatch({ dispatches, kernels }: Plan): string {
  return dispatches
    .map(({ label, kernel, uniforms, buffers, workgroups }) => {
      const { workgroupSize, access } = kernels[kernel];
      return [
        `dispatch "${label}"`,
        `  pipeline    kernel ${kernel}, ${workgroupSize} invocations in a workgroup`,
        `  binding 0   uniforms ${uniforms.join(' ')}`,
        ...buffers.map((buffer, k) => `  binding ${k + 1}   buffer ${buffer}, ${access[k]}`),
        `  workgroups  ${workgroups.join(' × ')}`,
      ].join('\n');
    })
    .join('\n');
}

interface Run {
  /** Outputs by name, after each run. */
  readonly outputs: readonly ReadonlyMap<string, ArrayLike<number>>[];
  /** What the inputs that are updated hold in the end. */
  readonly updated: ReadonlyMap<string, ArrayLike<number>>;
  readonly submits: number;
  readonly dispatches: number;
}

/** `plan` on `values`, run `runs` times. */
async function run(backend: Backend, plan: Plan, values: typeof VALUES, runs: number): Promise<Run> {
  const inputs = plan.inputs.filter(({ kind }) => kind === 'bound');
  const buffers = inputs.map(({ name }) => {
    const buffer = backend.createBuffer(values[name].length, 'f32', name);
    backend.write(buffer, Float32Array.from(values[name]));
    return buffer;
  });
  const program = await backend.load(plan, buffers);
  const scalars = new Float32Array(plan.inputs.some(({ kind }) => kind === 'scalar') ? SCALAR_STRIDE : 0);
  scalars.fill(LEARNING_RATE, 0, 1);
  const cost = { submits: 0, dispatches: 0 };
  const outputs: Map<string, ArrayLike<number>>[] = [];
  for (let turn = 0; turn < runs; turn++) {
    const before = { ...backend.counters };
    program.run(new Uint32Array(scalars.buffer));
    cost.submits += backend.counters.submits - before.submits;
    cost.dispatches += backend.counters.dispatches - before.dispatches;
    const read = plan.outputs.map(async ({ name }, k) => [name, await program.read(k)] as const);
    outputs.push(new Map(await Promise.all(read)));
  }
  const updated = new Map<string, ArrayLike<number>>();
  for (const [k, { name, updated: changed }] of inputs.entries()) {
    if (changed) updated.set(name, await backend.read(buffers[k], 'f32'));
  }
  program.dispose();
  for (const buffer of buffers) buffer.dispose();
  return { outputs, updated, ...cost };
}

/** Runs of `plan` on the example's values: outputs after each, updated inputs at the end, and what they cost. */
async function printRun(backend: Backend, plan: Plan, runs = 1): Promise<string> {
  const { outputs, updated, submits, dispatches } = await run(backend, plan, VALUES, runs);
  const shapes = new Map([...plan.inputs, ...plan.outputs].map(({ name, shape }) => [name, shape]));
  const line = ([name, values]: readonly [string, ArrayLike<number>]) =>
    `${name} = ${printValues(values, shapes.get(name) as Shape)}`;
  const cost = `submits: ${submits}, dispatches: ${dispatches}`;
  return [...outputs.flatMap((each) => [...each].map(line)), ...[...updated].map(line), cost].join('\n');
}

/** Loss and gradients, and the slope of the loss in one weight as its difference over a small move. */
async function printSlopes(backend: Backend, plan: Plan): Promise<string> {
  const [move, at] = [1 / 16, 2];
  const lossAt = async (shift: number) => {
    const w = VALUES.w.map((value, k) => (k === at ? value + shift : value));
    const { outputs } = await run(backend, plan, { ...VALUES, w }, 1);
    return (outputs[0].get('loss') as ArrayLike<number>)[0];
  };
  const slope = ((await lossAt(move)) - (await lossAt(-move))) / (2 * move);
  return `${await printRun(backend, plan)}\n(loss(w[1,0] + 1/16) - loss(w[1,0] - 1/16)) / (2/16) = ${slope}`;
}

/** `[1 2; 3 4]`: rows behind one another. */
function printValues(values: ArrayLike<number>, shape: Shape): string {
  const width = shape.at(-1) ?? 1;
  const rows = Array.from({ length: values.length / width }, (_, row) =>
    Array.from({ length: width }, (_, column) => String(values[row * width + column])).join(' '),
  );
  return shape.length === 0 ? rows[0] : `[${rows.join('; ')}]`;
}

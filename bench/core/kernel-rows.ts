/**
 * The bench row of every op record: its sample compiled alone, run on the backend, and its rates next to the ceilings
 * of the adapter. No op is skipped: what would take too long is made smaller, what cannot run says why.
 *
 * Bytes are those that must move at least: every input once and the output once; for an op of one load an element
 * (slice, gather) an input counts at most as much as the output. Flops are the record's own.
 */

import { drawSample } from '../../kernels-test/support/sample-values.ts';
import type { Backend } from '../../src/backend/backend.ts';
import { compileGraph } from '../../src/compile/index.ts';
import type { Plan } from '../../src/compile/plan.ts';
import type { TypedArray } from '../../src/core/dtype.ts';
import { applyOp, type Op, type Sample } from '../../src/core/op.ts';
import { Tensor } from '../../src/core/tensor.ts';
import { allOps } from '../../src/ops/index.ts';
import { matmul } from '../../src/ops/matmul/matmul.ts';
import { sizeOf } from '../../src/util/shape.ts';
import { type Ceilings, measureCeilings } from './ceilings.ts';
import { smallerSample } from './smaller-sample.ts';
import { timePlan } from './time-plan.ts';

export interface KernelRow {
  readonly op: string;
  /** Shapes in → out. */
  readonly shapes: string;
  /** The median run and the fastest; rates are the fastest's, as those of the ceilings. */
  readonly ms: number;
  readonly bestMs: number;
  readonly gflops: number;
  readonly gbs: number;
  /** Time that the ceilings would allow, over the time taken, in per cent; NaN where nothing has to be done. */
  readonly percent: number;
  /** Which ceiling is the nearer one. */
  readonly bound: 'memory' | 'arithmetic' | '';
  readonly dispatches: number;
  readonly clock: string;
  readonly loadMs: number;
  /** How the sample differs from the record's, or why there is no time. */
  readonly note: string;
}

export interface KernelsReport {
  readonly ceilings: Ceilings;
  readonly rows: readonly KernelRow[];
}

/** Longest time of one run; longer ones are made smaller. */
const LIMIT_NS = 2e9;

export interface KernelsOptions {
  /** Only ops whose name contains it; all when left out. */
  readonly filter?: string;
  /** Called with the probe of the ceilings that is about to be measured. */
  readonly onProbe?: (label: string) => void;
  /** Hears the ceilings, before the first row. */
  readonly onCeilings?: (ceilings: Ceilings) => void;
  readonly onRow?: (row: KernelRow) => void;
}

/** Names of the ops that have a row, in order. */
export function kernelNames(filter = ''): string[] {
  return allOps.map(({ name }) => name).filter((name) => name.includes(filter));
}

/** Measures the ceilings, then the ops. */
export async function measureKernels(backend: Backend, options: KernelsOptions = {}): Promise<KernelsReport> {
  const names = new Set(kernelNames(options.filter));
  const products = [productPlan(backend, 256), productPlan(backend, 512)];
  const ceilings = await measureCeilings(backend, products, options.onProbe);
  options.onCeilings?.(ceilings);
  const rows: KernelRow[] = [];
  for (const op of allOps.filter(({ name }) => names.has(name))) {
    const row = await measureOp(backend, op, ceilings);
    rows.push(row);
    options.onRow?.(row);
  }
  return { ceilings, rows };
}

function productPlan(backend: Backend, n: number): Plan {
  const attrs = { transposeA: false, transposeB: false };
  const sample = { inputs: [{ shape: [n, n] }, { shape: [n, n] }], attrs };
  return { ...samplePlan(backend, matmul, sample).plan, name: `downhill matmul ${n}³` };
}

async function measureOp(backend: Backend, op: Op, ceilings: Ceilings): Promise<KernelRow> {
  let { sample } = op.bench;
  let note = '';
  for (;;) {
    const { plan, inputs, output } = samplePlan(backend, op, sample);
    const shapes = `${inputs.map(({ shape }) => `[${shape}]`).join(' ')} → [${output.shape}]`;
    const values = drawSample(sample, 0, 'f32').map(({ data }) => data as TypedArray);
    const time = await timePlan(backend, plan, { values, budgetMs: 150 });
    const ns = time.bestNs;
    const smaller = ns > LIMIT_NS ? smallerSample(op, sample) : undefined;
    if (smaller !== undefined) {
      sample = smaller;
      note = 'smaller than the record says: it took over 2 s';
      continue;
    }
    const flops = op.bench.flops(inputs, output, sample.attrs);
    const { read, written } = minimalBytes(op, inputs, output);
    const memoryNs = read / ceilings.readGBs + written / ceilings.writeGBs;
    const { gemmGFlops, registerGFlops } = ceilings;
    const arithmeticNs = flops / (op.lower.kind === 'contract' ? gemmGFlops : Math.max(gemmGFlops, registerGFlops));
    const idle = plan.dispatches.length === 0;
    return {
      op: op.name,
      shapes,
      ms: time.medianNs / 1e6,
      bestMs: ns / 1e6,
      gflops: idle ? Number.NaN : flops / ns,
      gbs: idle ? Number.NaN : (read + written) / ns,
      percent: idle ? Number.NaN : (100 * Math.max(memoryNs, arithmeticNs)) / ns,
      bound: idle ? '' : memoryNs >= arithmeticNs ? 'memory' : 'arithmetic',
      dispatches: plan.dispatches.length,
      clock: time.clock,
      loadMs: time.loadMs,
      note: idle ? 'no dispatch' : note,
    };
  }
}

function samplePlan(backend: Backend, op: Op, sample: Sample): { plan: Plan; inputs: Tensor[]; output: Tensor } {
  const inputs = sample.inputs.map(({ shape, dtype = 'f32' }, k) => Tensor.placeholder(`x${k}`, { shape, dtype }));
  const output = applyOp(op, inputs, sample.attrs);
  const spec = {
    name: op.name,
    inputs: inputs.map((tensor, k) => ({ name: `x${k}`, kind: 'bound' as const, tensor })),
    outputs: [{ name: 'y', tensor: output }],
  };
  return { plan: compileGraph(spec, backend.target), inputs, output };
}

function minimalBytes(op: Op, inputs: readonly Tensor[], output: Tensor): { read: number; written: number } {
  const written = sizeOf(output.shape);
  const once = op.lower.kind === 'view' || (op.lower.kind === 'index' && op.lower.cost === 'inline');
  const read = inputs.reduce((sum, { size }) => sum + (once ? Math.min(size, written) : size), 0);
  return { read: 4 * read, written: 4 * written };
}

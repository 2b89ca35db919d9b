/**
 * Random well-typed graphs from the op list, with their gradients and updates. Nothing here knows an op by name, except
 * the few that reshape, tame and weigh values: dtypes, ranges, attributes and operand counts come from each record's
 * own samples, and its shape rule decides what fits.
 *
 * Every node is computed as soon as it is drawn, in all samples (see backend/validate/bounds.ts), and dropped when it
 * is not benign: not finite, large, or so ill-conditioned that a comparison would prove nothing.
 */

import { type ArithmeticSample, arithmeticSamples, firstDivergence } from '../../src/backend/validate/bounds.ts';
import { isFloat } from '../../src/core/dtype.ts';
import { type GraphSpec, topologicalOrder } from '../../src/core/graph.ts';
import { applyOp, type CpuTensor, type Op, type Sample, type SampleInput } from '../../src/core/op.ts';
import { type Aval, Tensor } from '../../src/core/tensor.ts';
import { sigmoid, tanh } from '../../src/ops/elementwise/activations.ts';
import { add, mul, sub } from '../../src/ops/elementwise/binary.ts';
import { allOps } from '../../src/ops/index.ts';
import { reshape } from '../../src/ops/layout/shape.ts';
import { sliceContiguous } from '../../src/ops/layout/slice.ts';
import { sum } from '../../src/ops/reduction/reduce.ts';
import { broadcastTo } from '../../src/ops/reduction/sum.ts';
import { gradients } from '../../src/transform/grad.ts';
import { DownhillError } from '../../src/util/errors.ts';
import { Prng } from '../../src/util/prng.ts';
import { type Shape, sizeOf } from '../../src/util/shape.ts';
import { specOf } from '../support/graphs.ts';
import { drawInput } from '../support/sample-values.ts';

export interface RandomGraph {
  readonly seed: number;
  readonly spec: GraphSpec;
  readonly bindings: ReadonlyMap<Tensor, CpuTensor>;
  /** Outputs, then new values of updates, in every sample. */
  readonly samples: readonly (readonly CpuTensor[])[];
}

const SIZES = [1, 1, 2, 3, 4, 5, 7, 9, 16, 33, 90];
const MOST_ELEMENTS = 6000;
/**
 * How often a form of lowering is drawn: reductions and contractions are few in the list, and others must be drawn with
 * them.
 */
const KINDS: readonly Op['lower']['kind'][] = [
  ...Array<'map'>(5).fill('map'),
  'reduce',
  'reduce',
  'contract',
  'contract',
  'index',
  'index',
  'composite',
  'concat',
  'view',
];
const LARGEST = 1e4;
/** Widest spread of the samples, as a fraction of a value's own scale, at which a comparison is still meaningful. */
const WIDEST = 1e-2;
/** How far operands are moved to see whether a value jumps, as a part of their scale. */
const NUDGE = 1e-5;

/** The graph of `seed`. */
export function randomGraph(seed: number): RandomGraph {
  return new Drawer(seed).draw();
}

class Drawer {
  private readonly random: Prng;
  private readonly machine: readonly ArithmeticSample[] = arithmeticSamples();
  private readonly values = new Map<Tensor, readonly CpuTensor[]>();
  private readonly bindings = new Map<Tensor, CpuTensor>();
  private readonly scalars: Tensor[] = [];
  /** What later nodes may read. */
  private readonly pool: Tensor[] = [];

  constructor(private readonly seed: number) {
    this.random = new Prng(seed, 0xf022);
  }

  draw(): RandomGraph {
    for (let k = 2 + this.random.int(3); k > 0; k--) this.leaf({ shape: this.shape() });
    const wanted = 4 + this.random.int(18);
    for (let tries = 0; this.nodes().length < wanted && tries < 8 * wanted; tries++) this.grow();
    // What nobody reads is wanted by the caller; some values are both read and wanted.
    const outputs = new Set<Tensor>([...this.unread().slice(-5), ...this.pool.slice(-1)]);
    for (let k = this.random.int(3); k > 0; k--) outputs.add(this.pick(this.pool));
    const updates: [Tensor, Tensor][] = [];
    if (this.random.chance(0.6)) this.addGradients(outputs, updates);
    for (let k = 0; k < 3; k++) if (this.random.chance(0.5)) this.addUpdate(updates);
    const spec = specOf('fuzz', { outputs: [...outputs], updates, scalars: this.scalars });
    const roots = [...outputs, ...updates.map(([, value]) => value)];
    return { seed: this.seed, spec, bindings: this.bindings, samples: roots.map((root) => this.values.get(root)!) };
  }

  private nodes(): Tensor[] {
    return this.pool.filter(({ op }) => op !== null);
  }

  private unread(): Tensor[] {
    const read = new Set(this.nodes().flatMap((node) => topologicalOrder(node.inputs)));
    return this.nodes().filter((node) => !read.has(node));
  }

  /** One more call of a random op, on operands like those of one of its samples. */
  private grow(): void {
    const kind = this.pick(KINDS);
    const ops = allOps.filter(({ lower }) => lower.kind === kind);
    if (ops.length === 0) return;
    const op = this.pick(ops);
    const samples = op.samples.filter(({ inputs }) => inputs.every(isUsable));
    if (samples.length === 0) return;
    const sample = this.pick(samples);
    // Reductions of several operands (batch normalisation) have shapes that depend on each other: those of their
    // samples.
    if (Array.isArray(sample.attrs.axes) && sample.inputs.length === 1 && this.random.chance(0.7)) {
      this.reduction(op, sample);
      return;
    }
    const attempt =
      op.lower.kind === 'map' && sample.inputs.length > 0 ? this.mapOperands(sample) : this.operands(sample);
    this.accept(() => applyOp(op, attempt, sample.attrs));
  }

  /** A reduction of an existing value, over any axes: its operand and its readers share its indices. */
  private reduction(op: Op, { inputs, attrs }: Sample): void {
    const { shape } = this.pick(this.pool);
    const axes = shape.flatMap((_, axis) => (this.random.chance(0.5) ? [axis] : []));
    const operand = this.operand(inputs[0], shape);
    this.accept(() => applyOp(op, [operand], { ...attrs, axes, keepDims: this.random.chance(0.5) }));
  }

  /** Operands of the shapes of the sample. */
  private operands({ inputs }: Sample): Tensor[] {
    return inputs.map((input) => this.operand(input, input.shape));
  }

  /** Operands of any shapes that broadcast. */
  private mapOperands({ inputs }: Sample): Tensor[] {
    const target = this.random.chance(0.7) ? this.pick(this.pool).shape : this.shape();
    return inputs.map((input, k) => this.operand(input, k === 0 ? target : this.broadcastable(target)));
  }

  /** A value of the pool brought to `shape` and into the sample's range, or a new leaf. */
  private operand(input: SampleInput, shape: Shape): Tensor {
    const { dtype = 'f32', values } = input;
    const candidates = this.pool.filter((tensor) => tensor.dtype === dtype);
    const drawn = Array.isArray(values) || (typeof values === 'object' && dtype !== 'bool');
    if (drawn || candidates.length === 0 || this.random.chance(0.15)) {
      const fits = !Array.isArray(values) || values.length === sizeOf(shape);
      return this.leaf({ ...input, shape: fits ? shape : input.shape });
    }
    // Recent values first: deep graphs rather than wide ones.
    const near = this.random.chance(0.6) ? candidates.slice(-4) : candidates;
    const fitted = this.fit(this.pick(near), shape);
    switch (values) {
      case 'positive':
        return add(sigmoid(fitted), 0.2);
      case 'probability':
        return add(mul(sigmoid(fitted), 0.8), 0.1);
      case 'unit':
        return mul(tanh(fitted), 0.9);
      default:
        return fitted;
    }
  }

  /** `x` as `shape`, by repeating and cutting where the counts differ: views, broadcasts and contiguous slices. */
  private fit(x: Tensor, shape: Shape): Tensor {
    if (x.shape.join() === shape.join()) return x;
    const size = sizeOf(shape);
    let flat = reshape(x, [x.size]);
    if (x.size < size) {
      const times = Math.ceil(size / x.size);
      flat = reshape(broadcastTo(reshape(x, [1, x.size]), [times, x.size]), [times * x.size]);
    }
    const start = this.random.int(flat.size - size + 1);
    return reshape(flat.size === size ? flat : sliceContiguous(flat, [start], [size]), shape);
  }

  /** Keeps what `call` gives when it is benign; what the op refuses, or what is not, is as if never drawn. */
  private accept(call: () => Tensor): Tensor | undefined {
    let made: Tensor;
    try {
      made = call();
    } catch (error) {
      if (error instanceof DownhillError && error.code !== 'internal') return undefined;
      throw error;
    }
    if (made.size === 0 || made.size > MOST_ELEMENTS || made.op === null) return undefined;
    const fresh: Tensor[] = [];
    for (const tensor of topologicalOrder([made])) {
      if (this.values.has(tensor) || tensor.op === null) continue;
      const operands = tensor.inputs.map((input) => this.values.get(input)!);
      const { op, attrs } = tensor;
      const samples = this.machine.map((sample, w) =>
        sample.apply(
          op,
          operands.map((of) => of[w]),
          tensor,
          attrs,
        ),
      );
      if (!isBenign([...samples, ...this.nudged(tensor, operands)])) return undefined;
      this.values.set(tensor, samples);
      fresh.push(tensor);
    }
    this.pool.push(made);
    return made;
  }

  /** The exact value with all operands a little larger, and a little smaller: tells where it jumps. */
  private nudged({ op, attrs, ...aval }: Tensor, operands: readonly (readonly CpuTensor[])[]): CpuTensor[] {
    const [exact] = this.machine;
    return [NUDGE, -NUDGE].map((step) => {
      const moved = operands.map(([operand]) => {
        if (!isFloat(operand.dtype)) return operand;
        const size = step * scaleOf(operand);
        return { ...operand, data: operand.data.map((x: number) => x + size) };
      });
      return exact.apply(op!, moved, aval as Aval, attrs);
    });
  }

  /**
   * Gradients of a weighted sum of a value, in some of what it depends on; one of them may become a step of descent.
   */
  private addGradients(outputs: Set<Tensor>, updates: [Tensor, Tensor][]): void {
    const candidates = this.nodes().filter(({ dtype }) => isFloat(dtype));
    if (candidates.length === 0) return;
    const y = this.pick(candidates.slice(-5));
    const behind = topologicalOrder([y]).filter((tensor) => tensor !== y && this.isDifferentiable(tensor));
    if (behind.length === 0) return;
    const loss = sum(mul(y, this.leaf({ shape: y.shape, values: 'nonzero' })));
    const wrt = [this.pick(behind), this.pick(behind)];
    const slopes = gradients(loss, [...new Set(wrt)]).map((slope) => this.accept(() => slope));
    wrt.forEach((target, k) => {
      const slope = slopes[k];
      if (slope === undefined) return;
      outputs.add(slope);
      if (!this.isBound(target) || updates.some(([other]) => other === target)) return;
      const value = this.accept(() => sub(target, mul(slope, 0.1)));
      if (value !== undefined && this.random.chance(0.7)) updates.push([target, value]);
    });
    if (this.accept(() => loss) !== undefined) outputs.add(loss);
  }

  /** Some input takes the value of something else of its shape. */
  private addUpdate(updates: [Tensor, Tensor][]): void {
    const targets = this.pool.filter((tensor) => this.isBound(tensor) && !updates.some(([other]) => other === tensor));
    if (targets.length === 0) return;
    const target = this.pick(targets);
    const source = this.pick(this.pool.filter(({ dtype }) => dtype === target.dtype));
    const value = this.fit(source, target.shape);
    if (this.values.has(value) || this.accept(() => value) !== undefined) updates.push([target, value]);
  }

  private isDifferentiable(tensor: Tensor): boolean {
    return isFloat(tensor.dtype) && tensor.leaf?.kind !== 'host' && !this.scalars.includes(tensor);
  }

  private isBound(tensor: Tensor): boolean {
    return tensor.leaf?.kind === 'placeholder' && !this.scalars.includes(tensor);
  }

  /** A new input with drawn values: bound, a scalar slot, or a constant of the graph. */
  private leaf(input: SampleInput): Tensor {
    const value = drawInput(input, [this.random.uint32()]);
    const { shape, dtype } = value;
    const kind = this.random.int(8);
    const tensor =
      kind === 0 ? Tensor.host({ shape, dtype }, hostArray(value)) : Tensor.placeholder(`x${this.values.size}`, value);
    if (kind === 1 && sizeOf(shape) <= 16) this.scalars.push(tensor);
    this.bindings.set(tensor, value);
    this.values.set(tensor, Array(this.machine.length).fill(value));
    if (input.values === undefined || typeof input.values === 'string') this.pool.push(tensor);
    return tensor;
  }

  private shape(): Shape {
    const shape = Array.from({ length: this.random.int(5) }, () => this.pick(SIZES));
    return sizeOf(shape) <= MOST_ELEMENTS ? shape : this.shape();
  }

  /** A shape that broadcasts to `target`: some leading axes left out, some axes of size 1. */
  private broadcastable(target: Shape): Shape {
    if (this.random.chance(0.5)) return target;
    const kept = target.slice(this.random.int(target.length + 1));
    return kept.map((size) => (this.random.chance(0.3) ? 1 : size));
  }

  private pick<T>(items: readonly T[]): T {
    return items[this.random.int(items.length)];
  }
}

function isUsable({ shape, values }: SampleInput): boolean {
  return (
    sizeOf(shape) > 0 && sizeOf(shape) <= MOST_ELEMENTS && (!Array.isArray(values) || values.every(Number.isFinite))
  );
}

/** Finite, not large, and (for floats) known to a part of its scale in every sample; whole numbers equal in all. */
function isBenign([exact, ...others]: readonly CpuTensor[]): boolean {
  if (!isFloat(exact.dtype)) return others.every((sample) => firstDivergence(sample.data, [exact]) === undefined);
  if (!exact.data.every((x: number) => Math.abs(x) < LARGEST)) return false;
  const scale = scaleOf(exact);
  return others.every(({ data }) =>
    data.every((x: number, i: number) => Math.abs(x - exact.data[i]) <= WIDEST * scale),
  );
}

/** The largest magnitude, at least a thousandth. */
function scaleOf({ data }: CpuTensor): number {
  let scale = 1e-3;
  for (const x of data) scale = Math.max(scale, Math.abs(x));
  return scale;
}

function hostArray({ dtype, data }: CpuTensor): Float32Array | Int32Array | Uint32Array | Uint8Array {
  if (isFloat(dtype)) return Float32Array.from(data);
  if (dtype === 'i32') return Int32Array.from(data);
  return dtype === 'bool' ? Uint8Array.from(data) : Uint32Array.from(data);
}

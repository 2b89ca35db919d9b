/**
 * From a fused and scheduled graph to the Plan: walks the kernels in order, gives every stored value its place when it
 * is first written, takes temporaries back after their last reader, and collects texts, grids and reference steps.
 */

import { BYTES_PER_ELEMENT } from '../core/dtype.ts';
import type { GraphUpdate } from '../core/graph.ts';
import type { Op } from '../core/op.ts';
import type { Tensor } from '../core/tensor.ts';
import { printModule } from '../kernel/print.ts';
import { statements } from '../kernel/quote.ts';
import { copy } from '../ops/elementwise/copy.ts';
import { invariant } from '../util/errors.ts';
import { checkFits } from './check-fits.ts';
import { type Cluster, rootOf } from './fuse/cluster.ts';
import { clusterName, type FusedGraph } from './fuse/fuse.ts';
import { referenceSteps } from './graph/reference.ts';
import { resolve } from './graph/views.ts';
import { emitContract } from './lower/contract-kernel.ts';
import { type EmitInput, type EmittedKernel, THREAD_LANES, ThreadWriter, threadKernel } from './lower/emit.ts';
import { emitHand } from './lower/hand-kernel.ts';
import { joinKernels } from './lower/join-kernels.ts';
import { emitMap } from './lower/map-kernel.ts';
import { emitReduce } from './lower/reduce-kernel.ts';
import { copiesUniforms, withUniformCopies } from './lower/uniforms.ts';
import { Memory, readBy, writtenBy } from './memory/memory.ts';
import type { Dispatch, PlacedValue, Plan, PlanInput, PlanKernel, PlanLimits, ReferenceStep } from './plan.ts';
import type { Schedule } from './schedule/schedule.ts';
import { bytesMoved, stagedTraffic, type Traffic, wholeTraffic } from './schedule/traffic.ts';
import type { Stage, Wave } from './schedule/waves.ts';

export function buildPlan(
  fused: FusedGraph,
  schedule: Schedule,
  waves: readonly Wave[],
  limits: PlanLimits,
  reuse: boolean,
): Plan {
  return new PlanBuilder(fused, schedule, waves, limits, reuse).build();
}

/** A kernel with what is said of it in the plan. */
interface Labelled {
  readonly kernel: EmittedKernel;
  readonly label: string;
  readonly reference: readonly ReferenceStep[];
  readonly flops: number;
  readonly traffic: readonly Traffic[];
}

class PlanBuilder {
  private readonly memory: Memory;
  private readonly kernels: PlanKernel[] = [];
  private readonly kernelByText = new Map<string, number>();
  private readonly dispatches: Dispatch[] = [];
  /** Number of the last wave that reads or writes each storage root. */
  private readonly lastUse = new Map<Tensor, number>();
  /** Parts of places, and the place and offset they lie at. */
  private readonly placeOf = new Map<Tensor, { place: Tensor; offset: number }>();
  /** Kernels of a cluster, by stage, from its first wave on. */
  private readonly emitted = new Map<Cluster, readonly Labelled[]>();

  /** Invocations of the waves that a cluster takes part in. */
  private readonly lanes = new Map<Cluster, number[]>();

  constructor(
    private readonly fused: FusedGraph,
    private readonly schedule: Schedule,
    private readonly waves: readonly Wave[],
    private readonly limits: PlanLimits,
    reuse: boolean,
  ) {
    this.memory = new Memory(fused.graph.inputs, reuse);
    for (const { stages, lanes } of waves) {
      for (const cluster of new Set(stages.map((stage) => stage.cluster))) {
        this.lanes.set(cluster, [...(this.lanes.get(cluster) ?? []), lanes]);
      }
    }
    for (const node of fused.graph.nodes) {
      if (node.op?.lower.kind !== 'place') continue;
      const offsets = node.op.lower.offsets(node.inputs, node.attrs);
      node.inputs.forEach((part, k) => {
        this.placeOf.set(rootOf(part), { place: node, offset: offsets[k] });
      });
    }
  }

  build(): Plan {
    const { graph } = this.fused;
    for (const { name, tensor } of graph.outputs) {
      const root = rootOf(tensor);
      this.memory.place(root, { buffer: this.memory.add('output', root.size, name), offset: 0 });
    }
    this.waves.forEach(({ stages }, at) => {
      for (const root of stages.flatMap((stage) => this.touched(stage))) this.lastUse.set(this.storage(root), at);
    });
    // Values that are copied to their target at the end stay alive until then.
    for (const { value } of this.schedule.copied) {
      this.lastUse.set(this.storage(rootOf(value)), Number.POSITIVE_INFINITY);
    }
    this.waves.forEach((wave, at) => {
      this.emitWave(wave, at);
    });
    for (const update of this.schedule.copied) this.emitCopy(update);

    const buffers = this.memory.list();
    const bytes = (bound: boolean) =>
      buffers
        .filter(({ role }) => (role === 'bound') === bound)
        .reduce((sum, { elements }) => sum + elements * BYTES_PER_ELEMENT, 0);
    const plan: Plan = {
      name: graph.name,
      buffers,
      inputs: this.planInputs(),
      outputs: graph.outputs.map(({ name, tensor }) => ({ name, ...this.placed(tensor) })),
      kernels: this.kernels,
      dispatches: this.dispatches,
      planBytes: bytes(false),
      boundBytes: bytes(true),
    };
    checkFits(plan, this.limits);
    return plan;
  }

  private planInputs(): PlanInput[] {
    const updated = new Set(this.fused.graph.updates.map(({ target }) => target));
    return this.fused.graph.inputs
      .filter(({ kind }) => kind !== 'constant')
      .map(({ name, kind, tensor }) => ({
        name,
        kind: kind === 'scalar' ? 'scalar' : 'bound',
        updated: updated.has(tensor),
        ...this.placed(tensor),
      }));
  }

  /** Everything in memory that a stage's cluster reads or writes: the reference of its last stage needs it all. */
  private touched({ cluster }: Stage): Tensor[] {
    return [...readBy(cluster, this.fused), ...writtenBy(cluster, this.fused)];
  }

  private emitWave(wave: Wave, at: number): void {
    for (const { cluster, number } of wave.stages) if (number === 0) this.emitCluster(cluster);
    const kernels = wave.stages.flatMap(({ cluster, number }) => this.emitted.get(cluster)?.[number] ?? []);
    if (kernels.length > 0) this.addWave(kernels);
    for (const { kernel } of kernels) for (const { buffer } of kernel.scratch) this.memory.release(buffer);
    this.releaseDead(wave, at);
  }

  /** One dispatch for all `kernels`, or one for each when they cannot be joined. */
  private addWave(kernels: readonly Labelled[]): void {
    const joined =
      kernels.length === 1
        ? kernels[0].kernel
        : joinKernels(
            kernels.map(({ kernel }) => kernel),
            this.limits,
          );
    if (typeof joined === 'string') {
      for (const each of kernels) this.addDispatch(each);
      return;
    }
    this.addDispatch({
      kernel: joined,
      label: kernels.map(({ label }) => label).join(' & '),
      reference: concatenated(kernels.map(({ reference }) => reference)),
      flops: kernels.reduce((sum, { flops }) => sum + flops, 0),
      traffic: kernels.flatMap(({ traffic }) => traffic),
    });
  }

  /** Gives the results of `cluster` their places and writes its kernels, of all stages. */
  private emitCluster(cluster: Cluster): void {
    const written = writtenBy(cluster, this.fused);
    for (const root of written) this.giveLocation(root);
    if (cluster.points === 0) return;
    const lanes = this.lanes.get(cluster) ?? [];
    const input: EmitInput = {
      ...{ cluster, written, lanes },
      ...{ fused: this.fused, memory: this.memory, limits: this.limits },
    };
    const emitted = emitters[cluster.kind](input);
    const label = clusterLabel(cluster);
    const reference = referenceSteps(cluster, this.fused, (tensor) => this.placed(tensor), written);
    const traffic =
      emitted.length === 1
        ? [wholeTraffic(reference)]
        : stagedTraffic(
            reference,
            emitted.flatMap(({ scratch }) => scratch),
          );
    this.emitted.set(
      cluster,
      emitted.map((kernel, stage) => {
        // The reference runs where the results are complete: at the last stage.
        const last = stage === emitted.length - 1;
        const suffix = emitted.length === 1 ? '' : last ? ' (merge)' : ' (partials)';
        return {
          kernel,
          label: label + suffix,
          reference: last ? reference : [],
          flops: stage === 0 ? clusterFlops(cluster) : 0,
          traffic: [traffic[stage]],
        };
      }),
    );
  }

  /** Frees the temporaries whose last reader this wave was. */
  private releaseDead({ stages }: Wave, at: number): void {
    const released = new Set<Tensor>();
    for (const root of stages.flatMap((stage) => this.touched(stage))) {
      const storage = this.storage(root);
      if (this.lastUse.get(storage) !== at || released.has(storage)) continue;
      released.add(storage);
      const location = this.memory.find(storage);
      if (location !== undefined) this.memory.release(location.buffer);
    }
  }

  /** The root whose buffer holds `root`: itself, or the place it is a part of. */
  private storage(root: Tensor): Tensor {
    const part = this.placeOf.get(root);
    return part === undefined ? root : this.storage(part.place);
  }

  private giveLocation(root: Tensor): void {
    if (this.memory.find(root) !== undefined) return;
    const target = this.schedule.inPlace.get(root);
    const part = this.placeOf.get(root);
    if (target !== undefined) {
      this.memory.place(root, this.locationOf(target));
    } else if (part !== undefined) {
      this.giveLocation(part.place);
      const { buffer, offset } = this.locationOf(part.place);
      this.memory.place(root, { buffer, offset: offset + part.offset });
    } else if (root.size === 0) {
      this.memory.place(root, this.memory.nothing(root.dtype));
    } else {
      const name = root.label === undefined ? (root.op?.name ?? 'value') : `${root.label} ${root.op?.name ?? ''}`;
      this.memory.place(root, { buffer: this.memory.acquire(root.size, name), offset: 0 });
    }
  }

  private emitCopy({ target, value }: GraphUpdate): void {
    const writer = new ThreadWriter(this.memory, target.size, THREAD_LANES, this.limits);
    const from = writer.load(this.locationOf(rootOf(value)), value.dtype, 'i');
    const body = statements('copy')`${writer.store(this.locationOf(target), target.dtype, 'i', from)}`;
    const kernel = threadKernel(writer, body);
    const [source, destination] = [this.placed(value), this.placed(target)];
    const step: ReferenceStep = {
      op: copy,
      attrs: {},
      inputs: [source],
      shape: target.shape,
      dtype: target.dtype,
      output: destination,
    };
    this.addDispatch({ kernel, label: 'copy', reference: [step], flops: 0, traffic: [wholeTraffic([step])] });
  }

  private addDispatch({ kernel, label, reference, flops, traffic }: Labelled): void {
    const { access, uniforms, workgroupSize, buffers, workgroups } = kernel;
    const copies = copiesUniforms(this.limits) && kernel.barriers !== true;
    const module = copies ? withUniformCopies(kernel.module) : kernel.module;
    const text = printModule(module);
    let id = this.kernelByText.get(text);
    if (id === undefined) {
      id = this.kernels.length;
      this.kernelByText.set(text, id);
      this.kernels.push({ id, label, module, access, uniformWords: uniforms.length, workgroupSize });
    }
    const bytes = bytesMoved(traffic);
    this.dispatches.push({ label, kernel: id, uniforms, buffers, workgroups, reference, flops, bytes });
  }

  private locationOf(root: Tensor) {
    const location = this.memory.find(root);
    invariant(location !== undefined, `${root} lies nowhere`);
    return location;
  }

  private placed(tensor: Tensor): PlacedValue {
    const { root, offset } = resolve(tensor);
    const location = this.locationOf(root);
    return { buffer: location.buffer, offset: location.offset + offset, shape: tensor.shape, dtype: tensor.dtype };
  }
}

const emitters = {
  map: (input: EmitInput) => emitMap(input),
  reduce: emitReduce,
  contract: emitContract,
  hand: emitHand,
};

/** Lists of reference steps one behind another; what a step reads of an earlier one moves with it. */
function concatenated(lists: readonly (readonly ReferenceStep[])[]): ReferenceStep[] {
  const all: ReferenceStep[] = [];
  for (const list of lists) {
    const first = all.length;
    for (const step of list) {
      const inputs = step.inputs.map((input) => ('step' in input ? { step: input.step + first } : input));
      all.push({ ...step, inputs });
    }
  }
  return all;
}

/** `matmul+add+relu dense "fc1"`. */
export function clusterLabel(cluster: Cluster): string {
  const nodes = [...cluster.roles];
  const anchor = nodes.find(([, role]) => role === 'fold')?.[0] ?? nodes[nodes.length - 1][0];
  const size = cluster.contraction === null ? '' : contractionSize(cluster);
  return `${clusterName(cluster)}${size}${anchor.label === undefined ? '' : ` ${anchor.label}`}`;
}

function contractionSize(cluster: Cluster): string {
  const spec = cluster.contraction;
  if (spec === null) return '';
  const batch = spec.batch === 1 ? '' : `${spec.batch}x`;
  return ` [${batch}${spec.m}x${spec.n}x${spec.segments * spec.inner}]`;
}

export function clusterFlops(cluster: Cluster): number {
  let flops = 0;
  for (const node of cluster.roles.keys()) flops += (node.op as Op).bench.flops(node.inputs, node, node.attrs);
  return flops;
}

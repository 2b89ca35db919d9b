/**
 * From a fused and scheduled graph to the Plan: walks the kernels in order, gives every stored value its place when it
 * is first written, takes temporaries back after their last reader, and collects texts, grids and reference steps.
 */

import { copy } from '../core/copy.ts';
import { deviceBytes } from '../core/dtype.ts';
import type { Graph, GraphUpdate } from '../core/graph.ts';
import { opKey } from '../core/op.ts';
import type { Tensor } from '../core/tensor.ts';
import { printModule } from '../kernel/print.ts';
import { statements } from '../kernel/quote.ts';
import { invariant } from '../util/errors.ts';
import { checkFits } from './check-fits.ts';
import { type Cluster, clusterFlops, clusterLabel } from './fuse/cluster.ts';
import { type FusedGraph, readBy, writtenBy } from './fuse/fused-graph.ts';
import { outermostOf } from './graph/facts.ts';
import { resolve, rootOf } from './graph/views.ts';
import { emitContract } from './lower/contract-kernel.ts';
import { type EmitInput, type EmittedKernel, ThreadWriter, threadKernel } from './lower/emit.ts';
import { emitHand } from './lower/hand-kernel.ts';
import { joinKernels } from './lower/join-kernels.ts';
import { emitMap } from './lower/map-kernel.ts';
import { emitReduce } from './lower/reduce-kernel.ts';
import { withUniformCopies } from './lower/uniforms.ts';
import { Memory } from './memory/memory.ts';
import type { Dispatch, PlacedValue, Plan, PlanInput, PlanKernel, ReferenceStep } from './plan.ts';
import { referenceSteps } from './reference-steps.ts';
import { type DispatchGroup, FREE_INVOCATIONS, type Stage } from './schedule/dispatch-groups.ts';
import type { Schedule } from './schedule/schedule.ts';
import { bytesMoved, stagedTraffic, type Traffic, wholeTraffic } from './schedule/traffic.ts';
import type { Target } from './target.ts';

/** What a plan reads and writes: a whole graph, or the surroundings of some of its kernels. */
export type PlanScope = Pick<Graph, 'name' | 'inputs' | 'outputs' | 'updates'>;

export interface PlanSource {
  readonly fused: FusedGraph;
  /** The graph itself, unless only some of its kernels are planned. */
  readonly scope?: PlanScope;
  readonly schedule: Schedule;
  readonly groups: readonly DispatchGroup[];
  readonly target: Target;
  /** Whether values with disjoint lifetimes share buffers. */
  readonly reuse: boolean;
}

export function buildPlan(source: PlanSource): Plan {
  return new PlanBuilder(source).build();
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
  /** Number of the last group that reads or writes each storage root. */
  private readonly lastUse = new Map<Tensor, number>();
  /** Kernels of a cluster, by stage, from its first group on. */
  private readonly emitted = new Map<Cluster, readonly Labelled[]>();
  /** Invocations of a workgroup in the groups that a cluster takes part in. */
  private readonly invocations = new Map<Cluster, number[]>();
  private readonly fused: FusedGraph;
  private readonly scope: PlanScope;
  private readonly target: Target;

  constructor(private readonly source: PlanSource) {
    const { fused, scope, groups, target, reuse } = source;
    this.fused = fused;
    this.scope = scope ?? fused.graph;
    this.target = target;
    this.memory = new Memory(this.scope.inputs, reuse);
    for (const { stages, invocations } of groups) {
      for (const cluster of new Set(stages.map((stage) => stage.cluster))) {
        this.invocations.set(cluster, [...(this.invocations.get(cluster) ?? []), invocations]);
      }
    }
  }

  build(): Plan {
    const { name: planName, outputs } = this.scope;
    const { groups, schedule } = this.source;
    for (const { name, tensor } of outputs) {
      const root = rootOf(tensor);
      this.memory.place(root, {
        buffer: this.memory.add('output', deviceBytes(root.dtype, root.size), name),
        offset: 0,
      });
    }
    groups.forEach(({ stages }, at) => {
      for (const root of stages.flatMap((stage) => this.touched(stage))) this.lastUse.set(this.storage(root), at);
    });
    // Values that are copied to their target at the end stay alive until then.
    for (const { value } of schedule.copied) {
      this.lastUse.set(this.storage(rootOf(value)), Number.POSITIVE_INFINITY);
    }
    groups.forEach((group, at) => {
      this.emitGroup(group, at);
    });
    for (const update of schedule.copied) this.emitCopy(update);

    const buffers = this.memory.list();
    const bytes = (bound: boolean) =>
      buffers.filter(({ role }) => (role === 'bound') === bound).reduce((sum, buffer) => sum + buffer.bytes, 0);
    const plan: Plan = {
      name: planName,
      buffers,
      inputs: this.planInputs(),
      outputs: outputs.map(({ name, tensor }) => ({ name, ...this.placed(tensor) })),
      kernels: this.kernels,
      dispatches: this.dispatches,
      planBytes: bytes(false),
      boundBytes: bytes(true),
    };
    checkFits(plan, this.target);
    return plan;
  }

  private planInputs(): PlanInput[] {
    const updated = new Set(this.scope.updates.map(({ target }) => target));
    return this.scope.inputs
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

  private emitGroup(group: DispatchGroup, at: number): void {
    for (const { cluster, number } of group.stages) if (number === 0) this.emitCluster(cluster);
    const kernels = group.stages.flatMap(({ cluster, number }) => this.emitted.get(cluster)?.[number] ?? []);
    if (kernels.length > 0) this.addJoined(kernels);
    for (const { kernel } of kernels) for (const { buffer } of kernel.scratch) this.memory.release(buffer);
    this.releaseDead(group, at);
  }

  /** One dispatch for all `kernels`, or one for each when they cannot be joined. */
  private addJoined(kernels: readonly Labelled[]): void {
    const joined =
      kernels.length === 1
        ? kernels[0].kernel
        : joinKernels(
            kernels.map(({ kernel }) => kernel),
            this.target,
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
    const invocations = this.invocations.get(cluster) ?? [];
    const input: EmitInput = {
      ...{ cluster, written, invocations },
      ...{ fused: this.fused, memory: this.memory, target: this.target },
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

  /** Frees the temporaries whose last reader this group was. */
  private releaseDead({ stages }: DispatchGroup, at: number): void {
    const released = new Set<Tensor>();
    for (const root of stages.flatMap((stage) => this.touched(stage))) {
      const storage = this.storage(root);
      if (this.lastUse.get(storage) !== at || released.has(storage)) continue;
      released.add(storage);
      const location = this.memory.find(storage);
      if (location !== undefined) this.memory.release(location.buffer);
    }
  }

  /** The root whose buffer holds `root`. */
  private storage(root: Tensor): Tensor {
    return outermostOf(this.fused.facts, root);
  }

  private giveLocation(root: Tensor): void {
    if (this.memory.find(root) !== undefined) return;
    const target = this.source.schedule.inPlace.get(root);
    const part = this.fused.facts.parts.get(root);
    if (target !== undefined) {
      this.memory.place(root, this.locationOf(target));
    } else if (part !== undefined) {
      this.giveLocation(part.whole);
      const { buffer, offset } = this.locationOf(part.whole);
      this.memory.place(root, { buffer, offset: offset + part.offset });
    } else if (root.size === 0) {
      this.memory.place(root, this.memory.nothing(root.dtype));
    } else {
      const name = root.label === undefined ? (root.op?.name ?? 'value') : `${root.label} ${root.op?.name ?? ''}`;
      this.memory.place(root, { buffer: this.memory.acquire(deviceBytes(root.dtype, root.size), name), offset: 0 });
    }
  }

  private emitCopy({ target, value }: GraphUpdate): void {
    const writer = new ThreadWriter(this.memory, target.size, FREE_INVOCATIONS, this.target);
    const from = writer.load(this.locationOf(rootOf(value)), value.dtype, 'i');
    const body = statements('copy')`${writer.store(this.locationOf(target), target.dtype, 'i', from)}`;
    const kernel = threadKernel(writer, body);
    const [source, destination] = [this.placed(value), this.placed(target)];
    const step: ReferenceStep = {
      op: opKey(copy),
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
    const copies = this.target.copiesUniforms && kernel.barriers !== true;
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
    invariant(location !== undefined, `${root} is stored nowhere`);
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

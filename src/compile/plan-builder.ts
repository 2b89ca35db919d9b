/**
 * From a fused and scheduled graph to the Plan: walks the kernels in order, gives every stored value its place when it
 * is first written, takes temporaries back after their last reader, and collects texts, grids and reference steps.
 */

import { BYTES_PER_ELEMENT } from '../core/dtype.ts';
import type { GraphUpdate } from '../core/graph.ts';
import type { Op } from '../core/op.ts';
import type { Tensor } from '../core/tensor.ts';
import { copy } from '../ops/copy.ts';
import { invariant } from '../util/errors.ts';
import { checkFits } from './check-fits.ts';
import { type Cluster, rootOf } from './cluster.ts';
import { emitContract } from './emit/contract-kernel.ts';
import { type EmitInput, type EmittedKernel, threadKernel, threadWriter } from './emit/emit.ts';
import { emitMap } from './emit/map-kernel.ts';
import { emitReduce } from './emit/reduce-kernel.ts';
import { clusterName, type FusedGraph } from './fuse.ts';
import { Memory, readBy, writtenBy } from './memory.ts';
import type { Dispatch, PlacedValue, Plan, PlanInput, PlanKernel, PlanLimits, ReferenceStep } from './plan.ts';
import { referenceSteps } from './reference.ts';
import type { Schedule } from './schedule.ts';
import { resolve } from './views.ts';

export function buildPlan(fused: FusedGraph, schedule: Schedule, limits: PlanLimits, reuse: boolean): Plan {
  return new PlanBuilder(fused, schedule, limits, reuse).build();
}

class PlanBuilder {
  private readonly memory: Memory;
  private readonly kernels: PlanKernel[] = [];
  private readonly kernelByText = new Map<string, number>();
  private readonly dispatches: Dispatch[] = [];
  /** Step of the last kernel that reads or writes each storage root. */
  private readonly lastUse = new Map<Tensor, number>();
  /** Parts of places, and the place and offset they lie at. */
  private readonly placeOf = new Map<Tensor, { place: Tensor; offset: number }>();

  constructor(
    private readonly fused: FusedGraph,
    private readonly schedule: Schedule,
    private readonly limits: PlanLimits,
    reuse: boolean,
  ) {
    this.memory = new Memory(fused.graph.inputs, reuse);
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
    this.schedule.order.forEach((cluster, step) => {
      for (const root of [...readBy(cluster, this.fused), ...writtenBy(cluster, this.fused)]) {
        this.lastUse.set(this.storage(root), step);
      }
    });
    // Values that are copied to their target at the end stay alive until then.
    for (const { value } of this.schedule.copied) {
      this.lastUse.set(this.storage(rootOf(value)), Number.POSITIVE_INFINITY);
    }
    this.schedule.order.forEach((cluster, step) => {
      this.emitCluster(cluster, step);
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

  private emitCluster(cluster: Cluster, step: number): void {
    const written = writtenBy(cluster, this.fused);
    const empty = cluster.points === 0;
    for (const root of written) this.giveLocation(root);
    if (!empty) {
      const input: EmitInput = { cluster, fused: this.fused, memory: this.memory, limits: this.limits, written };
      const emitted = emitters[cluster.kind](input);
      const label = clusterLabel(cluster);
      const reference = referenceSteps(cluster, this.fused, (tensor) => this.placed(tensor), written);
      emitted.forEach((kernel, stage) => {
        // The reference runs where the results are complete: at the last stage.
        const last = stage === emitted.length - 1;
        const suffix = emitted.length === 1 ? '' : last ? ' (merge)' : ' (partials)';
        this.addDispatch(kernel, label + suffix, last ? reference : [], stage === 0 ? clusterFlops(cluster) : 0);
        for (const buffer of kernel.scratch) this.memory.release(buffer);
      });
    }
    this.releaseDead(cluster, step);
  }

  /** Frees the temporaries whose last reader this step was. */
  private releaseDead(cluster: Cluster, step: number): void {
    const released = new Set<Tensor>();
    for (const root of [...readBy(cluster, this.fused), ...writtenBy(cluster, this.fused)]) {
      const storage = this.storage(root);
      if (this.lastUse.get(storage) !== step || released.has(storage)) continue;
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
    const writer = threadWriter(this.memory, target.size, this.limits);
    const from = writer.load(this.locationOf(rootOf(value)), value.dtype, 'i');
    const body = [writer.store(this.locationOf(target), target.dtype, 'i', from)];
    const kernel = threadKernel(writer, target.size, body, this.limits);
    const [source, destination] = [this.placed(value), this.placed(target)];
    const step: ReferenceStep = {
      op: copy,
      attrs: {},
      inputs: [source],
      shape: target.shape,
      dtype: target.dtype,
      output: destination,
    };
    this.addDispatch(kernel, 'copy', [step], 0);
  }

  private addDispatch(kernel: EmittedKernel, label: string, reference: readonly ReferenceStep[], flops: number): void {
    const { wgsl, access, uniforms, workgroupSize, buffers, workgroups } = kernel;
    let id = this.kernelByText.get(wgsl);
    if (id === undefined) {
      id = this.kernels.length;
      this.kernelByText.set(wgsl, id);
      this.kernels.push({ id, label, wgsl, access, uniformWords: uniforms.length, workgroupSize });
    }
    this.dispatches.push({ label, kernel: id, uniforms, buffers, workgroups, reference, flops });
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

const emitters = { map: (input: EmitInput) => emitMap(input), reduce: emitReduce, contract: emitContract };

/** `matmul+add+relu dense "fc1"`. */
function clusterLabel(cluster: Cluster): string {
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

function clusterFlops(cluster: Cluster): number {
  let flops = 0;
  for (const node of cluster.roles.keys()) flops += (node.op as Op).bench.flops(node.inputs, node, node.attrs);
  return flops;
}

/**
 * The kernel of a node that a hand-written shader computes: its slots read the inputs, views and recomputed values
 * included, and write the output where it is stored. Its own uniforms come first in the block.
 */

import { type ShaderName, shaders } from '../../shaders.gen.ts';
import { invariant } from '../../util/errors.ts';
import { handKernelOf } from '../graph/hand-kernel.ts';
import { type EmitInput, type EmittedKernel, foldGrid } from './emit.ts';
import { Evaluator } from './evaluator.ts';
import { KernelWriter } from './kernel-writer.ts';
import { fillSkeleton } from './skeleton.ts';

export function emitHand({ cluster, fused, memory, limits }: EmitInput): EmittedKernel[] {
  const [node] = cluster.roles.keys();
  const chosen = handKernelOf(node, limits);
  const location = memory.find(node);
  invariant(chosen !== undefined && location !== undefined, `${node} has no kernel of its own or is stored nowhere`);
  const { kernel, launch } = chosen;
  invariant(Object.hasOwn(shaders, kernel.shader), `no shader "${kernel.shader}"`);
  const writer = new KernelWriter(memory.scalarBuffer, limits);
  for (const word of launch.counts) writer.count(word);
  for (const library of kernel.uses) writer.use(library);
  const evaluator = new Evaluator(writer, cluster, fused, memory);
  const loads = node.inputs.map((input, k) => {
    const element = evaluator.elementAt(input, 'i');
    return [`load_${k}`, `fn load_${k}(i: u32) -> ${input.dtype} { return ${element}; }`] as const;
  });
  const store = `fn store(i: u32, value: ${node.dtype}) { ${writer.store(location, node.dtype, 'i', 'value')} }`;
  const wgsl = fillSkeleton(shaders[kernel.shader as ShaderName], {
    params: { WORKGROUP_SIZE: `${kernel.workgroupSize}u` },
    slots: {
      ...Object.fromEntries(loads),
      ...{ store, helpers: writer.helpers(), declarations: writer.declarations() },
    },
  });
  return [
    {
      wgsl,
      access: writer.access,
      uniforms: writer.uniformWords,
      buffers: writer.buffers,
      workgroups: foldGrid(launch.workgroups, limits),
      workgroupSize: kernel.workgroupSize,
      scratch: [],
    },
  ];
}

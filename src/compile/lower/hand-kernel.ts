/**
 * The kernel of a node that a hand-written shader computes: its slots read the inputs, views and recomputed values
 * included, and write the output where it is stored. Its own uniforms come first in the block.
 *
 * It reads the block itself on every target: private copies count as different between invocations, and a barrier must
 * not depend on such a value.
 */

import { declarations } from '../../kernel/quote.ts';
import { instantiate } from '../../kernel/template.ts';
import { invariant } from '../../util/errors.ts';
import { handKernelOf } from '../graph/hand-kernel.ts';
import type { Target } from '../target.ts';
import { type EmitInput, type EmittedKernel, gridOf } from './emit.ts';
import { Evaluator } from './evaluator.ts';
import { KernelWriter } from './kernel-writer.ts';
import { shaderTree } from './shader-trees.ts';

export function emitHand({ cluster, fused, memory, target }: EmitInput): EmittedKernel[] {
  const [node] = cluster.roles.keys();
  const chosen = handKernelOf(node, target);
  const location = memory.find(node);
  invariant(chosen !== undefined && location !== undefined, `${node} has no kernel of its own or is stored nowhere`);
  const { kernel, launch } = chosen;
  const direct: Target = { ...target, copiesUniforms: false };
  const writer = new KernelWriter(memory.scalarBuffer, direct);
  for (const word of launch.counts) writer.count(word);
  for (const library of kernel.uses) writer.use(library);
  const evaluator = new Evaluator(writer, cluster, fused, memory);
  const code = declarations(`${kernel.shader} of op ${node.op?.name}`);
  const loads = node.inputs.map((input, k) => {
    const element = evaluator.elementAt(input, 'i');
    return [`load_${k}`, code`fn load_${k}(i: u32) -> ${input.dtype} { return ${element}; }`] as const;
  });
  const store = writer.store(location, node.dtype, 'i', 'value');
  return [
    {
      module: instantiate(shaderTree(kernel.shader, direct), {
        params: { WORKGROUP_SIZE: kernel.workgroupSize },
        declarations: {
          ...Object.fromEntries(loads),
          store: code`fn store(i: u32, value: ${node.dtype}) { ${store} }`,
          helpers: writer.helpers(),
          declarations: writer.declarations(),
        },
      }),
      access: writer.access,
      uniforms: writer.uniformWords,
      buffers: writer.buffers,
      workgroups: gridOf(launch.workgroups, target),
      workgroupSize: kernel.workgroupSize,
      scratch: [],
      barriers: true,
    },
  ];
}

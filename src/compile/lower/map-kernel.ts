/**
 * Kernel of a map cluster: one invocation per element; every stored node is a `let` at the element's index.
 */

import { type EmitInput, type EmittedKernel, ThreadWriter, threadKernel } from './emit.ts';
import { Evaluator, scope } from './evaluator.ts';
import { storePoints } from './stores.ts';

export function emitMap(input: EmitInput): EmittedKernel[] {
  const { cluster, fused, memory, target, invocations } = input;
  const writer = new ThreadWriter(memory, cluster.points, invocations[0], target);
  const evaluator = new Evaluator(writer, cluster, fused, memory);
  const at = scope('i', ['point']);
  const stores = storePoints(input, evaluator, at);
  return [threadKernel(writer, [...at.lines, ...stores])];
}

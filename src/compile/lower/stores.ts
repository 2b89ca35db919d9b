/** Stores of the nodes that a cluster leaves in memory at its output index. */

import { statements } from '../../kernel/quote.ts';
import type { Statement } from '../../kernel/tree.ts';
import { invariant } from '../../util/errors.ts';
import type { EmitInput } from './emit.ts';
import type { Evaluator, Scope } from './evaluator.ts';

/**
 * Evaluates every written node with role point or reduction in `at` and returns the store statements, which must come
 * after all of the scope's lines: an update may overwrite what another value reads.
 */
export function storePoints({ cluster, memory, written }: EmitInput, evaluator: Evaluator, at: Scope): Statement[] {
  return written
    .filter((node) => ['point', 'reduction'].includes(cluster.roles.get(node) ?? ''))
    .flatMap((node) => {
      const value = evaluator.value(node, at);
      const location = memory.find(node);
      invariant(location !== undefined, `${node} is written and is stored nowhere`);
      return statements('stores')`${evaluator.writer.store(location, node.dtype, at.index, value)}`;
    });
}

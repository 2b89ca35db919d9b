/** What each variant of the gemm template is a record of. */

import type { Contraction } from '../../core/lowering.ts';
import type { Declaration, Loop, Statement } from '../../kernel/tree.ts';
import type { Target } from '../target.ts';
import type { Tile } from '../tile.ts';
import type { LongParts } from './long-products.ts';

/** What an instance of the template differs in. */
export interface VariantParts {
  /** Rows of A that an invocation loads, how many neighbours load the same ones, and their distance. */
  readonly loads: number;
  readonly loadSharers: number;
  readonly loadStep: number;
  readonly directives?: readonly string[];
  /** Workgroup memory. */
  readonly memory?: readonly Declaration[];
  readonly statements?: Readonly<Record<string, readonly Statement[]>>;
  readonly loops?: Readonly<Record<string, (loop: Loop) => readonly Statement[]>>;
}

export interface GemmVariant<T extends Tile = Tile> {
  /** Why devices of `target` cannot run `tile`; undefined when they can. */
  problem(tile: T, target: Target): string | undefined;
  /** @param long what the variant needs where the contraction is long. */
  parts(tile: T, spec: Contraction, long: LongParts | undefined): VariantParts;
}

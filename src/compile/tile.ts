/** Tile: how a kernel of the gemm template cuts a contraction; `tiles.ts` chooses one. */

interface Block {
  /** Rows and columns of the product that one invocation holds in registers. */
  readonly rowsPerInvocation: number;
  readonly columnsPerInvocation: number;
  /** Invocations of a workgroup along rows and columns. */
  readonly invocationsM: number;
  readonly invocationsN: number;
  /** Pieces the segments are cut into; more than one takes a second dispatch that adds them. */
  readonly chunks: number;
}

/** Each invocation reads the operands of its own block from memory. */
export interface DirectTile extends Block {
  readonly variant: 'direct';
}

/** The workgroup is one subgroup, which loads the rows' operand in shares and broadcasts them; invocationsM is 1. */
export interface BroadcastTile extends Block {
  readonly variant: 'broadcast';
}

/** The workgroup stages `depth` elements along k of both operands in its memory at a time. */
export interface StagedTile extends Block {
  readonly variant: 'staged';
  readonly depth: number;
}

export type Tile = DirectTile | BroadcastTile | StagedTile;

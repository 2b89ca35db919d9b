/** Tile: how the gemm skeleton cuts a contraction; `tiles.ts` chooses one. */

export interface Tile {
  /** Rows and columns of the product that one invocation holds in registers. */
  readonly rowsPerLane: number;
  readonly columnsPerLane: number;
  /** Invocations of a workgroup along rows and columns. */
  readonly lanesM: number;
  readonly lanesN: number;
  /** Pieces the segments are cut into; more than one takes a second dispatch that adds them. */
  readonly chunks: number;
  /** The workgroup is one subgroup whose lanes load the rows' operand in shares and broadcast it; then lanesM is 1. */
  readonly shared: boolean;
  /** Elements along k that the workgroup stages in its memory at a time; 0 when operands are read where they lie. */
  readonly depth: number;
}

/**
 * Tiles: how the gemm skeleton cuts a contraction into invocations, workgroups and chunks, by the shape of the product
 * and the sort of adapter. These are the defaults that hold without tuning.
 */

import type { Contraction } from '../core/lowering.ts';
import type { PlanLimits } from './plan.ts';

export interface Tile {
  /** Rows and columns of the product that one invocation holds in registers. */
  readonly rowsPerLane: number;
  readonly columnsPerLane: number;
  /** Invocations of a workgroup along rows and columns. */
  readonly lanesM: number;
  readonly lanesN: number;
  /** Pieces the segments are cut into; more than one takes a second dispatch that adds them. */
  readonly chunks: number;
}

/** Tallest and widest register block: 8 × 8 is the best seen on llvmpipe, larger blocks spill. */
const BLOCK = 8;

/**
 * The tile for a product of `rows` × spec.n.
 *
 * CPU adapters: every storage load is bounds-checked lane by lane, so loads per multiplication decide and the block is
 * as large as registers hold; a workgroup is one vector of 8 lanes. GPU adapters: smaller blocks, many invocations.
 */
export function chooseTile(spec: Contraction, rows: number, { adapterClass }: PlanLimits): Tile {
  return adapterClass === 'cpu' ? cpuTile(spec, rows) : gpuTile(spec, rows);
}

function cpuTile(spec: Contraction, rows: number): Tile {
  // From 32 rows on all products share a tile: the last, smaller batch of an epoch then needs no pipelines of its own.
  const rowsPerLane = rows >= 4 * BLOCK ? BLOCK : Math.ceil(rows / BLOCK);
  const columnsPerLane = Math.ceil(spec.n / Math.ceil(spec.n / BLOCK));
  const [lanesM, lanesN] = spec.n >= 16 ? [4, 2] : [8, 1];
  const tiles = Math.ceil(rows / (rowsPerLane * lanesM)) * Math.ceil(spec.n / (columnsPerLane * lanesN)) * spec.batch;
  return { rowsPerLane, columnsPerLane, lanesM, lanesN, chunks: chunkSegments(spec, Math.ceil(4 / tiles)) };
}

function gpuTile(spec: Contraction, rows: number): Tile {
  const [lanesM, lanesN] = spec.n <= 16 ? [64, 4] : [16, 16];
  const tiles = Math.ceil(rows / (4 * lanesM)) * Math.ceil(spec.n / (4 * lanesN)) * spec.batch;
  return { rowsPerLane: 4, columnsPerLane: 4, lanesM, lanesN, chunks: chunkSegments(spec, Math.ceil(256 / tiles)) };
}

/** `wanted` chunks, but at least 8 segments in each; a contraction of few segments stays whole. */
function chunkSegments({ segments }: Contraction, wanted: number): number {
  return Math.max(1, Math.min(wanted, Math.floor(segments / 8)));
}

/**
 * Tiles: how the gemm skeleton cuts a contraction into invocations, workgroups and chunks, by the shape of the product
 * and the sort of adapter. These are the defaults that hold without tuning.
 */

import type { Contraction, EmitContext } from '../core/lowering.ts';
import { fnv1a } from '../util/text.ts';
import type { Target } from './target.ts';
import type { Tile } from './tile.ts';

/** Tallest and widest register block where lanes own their rows: 8 × 8 is the best seen on llvmpipe, larger ones spill. */
const BLOCK = 8;

/**
 * The tile for a product of `rows` × spec.n.
 *
 * CPU adapters: every storage load is bounds-checked lane by lane, so loads per multiplication decide and the block is
 * as large as registers hold; a workgroup is one vector of 8 lanes. GPU adapters: smaller blocks, many invocations.
 */
export function chooseTile(spec: Contraction, rows: number, limits: Target): Tile {
  // Without choices no key is made: it costs as much as the rest of the planning of a product.
  return limits.tiles?.get(tileKey(spec, rows)) ?? defaultTile(spec, rows, limits);
}

/** The tile that holds without tuning. */
export function defaultTile(spec: Contraction, rows: number, limits: Target): Tile {
  const { vectorWorkgroups, subgroupSize } = limits;
  if (!vectorWorkgroups) return gpuTile(spec, rows);
  return subgroupSize !== null && spec.n > 1 ? sharedTile(spec, rows, subgroupSize) : cpuTile(spec, rows);
}

/** Rows of the shared variant's block for each count of columns a lane; sixteen more take a tenth longer to compile. */
const SHARED_ROWS: Readonly<Record<number, number>> = { 1: 32, 2: 32, 3: 16, 4: 16 };

/** Products of fewer flops take a small block: what they lose in a step is less than what a large one takes to compile. */
const SMALL_FLOPS = 8e6;

function sharedTile(spec: Contraction, rows: number, lanes: number): Tile {
  const columns = Math.ceil(spec.n / lanes);
  if (2 * spec.batch * rows * spec.n * spec.segments * spec.inner < SMALL_FLOPS && rows >= 8) {
    // One tile for all of them, so that layers of one form share a kernel whatever their widths.
    return { rowsPerLane: 8, columnsPerLane: 2, lanesM: 1, lanesN: lanes, chunks: 1, shared: true, depth: 0 };
  }
  const columnsPerLane = dealt(columns, 4);
  const across = Math.ceil(columns / columnsPerLane) * spec.batch;
  // Rows are halved before the contraction is cut: that costs a second dispatch, and a kernel to compile.
  const most =
    across === 1 ? Math.min(SHARED_ROWS[columnsPerLane], Math.max(lanes, rows / 2)) : SHARED_ROWS[columnsPerLane];
  const rowsPerLane = sharedRows(most, rows, lanes);
  const tiles = Math.ceil(rows / rowsPerLane) * across;
  const chunks = tiles === 2 ? 1 : chunkSegments(spec, Math.ceil(4 / tiles));
  return { rowsPerLane, columnsPerLane, lanesM: 1, lanesN: lanes, chunks, shared: true, depth: 0 };
}

/** Rows of a shared block of up to `most` for a product of `rows`: a few, or whole loads of all lanes. */
export function sharedRows(most: number, rows: number, lanes: number): number {
  const wanted = Math.min(most, rows);
  return wanted <= lanes ? Math.min(lanes, Math.ceil(wanted)) : Math.ceil(wanted / lanes) * lanes;
}

/** The size of each of the fewest equal parts of `count` that have at most `most`. */
export function dealt(count: number, most: number): number {
  return Math.ceil(count / Math.ceil(count / most));
}

function cpuTile(spec: Contraction, rows: number): Tile {
  // From 32 rows on all products share a tile: the last, smaller batch of an epoch then needs no pipelines of its own.
  const rowsPerLane = rows >= 4 * BLOCK ? BLOCK : Math.ceil(rows / BLOCK);
  const columnsPerLane = dealt(spec.n, BLOCK);
  const [lanesM, lanesN] = spec.n >= 16 ? [4, 2] : [8, 1];
  const tiles = Math.ceil(rows / (rowsPerLane * lanesM)) * Math.ceil(spec.n / (columnsPerLane * lanesN)) * spec.batch;
  return {
    rowsPerLane,
    columnsPerLane,
    lanesM,
    lanesN,
    chunks: chunkSegments(spec, Math.ceil(4 / tiles)),
    shared: false,
    depth: 0,
  };
}

const STAGED_DEPTH = 8;

function gpuTile(spec: Contraction, rows: number): Tile {
  const [lanesM, lanesN] = spec.n <= 16 ? [64, 4] : [16, 16];
  const tiles = Math.ceil(rows / (4 * lanesM)) * Math.ceil(spec.n / (4 * lanesN)) * spec.batch;
  // Where a block is used whole, workgroup memory saves most reads; three kernels of a wave still fit into what is sure.
  const depth = rows >= 64 && spec.n >= 64 && spec.inner >= STAGED_DEPTH ? STAGED_DEPTH : 0;
  return {
    rowsPerLane: 4,
    columnsPerLane: 4,
    lanesM,
    lanesN,
    chunks: chunkSegments(spec, Math.ceil(256 / tiles)),
    shared: false,
    depth,
  };
}

/** `wanted` chunks, but at least 8 segments in each; a contraction of few segments stays whole. */
function chunkSegments({ segments }: Contraction, wanted: number): number {
  return Math.max(1, Math.min(wanted, Math.floor(segments / 8)));
}

/** Names a contraction of `rows` rows by its sizes and its way through memory: what a tile is chosen for. */
export function tileKey(spec: Contraction, rows: number): string {
  const { batch, n, segments, inner, aStep, bStep, clipped } = spec;
  const context = {
    count: String,
    size: String,
    scalar: String,
    use: () => undefined,
  } as unknown as EmitContext<unknown>;
  const addresses = [spec.row, spec.segment, spec.aRun, spec.bBase, spec.outRow].map((body) => body?.(context) ?? '');
  const way = fnv1a(`${aStep},${bStep},${clipped}\n${addresses.join('\n')}`);
  return `${batch}x${rows}x${n}x${segments}x${inner}:${way.toString(16).padStart(8, '0')}`;
}

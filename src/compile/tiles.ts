/**
 * Tiles: how the gemm template cuts a contraction into invocations, workgroups and chunks, by the shape of the product
 * and the adapter type. These are the defaults that hold without tuning.
 */

import type { Contraction } from '../core/lowering.ts';
import { fnv1a } from '../util/text.ts';
import type { Target } from './target.ts';
import type { Tile } from './tile.ts';

/**
 * Tallest and widest register block where invocations own their rows: 8 × 8 is the best seen on llvmpipe, larger ones
 * spill.
 */
const BLOCK = 8;

/**
 * The tile for a product of `rows` × spec.n.
 *
 * CPU adapters: every storage load is bounds-checked invocation by invocation, so loads per multiplication decide and
 * the block is as large as registers hold; a workgroup is one vector of 8 invocations. GPU adapters: smaller blocks,
 * many invocations.
 */
export function chooseTile(spec: Contraction, rows: number, target: Target): Tile {
  // Without choices no key is made: it costs as much as the rest of the planning of a product.
  return target.tiles?.get(tileKey(spec, rows)) ?? defaultTile(spec, rows, target);
}

/** The tile that holds without tuning. */
export function defaultTile(spec: Contraction, rows: number, target: Target): Tile {
  const { vectorWorkgroups, subgroupSize } = target;
  if (!vectorWorkgroups) return gpuTile(spec, rows);
  return subgroupSize !== null && spec.n > 1 ? broadcastTile(spec, rows, subgroupSize) : cpuTile(spec, rows);
}

/**
 * Rows of the broadcast variant's block for each count of columns an invocation; sixteen more take a tenth longer to
 * compile.
 */
const BROADCAST_ROWS: Readonly<Record<number, number>> = { 1: 32, 2: 32, 3: 16, 4: 16 };

/**
 * Products of fewer flops take a small block: what they lose in a step is less than what a large one takes to compile.
 */
const SMALL_FLOPS = 8e6;

function broadcastTile(spec: Contraction, rows: number, lanes: number): Tile {
  const columns = Math.ceil(spec.n / lanes);
  if (2 * spec.batch * rows * spec.n * spec.segments * spec.inner < SMALL_FLOPS && rows >= 8) {
    // One tile for all of them, so that layers of one form share a kernel whatever their widths.
    return {
      rowsPerInvocation: 8,
      columnsPerInvocation: 2,
      invocationsM: 1,
      invocationsN: lanes,
      chunks: 1,
      variant: 'broadcast',
    };
  }
  const columnsPerInvocation = dealt(columns, 4);
  const across = Math.ceil(columns / columnsPerInvocation) * spec.batch;
  // Rows are halved before the contraction is cut: that costs a second dispatch, and a kernel to compile.
  const most =
    across === 1
      ? Math.min(BROADCAST_ROWS[columnsPerInvocation], Math.max(lanes, rows / 2))
      : BROADCAST_ROWS[columnsPerInvocation];
  const rowsPerInvocation = broadcastRows(most, rows, lanes);
  const tiles = Math.ceil(rows / rowsPerInvocation) * across;
  const chunks = tiles === 2 ? 1 : chunkSegments(spec, Math.ceil(4 / tiles));
  return {
    rowsPerInvocation,
    columnsPerInvocation,
    invocationsM: 1,
    invocationsN: lanes,
    chunks,
    variant: 'broadcast',
  };
}

/** Rows of a broadcast block of up to `most` for a product of `rows`: a few, or whole loads of all invocations. */
export function broadcastRows(most: number, rows: number, lanes: number): number {
  const wanted = Math.min(most, rows);
  return wanted <= lanes ? Math.min(lanes, Math.ceil(wanted)) : Math.ceil(wanted / lanes) * lanes;
}

/** The size of each of the fewest equal parts of `count` that have at most `most`. */
export function dealt(count: number, most: number): number {
  return Math.ceil(count / Math.ceil(count / most));
}

function cpuTile(spec: Contraction, rows: number): Tile {
  // From 32 rows on all products share a tile: the last, smaller batch of an epoch then needs no pipelines of its own.
  const rowsPerInvocation = rows >= 4 * BLOCK ? BLOCK : Math.ceil(rows / BLOCK);
  const columnsPerInvocation = dealt(spec.n, BLOCK);
  const [invocationsM, invocationsN] = spec.n >= 16 ? [4, 2] : [8, 1];
  const tiles =
    Math.ceil(rows / (rowsPerInvocation * invocationsM)) *
    Math.ceil(spec.n / (columnsPerInvocation * invocationsN)) *
    spec.batch;
  return {
    rowsPerInvocation,
    columnsPerInvocation,
    invocationsM,
    invocationsN,
    chunks: chunkSegments(spec, Math.ceil(4 / tiles)),
    variant: 'direct',
  };
}

const STAGED_DEPTH = 8;

function gpuTile(spec: Contraction, rows: number): Tile {
  const [invocationsM, invocationsN] = spec.n <= 16 ? [64, 4] : [16, 16];
  const tiles = Math.ceil(rows / (4 * invocationsM)) * Math.ceil(spec.n / (4 * invocationsN)) * spec.batch;
  // Where a block is used whole, workgroup memory saves most reads; three kernels of a dispatch group still fit into
  // the guaranteed minimum.
  const staged = rows >= 64 && spec.n >= 64 && spec.inner >= STAGED_DEPTH;
  return {
    rowsPerInvocation: 4,
    columnsPerInvocation: 4,
    invocationsM,
    invocationsN,
    chunks: chunkSegments(spec, Math.ceil(256 / tiles)),
    ...(staged ? { variant: 'staged', depth: STAGED_DEPTH } : { variant: 'direct' }),
  };
}

/** `wanted` chunks, but at least 8 segments in each; a contraction of few segments stays whole. */
function chunkSegments({ segments }: Contraction, wanted: number): number {
  return Math.max(1, Math.min(wanted, Math.floor(segments / 8)));
}

/** Names a contraction of `rows` rows by its sizes and its way through memory: what a tile is chosen for. */
export function tileKey(spec: Contraction, rows: number): string {
  const { batch, n, segments, inner, aStep, bStep, clipped, way } = spec;
  const hash = fnv1a(JSON.stringify([aStep, bStep, clipped, way]));
  return `${batch}x${rows}x${n}x${segments}x${inner}:${hash.toString(16).padStart(8, '0')}`;
}

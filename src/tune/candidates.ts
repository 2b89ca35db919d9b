/**
 * Candidates: the tiles that are worth timing for a contraction on an adapter type, the default first.
 *
 * Invariant: every candidate keeps the device's limits (`tileProblem` finds nothing), and no two are the same. There are at
 * most MOST of them, because on a software adapter each costs a tenth of a second to compile.
 */

import { variantProblem } from '../compile/lower/gemm-variants.ts';
import type { Target } from '../compile/target.ts';
import type { Tile } from '../compile/tile.ts';
import { broadcastRows, dealt, defaultTile } from '../compile/tiles.ts';
import { deviceBytes } from '../core/dtype.ts';
import type { Contraction } from '../core/lowering.ts';

/** Most candidates of a contraction. */
export const MOST = 16;

/** Sums that an invocation may hold: more spill everywhere. */
const MOST_SUMS = 128;

/** The part of a contraction that bounds its tiles. */
export type ProductSizes = Pick<Contraction, 'batch' | 'n' | 'segments'>;

/** Tiles for the product of `rows` × spec.n, the one that holds without tuning first. */
export function tileCandidates(spec: Contraction, rows: number, target: Target): readonly Tile[] {
  const first = defaultTile(spec, rows, target);
  const shapes = target.vectorWorkgroups ? cpuShapes(spec, rows, target.subgroupSize) : gpuShapes(spec, rows, target);
  const wanted: Tile[] = [first];
  // Of the default all sensible cuts of the segments, of each other shape the two nearest to what it would take by rule.
  const cut = (tile: Tile, chunks: number): Tile => ({ ...tile, chunks: Math.min(chunks, mostChunks(spec)) });
  for (const chunks of [2 * first.chunks, 4 * first.chunks, 1]) wanted.push(cut(first, chunks));
  for (const shape of shapes) wanted.push(cut(shape, chunksLike(first, shape, spec, rows)));
  for (const shape of shapes) wanted.push(cut(shape, 2 * chunksLike(first, shape, spec, rows)));
  const found = new Map<string, Tile>();
  for (const tile of wanted) {
    if (found.size === MOST) break;
    if (tileProblem(tile, spec, rows, target) === undefined) found.set(JSON.stringify(tile), tile);
  }
  return [...found.values()];
}

/** Pieces of fewer segments than this are not worth a second dispatch. */
const LEAST_SEGMENTS = 4;

function mostChunks({ segments }: ProductSizes): number {
  return Math.max(1, Math.floor(segments / LEAST_SEGMENTS));
}

/** As many chunks as make about as many workgroups as the default has; one where the default has one. */
function chunksLike(first: Tile, shape: Tile, spec: ProductSizes, rows: number): number {
  if (first.chunks === 1) return 1;
  return Math.max(1, Math.ceil((first.chunks * blocks(first, spec, rows)) / blocks(shape, spec, rows)));
}

/** Workgroups of one chunk. */
function blocks(
  { rowsPerInvocation, columnsPerInvocation, invocationsM, invocationsN }: Tile,
  { n, batch }: ProductSizes,
  rows: number,
): number {
  return (
    Math.ceil(rows / (rowsPerInvocation * invocationsM)) * Math.ceil(n / (columnsPerInvocation * invocationsN)) * batch
  );
}

/** Rows of an invocation of the broadcast variant, in the order in which they are worth trying. */
const BROADCAST_ROWS = [32, 16, 24, 64, 8, 48];

/**
 * On a CPU a workgroup is one vector, and loads for each multiplication decide: tall blocks whose rows are loaded once and
 * broadcast, or blocks of 8 × 8 and 4 × 8 where invocations own their rows.
 */
function cpuShapes(spec: Contraction, rows: number, subgroupSize: number | null): Tile[] {
  const shapes: Tile[] = [];
  if (subgroupSize !== null) shapes.push(...broadcastShapes(spec.n, rows, subgroupSize, [4, 8, 2]));
  const lanes = subgroupSize ?? 8;
  const columns = dealt(spec.n, 8);
  const own: [rowsPerInvocation: number, columnsPerInvocation: number, invocationsM: number][] = [
    [8, columns, lanes],
    [8, columns, lanes / 2],
    [4, columns, lanes],
    [4, Math.ceil(columns / 2), lanes / 2],
    [16, Math.min(columns, 4), lanes],
  ];
  for (const [rowsPerInvocation, columnsPerInvocation, invocationsM] of own) {
    const invocationsN = lanes / invocationsM;
    if (invocationsN > 1 && columnsPerInvocation * invocationsN >= 2 * spec.n) continue;
    shapes.push(
      owned(
        Math.min(rowsPerInvocation, Math.ceil(rows / invocationsM)),
        columnsPerInvocation,
        invocationsM,
        invocationsN,
      ),
    );
  }
  return shapes;
}

/**
 * Blocks of the broadcast variant. Columns are dealt evenly: `most` says how many an invocation may have at most, in the order of
 * preference, and only the first of them is tried with every height.
 */
function broadcastShapes(n: number, rows: number, lanes: number, most: readonly number[]): Tile[] {
  const columns = Math.ceil(n / lanes);
  const widths = [...new Set(most.map((wide) => dealt(columns, wide)))];
  return widths.flatMap((columnsPerInvocation, place) =>
    BROADCAST_ROWS.filter((height) => height * columnsPerInvocation <= (place === 0 ? MOST_SUMS : 64))
      .slice(0, place === 0 ? BROADCAST_ROWS.length : 2)
      .map((height) => {
        const rowsPerInvocation = broadcastRows(height, rows, lanes);
        return {
          rowsPerInvocation,
          columnsPerInvocation,
          invocationsM: 1,
          invocationsN: lanes,
          chunks: 1,
          variant: 'broadcast',
        };
      }),
  );
}

/** [rowsPerInvocation, columnsPerInvocation, invocationsM, invocationsN, depth] for products of many columns, and for those of few. */
const GPU_WIDE = [
  [4, 4, 16, 16, 8],
  [8, 8, 16, 16, 8],
  [8, 8, 8, 8, 8],
  [4, 4, 16, 16, 0],
  [8, 4, 16, 16, 8],
  [4, 4, 16, 16, 16],
  [8, 4, 16, 16, 0],
  [8, 8, 8, 8, 0],
  [4, 4, 8, 8, 8],
  [4, 4, 8, 8, 0],
  [4, 4, 8, 32, 0],
  [2, 4, 16, 16, 0],
  [2, 2, 16, 16, 0],
] as const;
const GPU_NARROW = [
  [8, 4, 32, 4, 16],
  [4, 4, 16, 4],
  [8, 4, 32, 4],
  [2, 4, 64, 4],
  [8, 8, 64, 1],
  [4, 8, 64, 1],
  [4, 2, 32, 8],
  [1, 4, 64, 4],
] as const;
/** From here on a product has many columns. */
const WIDE = 16;

function gpuShapes(spec: Contraction, rows: number, { subgroupSize }: Target): Tile[] {
  const own = (spec.n > WIDE ? GPU_WIDE : GPU_NARROW).map(([r, c, m, n, depth = 0]) =>
    // A block cut to the columns there are cannot be staged evenly any more.
    owned(r, Math.min(c, spec.n), m, n, c <= spec.n && depth <= spec.inner ? depth : 0),
  );
  return subgroupSize === null ? own : [...own, ...broadcastShapes(spec.n, rows, subgroupSize, [2, 4, 1]).slice(0, 4)];
}

function owned(
  rowsPerInvocation: number,
  columnsPerInvocation: number,
  invocationsM: number,
  invocationsN: number,
  depth = 0,
): Tile {
  const block = { rowsPerInvocation, columnsPerInvocation, invocationsM, invocationsN, chunks: 1 };
  return depth > 0 ? { ...block, variant: 'staged', depth } : { ...block, variant: 'direct' };
}

/** Why a device with `target` cannot cut the product of `rows` × spec.n by `tile`; undefined when it can. */
export function tileProblem(tile: Tile, spec: ProductSizes, rows: number, target: Target): string | undefined {
  const { rowsPerInvocation, columnsPerInvocation, invocationsM, invocationsN, chunks } = tile;
  const counts = { rowsPerInvocation, columnsPerInvocation, invocationsM, invocationsN, chunks };
  for (const [name, value] of Object.entries(counts)) {
    if (!Number.isInteger(value) || value < 1) return `${name} is ${value}; a whole number of at least 1 is needed`;
  }
  if (rowsPerInvocation * columnsPerInvocation > MOST_SUMS)
    return `${rowsPerInvocation} × ${columnsPerInvocation} sums an invocation; at most ${MOST_SUMS}`;
  if (invocationsM * invocationsN > target.maxComputeInvocationsPerWorkgroup) {
    return `${invocationsM * invocationsN} invocations a workgroup; the device allows ${target.maxComputeInvocationsPerWorkgroup}`;
  }
  const misfit = variantProblem(tile, target);
  if (misfit !== undefined) return misfit;
  if (chunks > Math.max(1, spec.segments)) return `${chunks} chunks of ${spec.segments} segments`;
  const partials = chunks === 1 ? 0 : deviceBytes('f32', chunks * spec.batch * rows * spec.n);
  const most = Math.min(target.maxStorageBufferBindingSize, target.maxBufferSize);
  return partials > most ? `${partials} bytes of partial products; the device allows ${most}` : undefined;
}

/** A tile in a few words: `32×1 of 8 invocations, broadcast`, `8×8 of 4×2 invocations, 4 chunks`. */
export function describeTile(tile: Tile): string {
  const { rowsPerInvocation, columnsPerInvocation, invocationsM, invocationsN, chunks } = tile;
  const sizes = {
    direct: `${invocationsM}×${invocationsN} invocations`,
    broadcast: `${invocationsN} invocations, broadcast`,
    staged: `${invocationsM}×${invocationsN} invocations, staged${tile.variant === 'staged' ? ` ${tile.depth} deep` : ''}`,
  };
  const pieces = chunks === 1 ? '' : `, ${chunks} chunks`;
  return `${rowsPerInvocation}×${columnsPerInvocation} of ${sizes[tile.variant]}${pieces}`;
}

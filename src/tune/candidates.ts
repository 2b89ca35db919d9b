/**
 * Candidates: the tiles that are worth timing for a contraction on a sort of adapter, the default first.
 *
 * Invariant: every candidate keeps the device's limits (`tileProblem` finds nothing), and no two are the same. There are at
 * most MOST of them, because on a software adapter each costs a tenth of a second to compile.
 */

import { stagingProblem } from '../compile/lower/staged-slots.ts';
import type { Target } from '../compile/target.ts';
import type { Tile } from '../compile/tile.ts';
import { dealt, defaultTile, sharedRows } from '../compile/tiles.ts';
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
  { rowsPerLane, columnsPerLane, lanesM, lanesN }: Tile,
  { n, batch }: ProductSizes,
  rows: number,
): number {
  return Math.ceil(rows / (rowsPerLane * lanesM)) * Math.ceil(n / (columnsPerLane * lanesN)) * batch;
}

/** Rows of a lane of the shared variant, in the order in which they are worth trying. */
const SHARED_ROWS = [32, 16, 24, 64, 8, 48];

/**
 * On a CPU a workgroup is one vector, and loads for each multiplication decide: tall blocks whose rows are loaded once and
 * broadcast, or blocks of 8 × 8 and 4 × 8 where lanes own their rows.
 */
function cpuShapes(spec: Contraction, rows: number, subgroupSize: number | null): Tile[] {
  const shapes: Tile[] = [];
  if (subgroupSize !== null) shapes.push(...sharedShapes(spec.n, rows, subgroupSize, [4, 8, 2]));
  const lanes = subgroupSize ?? 8;
  const columns = dealt(spec.n, 8);
  const own: [rowsPerLane: number, columnsPerLane: number, lanesM: number][] = [
    [8, columns, lanes],
    [8, columns, lanes / 2],
    [4, columns, lanes],
    [4, Math.ceil(columns / 2), lanes / 2],
    [16, Math.min(columns, 4), lanes],
  ];
  for (const [rowsPerLane, columnsPerLane, lanesM] of own) {
    const lanesN = lanes / lanesM;
    if (lanesN > 1 && columnsPerLane * lanesN >= 2 * spec.n) continue;
    shapes.push(owned(Math.min(rowsPerLane, Math.ceil(rows / lanesM)), columnsPerLane, lanesM, lanesN));
  }
  return shapes;
}

/**
 * Blocks of the shared variant. Columns are dealt evenly: `most` says how many a lane may have at most, in the order of
 * preference, and only the first of them is tried with every height.
 */
function sharedShapes(n: number, rows: number, lanes: number, most: readonly number[]): Tile[] {
  const columns = Math.ceil(n / lanes);
  const widths = [...new Set(most.map((wide) => dealt(columns, wide)))];
  return widths.flatMap((columnsPerLane, place) =>
    SHARED_ROWS.filter((height) => height * columnsPerLane <= (place === 0 ? MOST_SUMS : 64))
      .slice(0, place === 0 ? SHARED_ROWS.length : 2)
      .map((height) => {
        const rowsPerLane = sharedRows(height, rows, lanes);
        return { rowsPerLane, columnsPerLane, lanesM: 1, lanesN: lanes, chunks: 1, shared: true, depth: 0 };
      }),
  );
}

/** [rowsPerLane, columnsPerLane, lanesM, lanesN, depth] for products of many columns, and for those of few. */
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
    // A block cut to the columns there are is not shared evenly any more.
    owned(r, Math.min(c, spec.n), m, n, c <= spec.n && depth <= spec.inner ? depth : 0),
  );
  return subgroupSize === null ? own : [...own, ...sharedShapes(spec.n, rows, subgroupSize, [2, 4, 1]).slice(0, 4)];
}

function owned(rowsPerLane: number, columnsPerLane: number, lanesM: number, lanesN: number, depth = 0): Tile {
  return { rowsPerLane, columnsPerLane, lanesM, lanesN, chunks: 1, shared: false, depth };
}

/** Why a device with `target` cannot cut the product of `rows` × spec.n by `tile`; undefined when it can. */
export function tileProblem(tile: Tile, spec: ProductSizes, rows: number, target: Target): string | undefined {
  const { rowsPerLane, columnsPerLane, lanesM, lanesN, chunks, shared, depth } = tile;
  for (const [name, value] of Object.entries({ rowsPerLane, columnsPerLane, lanesM, lanesN, chunks })) {
    if (!Number.isInteger(value) || value < 1) return `${name} is ${value}; a whole number of at least 1 is needed`;
  }
  if (rowsPerLane * columnsPerLane > MOST_SUMS)
    return `${rowsPerLane} × ${columnsPerLane} sums a lane; at most ${MOST_SUMS}`;
  if (lanesM * lanesN > target.maxComputeInvocationsPerWorkgroup) {
    return `${lanesM * lanesN} invocations a workgroup; the device allows ${target.maxComputeInvocationsPerWorkgroup}`;
  }
  if (shared && (lanesM !== 1 || lanesN !== target.subgroupSize)) {
    return `a shared tile of ${lanesM} × ${lanesN} lanes; the subgroups of the device have ${target.subgroupSize ?? 'no one size'}`;
  }
  if (!Number.isInteger(depth) || depth < 0) return `depth is ${depth}; a whole number of at least 0 is needed`;
  const staging = depth > 0 ? stagingProblem(tile) : undefined;
  if (staging !== undefined) return staging;
  if (chunks > Math.max(1, spec.segments)) return `${chunks} chunks of ${spec.segments} segments`;
  const partials = chunks === 1 ? 0 : deviceBytes('f32', chunks * spec.batch * rows * spec.n);
  const most = Math.min(target.maxStorageBufferBindingSize, target.maxBufferSize);
  return partials > most ? `${partials} bytes of partial products; the device allows ${most}` : undefined;
}

/** A tile in a few words: `32×1 of 8 lanes, shared`, `8×8 of 4×2 lanes, 4 chunks`. */
export function describeTile({ rowsPerLane, columnsPerLane, lanesM, lanesN, chunks, shared, depth }: Tile): string {
  const way = depth > 0 ? `, ${depth} deep` : '';
  const lanes = shared ? `${lanesN} lanes, shared` : `${lanesM}×${lanesN} lanes${way}`;
  return `${rowsPerLane}×${columnsPerLane} of ${lanes}${chunks === 1 ? '' : `, ${chunks} chunks`}`;
}

/**
 * Tuning: the tiles that were the fastest on an adapter, as plain data that can be kept and shipped.
 *
 * Invariant: what is applied was made by this version of downhill on an adapter of the same description, and every tile in
 * it is one that the device can run. Anything else is refused with its reason; nothing is applied in part.
 */

import type { Backend } from '../backend/backend.ts';
import type { AdapterType } from '../compile/target.ts';
import type { Tile } from '../compile/tile.ts';
import { DownhillError } from '../util/errors.ts';
import { checkDepth, parseJson } from '../util/json.ts';
import { show } from '../util/show.ts';
import { VERSION } from '../util/version.ts';
import { tileProblem } from './candidates.ts';

export const TUNING_FORMAT = 'downhill tuning';
export const TUNING_VERSION = 3;

/** What is chosen for one contraction. */
export interface TuningEntry {
  readonly tile: Tile;
  /** Milliseconds of the kernel with this tile, and with the default one. */
  readonly ms: number;
  readonly defaultMs: number;
  /** What it was, for people: ops and sizes. */
  readonly label: string;
}

export interface Tuning {
  readonly format: typeof TUNING_FORMAT;
  readonly formatVersion: typeof TUNING_VERSION;
  /** Version of downhill; kernels of another one may want other tiles. */
  readonly downhill: string;
  readonly adapter: string;
  readonly adapterType: AdapterType;
  readonly subgroupSize: number | null;
  /** By `tileKey`. */
  readonly entries: Readonly<Record<string, TuningEntry>>;
}

/** A tuning of the backend's adapter. */
export function makeTuning(backend: Backend, entries: Tuning['entries']): Tuning {
  const { adapterType, subgroupSize } = backend.target;
  const made = { downhill: VERSION, adapter: backend.description, adapterType, subgroupSize };
  return { format: TUNING_FORMAT, formatVersion: TUNING_VERSION, ...made, entries };
}

/** The choices of both; those of `later` stand above the others. Both must be of one adapter and version. */
export function mergeTunings(earlier: Tuning, later: Tuning): Tuning {
  return { ...later, entries: { ...earlier.entries, ...later.entries } };
}

/** Why the backend cannot use `tuning`; undefined when it can. */
export function tuningMisfit(backend: Backend, tuning: Tuning): string | undefined {
  const { adapterType, subgroupSize } = backend.target;
  if (tuning.downhill !== VERSION) return `it was made by downhill ${tuning.downhill}; this is ${VERSION}`;
  if (tuning.adapter !== backend.description)
    return `it is of adapter "${tuning.adapter}"; this is "${backend.description}"`;
  if (tuning.adapterType !== adapterType || tuning.subgroupSize !== subgroupSize) {
    const found = `a ${tuning.adapterType} adapter with subgroups of ${tuning.subgroupSize}`;
    return `it is of ${found}; this device is taken for a ${adapterType} adapter with subgroups of ${subgroupSize}`;
  }
  for (const [key, { tile }] of Object.entries(tuning.entries)) {
    const sizes = readKey(key);
    if (sizes === undefined) return `${show(key)} is no key of a contraction`;
    const problem = tileProblem(tile, sizes, sizes.rows, backend.target);
    if (problem !== undefined) return `the tile of ${key}: ${problem}`;
  }
  return undefined;
}

/**
 * Plans that are compiled for the backend from now on take their tiles from `tuning`, instead of what was applied before.
 * @throws DownhillError `argument` when it is of another adapter or version, or holds a tile that the device cannot run.
 */
export function applyTuning(backend: Backend, tuning: Tuning): void {
  const misfit = tuningMisfit(backend, tuning);
  if (misfit !== undefined) throw new DownhillError('argument', `the tuning cannot be used: ${misfit}; tune anew`);
  const tiles = new Map(Object.entries(tuning.entries).map(([key, { tile }]) => [key, tile]));
  backend.useTiles(tiles);
}

/** The backend's plans take the default tiles again. */
export function removeTuning(backend: Backend): void {
  backend.useTiles(undefined);
}

/** The tuning as text for `importTuning`: a file to keep or to ship with a page. */
export function exportTuning(tuning: Tuning): string {
  return `${JSON.stringify(tuning, null, 1)}\n`;
}

/**
 * The tuning that `exportTuning` wrote, from its text or from the JSON in it.
 * @throws DownhillError `file` that says what is wrong; `name` begins the message.
 */
export function importTuning(source: unknown, name = 'tuning'): Tuning {
  const refuse = (why: string, cause?: unknown) => new DownhillError('file', `${name}: ${why}`, { cause });
  let json = source;
  try {
    if (typeof source === 'string') json = parseJson(source);
    else checkDepth(source);
  } catch (cause) {
    throw refuse(`not JSON: ${(cause as Error).message}`, cause);
  }
  if (!isRecord(json) || json.format !== TUNING_FORMAT) throw refuse(`not a "${TUNING_FORMAT}" file`);
  if (json.formatVersion !== TUNING_VERSION) {
    throw refuse(`format version ${show(json.formatVersion)}; this downhill reads version ${TUNING_VERSION}`);
  }
  const { downhill, adapter, adapterType, subgroupSize, entries } = json;
  if (typeof downhill !== 'string' || typeof adapter !== 'string') throw refuse('downhill and adapter must be texts');
  if (adapterType !== 'software' && adapterType !== 'hardware')
    throw refuse(`adapterType is ${show(adapterType)}; software or hardware`);
  if (subgroupSize !== null && typeof subgroupSize !== 'number') throw refuse('subgroupSize must be a number or null');
  if (!isRecord(entries)) throw refuse('entries must be an object');
  for (const [key, entry] of Object.entries(entries)) {
    const wrong = entryProblem(entry);
    if (wrong !== undefined) throw refuse(`entry ${show(key)}: ${wrong}`);
  }
  return json as unknown as Tuning;
}

function entryProblem(entry: unknown): string | undefined {
  if (!isRecord(entry) || !isRecord(entry.tile)) return 'needs a tile';
  const { tile, ms, defaultMs, label } = entry;
  const numbers = {
    ms,
    defaultMs,
    ...pick(tile, ['rowsPerInvocation', 'columnsPerInvocation', 'invocationsM', 'invocationsN', 'chunks']),
    ...(tile.variant === 'staged' && pick(tile, ['depth'])),
  };
  const missing = Object.entries(numbers).find(([, value]) => typeof value !== 'number' || !Number.isFinite(value));
  if (missing !== undefined) return `${missing[0]} must be a number, found ${show(missing[1])}`;
  if (!['direct', 'broadcast', 'staged'].includes(tile.variant as string)) {
    return `variant must be direct, broadcast or staged, found ${show(tile.variant)}`;
  }
  return typeof label === 'string' ? undefined : `label must be a text, found ${show(label)}`;
}

function pick(from: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, from[name]]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The sizes that a `tileKey` begins with. */
function readKey(key: string): { batch: number; rows: number; n: number; segments: number } | undefined {
  const match = /^(\d+)x(\d+)x(\d+)x(\d+)x\d+:[0-9a-f]{8}$/.exec(key);
  if (match === null) return undefined;
  const [batch, rows, n, segments] = match.slice(1).map(Number);
  return { batch, rows, n, segments };
}

/**
 * BackupFolder: the files of a backup: `state.json`, the weights that it names and, where callbacks keep weights,
 * those.
 *
 * Invariants: the folder always leads to one whole state: weights are written under a new name, then `state.json`,
 * which names them with their digest, is replaced atomically, then older weights go. A state that does not fit is
 * refused and nothing in the folder is changed.
 */

import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DownhillError } from '../../util/errors.ts';
import {
  readFileBytes,
  removeStaleTemporaries,
  systemCode,
  systemReason,
  writeFileAtomic,
} from '../../util/files.node.ts';
import type { ReportSums } from '../step/report.ts';
import { decodeWeights, encodeWeights } from '../weights/weight-file.ts';
import type { WeightValue } from '../weights/weight-store.ts';
import type { CallbackState, Logs, TrainingPoint } from './callback.ts';

const FORMAT = 'downhill-backup';
const VERSION = 2;
export const STATE_FILE = 'state.json';
const TENSORS_NAME = /^(weights|callbacks)-\d+(-\d+)?\.safetensors$/;

/** A training as a backup keeps it. */
export interface Backup {
  readonly model: string;
  readonly point: TrainingPoint;
  /** What another training must have the same, and how many epochs it was to take. */
  readonly setting: Readonly<Record<string, unknown>>;
  readonly epochs: readonly { readonly epoch: number; readonly logs: Logs }[];
  /** Of every step so far. */
  readonly losses: Float32Array;
  /** A weights file, with the optimizer's state. */
  readonly weights: Uint8Array;
  /** What errors call it. */
  readonly weightsPath: string;
}

/** A file of the folder and the SHA-256 of its bytes. */
interface Named {
  readonly file: string;
  readonly sha256: string;
}

interface StateJson {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  readonly model: string;
  readonly epoch: number;
  readonly step: number;
  readonly ended: boolean;
  readonly learningRate?: number;
  readonly report?: ReportSums;
  readonly callbacks: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly setting: Readonly<Record<string, unknown>>;
  readonly epochs: Backup['epochs'];
  /** f32, little-endian, in base64. */
  readonly losses: string;
  readonly weights: Named;
  /** `callback/weight`; left out where no callback keeps weights. */
  readonly callbackWeights?: Named;
}

export class BackupFolder {
  constructor(readonly path: string) {}

  /** @throws DownhillError `file` naming the path and the system's reason; the state before stays. */
  async write({ model, point, setting, epochs, losses, weights }: Omit<Backup, 'weightsPath'>): Promise<void> {
    const { epoch, step, ended, learningRate, report, callbacks } = point;
    const suffix = `${step === 0 ? epoch : `${epoch}-${step}`}.safetensors`;
    const kept = [...callbacks].flatMap(([name, state]) => named(name, state));
    const main = { file: `weights-${suffix}`, sha256: sha256(weights) };
    const others = kept.length === 0 ? undefined : encodeWeights(kept);
    const other = others && { file: `callbacks-${suffix}`, sha256: sha256(others) };
    const state: StateJson = {
      ...{ format: FORMAT, version: VERSION, model, epoch, step, ended },
      ...(learningRate !== undefined && { learningRate }),
      ...(report !== undefined && { report }),
      callbacks: Object.fromEntries([...callbacks].map(([name, { values }]) => [name, values])),
      ...{
        setting,
        epochs,
        losses: Buffer.from(losses.buffer, losses.byteOffset, losses.byteLength).toString('base64'),
      },
      weights: main,
      ...(other !== undefined && { callbackWeights: other }),
    };
    const names = [main.file, ...(other === undefined ? [] : [other.file])];
    const before = await this.tensorFiles();
    try {
      await writeFileAtomic(join(this.path, main.file), weights);
      if (others !== undefined) await writeFileAtomic(join(this.path, other!.file), others);
      await writeFileAtomic(join(this.path, STATE_FILE), `${JSON.stringify(state, nameNumber)}\n`);
    } catch (error) {
      await this.remove(names.filter((name) => !before.includes(name))).catch(() => undefined);
      throw error;
    }
    await this.remove(before.filter((name) => !names.includes(name)));
  }

  /** The state; undefined where there is none. @throws DownhillError `file` for one that is corrupt. */
  async read(): Promise<Backup | undefined> {
    const path = join(this.path, STATE_FILE);
    let text: string;
    try {
      text = new TextDecoder().decode(await readFileBytes(path, 'backup'));
    } catch (error) {
      if (error instanceof DownhillError && systemCode(error.cause) === 'ENOENT') return undefined;
      throw error;
    }
    const state = parseState(text);
    if (state === undefined) {
      throw new DownhillError(
        'file',
        `backupAndRestore: ${path} is not a backup of a training; remove it to start anew`,
      );
    }
    const { epoch, step, ended, learningRate, report, model, setting, epochs, losses } = state;
    const others = state.callbackWeights && (await this.tensors(state.callbackWeights));
    const kept = others === undefined ? [] : decodeWeights(others, this.path).weights;
    const callbacks = new Map(
      Object.entries(state.callbacks).map(([name, values]) => [name, stateOf(name, values, kept)]),
    );
    const bytes = Uint8Array.from(Buffer.from(losses, 'base64'));
    return {
      ...{ model, setting, epochs, losses: new Float32Array(bytes.buffer, 0, bytes.length >> 2) },
      point: { epoch, step, ended, learningRate, report, callbacks },
      weights: await this.tensors(state.weights),
      weightsPath: join(this.path, state.weights.file),
    };
  }

  /** Takes the state away: `state.json` first, so that what is left names nothing. @throws DownhillError `file`. */
  async clear(): Promise<void> {
    await this.remove([STATE_FILE]);
    await this.remove(await this.tensorFiles());
    await this.tidy();
  }

  /** Takes away what processes that died in the middle of a write have left. */
  tidy(): Promise<void> {
    return removeStaleTemporaries(this.path, (name) => name === STATE_FILE || TENSORS_NAME.test(name));
  }

  private async tensors({ file, sha256: digest }: Named): Promise<Uint8Array> {
    const path = join(this.path, file);
    const bytes = await readFileBytes(path, 'weights');
    if (sha256(bytes) === digest) return bytes;
    const found = `${path} is not the file that ${STATE_FILE} names: its bytes differ`;
    throw new DownhillError('file', `backupAndRestore: ${found}; remove ${this.path} to start anew`);
  }

  private async tensorFiles(): Promise<string[]> {
    try {
      return (await readdir(this.path)).filter((name) => TENSORS_NAME.test(name));
    } catch (cause) {
      if (systemCode(cause) === 'ENOENT') return [];
      throw this.failed('read', cause);
    }
  }

  private async remove(names: readonly string[]): Promise<void> {
    try {
      for (const name of names) await rm(join(this.path, name), { force: true });
    } catch (cause) {
      throw this.failed('clear', cause);
    }
  }

  private failed(verb: string, cause: unknown): DownhillError {
    const reason = systemReason(cause);
    return new DownhillError('file', `backupAndRestore: cannot ${verb} ${this.path}: ${reason}`, { cause });
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function named(callback: string, { weights = [] }: CallbackState): WeightValue[] {
  return weights.map((value) => ({ ...value, name: `${callback}/${value.name}` }));
}

function stateOf(
  callback: string,
  values: Readonly<Record<string, unknown>>,
  kept: readonly WeightValue[],
): CallbackState {
  const prefix = `${callback}/`;
  const weights = kept
    .filter(({ name }) => name.startsWith(prefix))
    .map((value) => ({ ...value, name: value.name.slice(prefix.length) }));
  return { values, ...(weights.length > 0 && { weights }) };
}

/** JSON has no NaN and no infinities; they are written `{ "number": "NaN" }`. */
function nameNumber(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? { number: String(value) } : value;
}

function numberNamed(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) return value;
  const { number } = value as { number?: unknown };
  return number === 'NaN' || number === 'Infinity' || number === '-Infinity' ? Number(number) : value;
}

function parseState(text: string): StateJson | undefined {
  let state: Partial<StateJson> | null;
  try {
    state = JSON.parse(text, numberNamed);
  } catch {
    return undefined;
  }
  const { format, version, model, epoch, step, learningRate, weights, callbackWeights, report } = state ?? {};
  const { losses, epochs, callbacks, setting } = state ?? {};
  const count = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  const record = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
  const file = (value: Named | undefined) =>
    typeof value?.file === 'string' && TENSORS_NAME.test(value.file) && typeof value.sha256 === 'string';
  const checks = [
    format === FORMAT && version === VERSION && typeof model === 'string',
    count(epoch) && count(step),
    learningRate === undefined || (Number.isFinite(learningRate) && learningRate >= 0),
    file(weights) && (callbackWeights === undefined || file(callbackWeights)),
    step === 0 || (Array.isArray(report?.totals) && count(report.examples)),
    typeof losses === 'string' && Array.isArray(epochs) && record(callbacks) && record(setting),
  ];
  return checks.every(Boolean) ? (state as StateJson) : undefined;
}

/**
 * The folder of `train --out`: model.json and weights.safetensors, as `loadModel` reads them, history.json and, until
 * the training has ended, `backup`: the options of the training (run.json) and its state (`backupAndRestore`).
 *
 * Invariants: whether the folder can be made is known before a training starts; a training that ends in an error before
 * its first backup leaves nothing of its own behind. A model in the folder is replaced by that of a training that has
 * ended as it was to, and by no other, except that of an earlier part of the same training. Backups of a training that
 * has not ended are never deleted by another one.
 */

import { access, constants, rename, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BackupFolder, STATE_FILE } from '../train/callbacks/backup-folder.node.ts';
import type { Model } from '../train/model/model.ts';
import { MODEL_FILE, saveModel } from '../train/weights/files.node.ts';
import { DownhillError } from '../util/errors.ts';
import {
  makeFolder,
  readFileBytes,
  removeStaleTemporaries,
  systemCode,
  systemReason,
  writeFileAtomic,
} from '../util/files.node.ts';
import type { ConfigSource } from './config-reader.ts';

const HISTORY_FILE = 'history.json';
const RUN_FILE = 'run.json';
const BACKUP_FOLDER = 'backup';
const FORMAT = 'downhill-run';

/** The options of a training. */
export interface RunRecord {
  /** Options of the command line by key. */
  readonly words: Readonly<Record<string, unknown>>;
  /** The config file, as it was when the training began. */
  readonly config?: ConfigSource;
  /** Where it ran; undefined before it is known. */
  readonly adapter?: string;
}

/** What history.json holds besides the curves. */
export interface FinishedRun {
  readonly run: RunRecord;
  readonly interrupted: boolean;
  readonly history: Readonly<Record<string, unknown>>;
}

export class ModelFolder {
  /** Of the training that goes on here. */
  readonly backupPath: string;
  private begun = false;

  private constructor(
    readonly path: string,
    private readonly made: boolean,
    /** True when it continues an interrupted training. */
    readonly resumed: boolean,
    private readonly hadModel: boolean,
  ) {
    this.backupPath = join(path, BACKUP_FOLDER);
  }

  /**
   * Makes the folder if need be, for a new training or to go on with the one whose backup is in it. What the training
   * is told is kept at once, unless a backup is there: that of another one waits for `begin`.
   * @throws DownhillError `file` when it cannot be made or written to.
   */
  static async prepare(path: string, run: RunRecord, resumed: boolean): Promise<ModelFolder> {
    try {
      const made = await makeFolder(path);
      await access(path, constants.W_OK);
      const ours = [MODEL_FILE, 'weights.safetensors', HISTORY_FILE];
      await removeStaleTemporaries(path, (name) => ours.includes(name) || name === BACKUP_FOLDER);
      const folder = new ModelFolder(path, made !== undefined, resumed, await exists(join(path, MODEL_FILE)));
      if (!resumed && !(await folder.hasBackup())) await folder.record(run);
      return folder;
    } catch (cause) {
      const reason = cause instanceof DownhillError && cause.cause !== undefined ? cause.cause : cause;
      throw new DownhillError('file', `--out ${path}: cannot write there: ${systemReason(reason)}`, { cause });
    }
  }

  /**
   * What the training whose backup is in `path` was told; undefined where there is none.
   * @throws DownhillError `file`.
   */
  static async readRun(path: string): Promise<RunRecord | undefined> {
    const file = join(path, BACKUP_FOLDER, RUN_FILE);
    const json = await readJson(file);
    if (json === undefined) return undefined;
    const run = runOf(json);
    if (run !== undefined) return run;
    throw new DownhillError('file', `--resume ${path}: ${file} is not the record of a training`);
  }

  /** The training that left its model in `path`, if one has that told what it was. */
  static async readFinished(path: string): Promise<FinishedRun | undefined> {
    const json = await readJson(join(path, HISTORY_FILE));
    const run = json === undefined ? undefined : runOf(json.run);
    return json === undefined || run === undefined
      ? undefined
      : { run, interrupted: json.interrupted === true, history: json };
  }

  /**
   * The training begins: its options and its data are right. Puts the backup of another training aside.
   * @param warn is told of that. @throws DownhillError `file`.
   */
  async begin(run: RunRecord, warn: (line: string) => void): Promise<void> {
    if (!this.resumed && (await this.hasBackup())) {
      const aside = `${this.backupPath}-before`;
      await rm(aside, { recursive: true, force: true });
      await rename(this.backupPath, aside);
      warn(
        `WARNING: ${this.path} has the backup of a training that is not complete; a new one starts here, and the ` +
          `backup is now ${aside}. To continue it: move it back to ${this.backupPath}, then ` +
          `downhill train --resume ${this.path}`,
      );
    }
    this.begun = true;
    if (!this.resumed) await this.record(run);
  }

  /**
   * Keeps what the training is told; of one that goes on when its backup was accepted.
   * @throws DownhillError `file`.
   */
  async record(run: RunRecord): Promise<void> {
    await writeFileAtomic(
      join(this.backupPath, RUN_FILE),
      `${JSON.stringify({ format: FORMAT, version: 1, ...run })}\n`,
    );
  }

  /** The epoch and the step of this training's backup; undefined where none was made. */
  async standsAt(): Promise<{ readonly epoch: number; readonly step: number } | undefined> {
    if (!this.begun) return undefined;
    const backup = await new BackupFolder(this.backupPath).read().catch(() => undefined);
    return backup?.point;
  }

  /**
   * Writes the three files, each at once, and takes the backup away.
   * @throws DownhillError `file` naming the path and the system's reason; the backup stays.
   */
  async finish(model: Model, history: object): Promise<void> {
    await this.save(model, history);
    // One step, so that what is left is whole or nothing.
    const away = join(this.path, `.${BACKUP_FOLDER}.000000000000.tmp`);
    await rm(away, { recursive: true, force: true });
    await rename(this.backupPath, away);
    await rm(away, { recursive: true, force: true });
  }

  /**
   * The same for a training that was interrupted, whose backup stays. @returns false when the folder has a model of
   * another training, or of one that had ended, which is left alone.
   */
  async keepInterrupted(model: Model, history: object): Promise<boolean> {
    const own = this.resumed && (await ModelFolder.readFinished(this.path))?.interrupted === true;
    if (this.hadModel && !own) return false;
    await this.save(model, { ...history, interrupted: true });
    return true;
  }

  /** After an error: takes away what holds no backup. */
  async abandon(): Promise<void> {
    if (this.resumed || (await this.hasBackup())) return;
    await rm(this.backupPath, { recursive: true, force: true }).catch(() => undefined);
    if (this.made) await rmdir(this.path).catch(() => undefined);
  }

  private async save(model: Model, history: object): Promise<void> {
    await saveModel(model, this.path, { optimizer: true });
    await writeFileAtomic(join(this.path, HISTORY_FILE), `${JSON.stringify(history)}\n`);
  }

  private hasBackup(): Promise<boolean> {
    return exists(join(this.backupPath, STATE_FILE));
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function readJson(path: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    return JSON.parse(new TextDecoder().decode(await readFileBytes(path)));
  } catch (error) {
    if (error instanceof DownhillError && systemCode(error.cause) === 'ENOENT') return undefined;
    if (error instanceof DownhillError) throw error;
    throw new DownhillError('file', `${path}: not JSON (${(error as Error).message})`, { cause: error });
  }
}

function runOf(json: unknown): RunRecord | undefined {
  const { words } = (json ?? {}) as Partial<RunRecord>;
  return typeof words === 'object' && words !== null ? (json as RunRecord) : undefined;
}

/**
 * The folder that `train --out` leaves behind: model.json and weights.safetensors, as `loadModel` reads them, and
 * history.json.
 *
 * Invariant: whether the folder can be made is known before a training starts, and a training that ends in an error
 * leaves no folder of its own behind.
 */

import { access, constants, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { saveModel } from '../train/files.node.ts';
import type { Model } from '../train/model.ts';
import { DownhillError } from '../util/errors.ts';
import { makeFolder, systemReason, writeFileAtomic } from '../util/files.node.ts';

const HISTORY_FILE = 'history.json';

export class ModelFolder {
  private constructor(
    readonly path: string,
    private readonly made: boolean,
  ) {}

  /** Makes the folder if need be. @throws DownhillError `file` when it cannot be made or written to. */
  static async prepare(path: string): Promise<ModelFolder> {
    try {
      const made = await makeFolder(path);
      await access(path, constants.W_OK);
      return new ModelFolder(path, made !== undefined);
    } catch (cause) {
      throw new DownhillError('file', `--out ${path}: cannot write there: ${systemReason(cause)}`, { cause });
    }
  }

  /** Writes the three files, each at once. @throws DownhillError `file` naming the path and the system's reason. */
  async save(model: Model, history: object): Promise<void> {
    await saveModel(model, this.path, { optimizer: true });
    await writeFileAtomic(join(this.path, HISTORY_FILE), `${JSON.stringify(history)}\n`);
  }

  /** Takes the folder away again if it was made for this run and nothing is in it. */
  async abandon(): Promise<void> {
    if (this.made) await rmdir(this.path).catch(() => undefined);
  }
}

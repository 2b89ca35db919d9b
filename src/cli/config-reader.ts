/**
 * Reading a configuration: JSON whose every key is known. Each refusal names the file, the path of the key
 * (`optimizer.config.learningRate`), what was found and what would fit.
 */

import { DownhillError, nearestName, unknownName } from '../util/errors.ts';
import { readFileBytes } from '../util/files.node.ts';
import { parseJson } from '../util/json.ts';
import { show } from '../util/show.ts';

export type JsonRecord = Readonly<Record<string, unknown>>;

/** A name with options: `"adam"` or `{ "name": "adam", "config": { … } }`. */
export interface Named {
  readonly name: string;
  readonly config: JsonRecord;
}

/** What a configuration file holds. */
export interface ConfigSource {
  readonly file: string;
  readonly root: unknown;
}

/** @throws DownhillError `file` for a file that cannot be read or is not JSON. */
export async function readConfigSource(file: string): Promise<ConfigSource> {
  const text = new TextDecoder().decode(await readFileBytes(file, 'config'));
  try {
    return { file, root: parseJson(text) };
  } catch (cause) {
    throw new DownhillError('file', `${file}: not JSON (${(cause as Error).message})`, { cause });
  }
}

export class ConfigReader {
  private readonly file: string;
  readonly root: unknown;

  constructor({ file, root }: ConfigSource) {
    this.file = file;
    this.root = root;
  }

  /** For errors: the value at `path` is `found`, but should be `expected`. */
  refusal(path: string, expected: string, found: unknown): DownhillError {
    return new DownhillError(
      'argument',
      `${this.file}: ${path === '' ? 'it' : path} must be ${expected}, found ${show(found)}`,
    );
  }

  /** For errors: `key` at `path` is not a class index. */
  noClass(path: string, key: string): DownhillError {
    const expected = 'keys are class indices, as in { "0": 1, "1": 5 }';
    return new DownhillError('argument', `${this.file}: ${path}: key ${show(key)} is not a class index; ${expected}`);
  }

  /** For errors: `found` at `path` is none of `names`. */
  unknownName(path: string, found: unknown, names: readonly string[]): DownhillError {
    return new DownhillError('argument', `${this.file}: ${path}: ${unknownName('name', found, names).message}`);
  }

  /** @throws DownhillError `argument` unless `value` is an object without other keys than `known`. */
  record(path: string, value: unknown, known?: readonly string[]): JsonRecord {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      const example = known === undefined ? 'an object' : `an object with ${known.join(', ')}`;
      throw this.refusal(path, example, value);
    }
    const place = (key: string) => (path === '' ? key : `${path}.${key}`);
    for (const key of Object.keys(value)) {
      if (known === undefined || known.includes(key)) continue;
      const near = nearestName(key, known);
      const hint = near === undefined ? '.' : `; did you mean "${place(near)}"?`;
      throw new DownhillError(
        'argument',
        `${this.file}: unknown key "${place(key)}"${hint} Known: ${known.map(place).join(', ')}`,
      );
    }
    return value as JsonRecord;
  }

  /** @throws DownhillError `argument` unless `value` is an array. */
  list(path: string, value: unknown): readonly unknown[] {
    if (Array.isArray(value)) return value;
    throw this.refusal(path, 'an array', value);
  }

  /** @throws DownhillError `argument` unless `value` is a name, or an object of a name and a config. */
  named(path: string, value: unknown): Named {
    if (typeof value === 'string') return { name: value, config: {} };
    const { name, config = {} } = this.record(path, value, ['name', 'config']);
    if (typeof name !== 'string') throw this.refusal(`${path}.name`, 'a name', name);
    return { name, config: this.record(`${path}.config`, config) };
  }

  /** Runs `work`; its refusals name the file and `path`. */
  at<T>(path: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof DownhillError)) throw error;
      throw new DownhillError(error.code, `${this.file}: ${path}: ${error.message}`, { cause: error });
    }
  }
}

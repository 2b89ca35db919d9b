/**
 * LogFile: a file that grows by whole lines, or whole records, while a model trains.
 *
 * Invariant: each line is on its way to the disk when `append` resolves, so that a training that dies keeps its log.
 */

import { appendFile, readFile, stat, truncate } from 'node:fs/promises';
import { show } from '../../nn/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import { systemCode, systemReason, writeFileAtomic } from '../../util/files.node.ts';

/** `path` when it is a text. @throws DownhillError `argument`. */
export function checkPath(owner: string, path: unknown): string {
  if (typeof path === 'string' && path !== '') return path;
  throw new DownhillError('argument', `${owner}: expected the path of a file, found ${show(path)}`);
}

export class LogFile {
  /** @param bytes that it has already. */
  constructor(
    private readonly owner: string,
    readonly path: string,
    private bytes = 0,
  ) {}

  /**
   * Begins a training's lines: with an empty file, or after those that are there.
   * @returns what the file holds. @throws DownhillError `file` naming the path and the system's reason.
   */
  async begin(append: boolean): Promise<string> {
    const text = append ? await this.read() : '';
    // A process that died in the middle of a line must not spoil the next one.
    this.bytes = Buffer.byteLength(text);
    if (append && text !== '' && !text.endsWith('\n')) await this.append('\n');
    if (text === '') await writeFileAtomic(this.path, '');
    return text;
  }

  /** How long the file is: where a training goes on with it that is cut off now. */
  get length(): number {
    return this.bytes;
  }

  /** Takes away what was written after the file was `length` bytes long. @throws DownhillError as `append`. */
  async goBack(length: number): Promise<void> {
    try {
      const { size } = await stat(this.path);
      if (size > length) await truncate(this.path, length);
      this.bytes = Math.min(size, length);
    } catch (cause) {
      if (systemCode(cause) === 'ENOENT') return;
      throw new DownhillError('file', `${this.owner}: cannot shorten ${this.path}: ${systemReason(cause)}`, { cause });
    }
  }

  /** @throws DownhillError `file` naming the path and the system's reason. */
  async append(data: string | Uint8Array): Promise<void> {
    try {
      await appendFile(this.path, data);
      this.bytes += typeof data === 'string' ? Buffer.byteLength(data) : data.length;
    } catch (cause) {
      throw new DownhillError('file', `${this.owner}: cannot write ${this.path}: ${systemReason(cause)}`, { cause });
    }
  }

  /** What the file holds; nothing when there is none. @throws DownhillError `file` naming the path and the reason. */
  async read(): Promise<string> {
    try {
      return await readFile(this.path, 'utf8');
    } catch (cause) {
      if (systemCode(cause) === 'ENOENT') return '';
      throw new DownhillError('file', `${this.owner}: cannot read ${this.path}: ${systemReason(cause)}`, { cause });
    }
  }
}

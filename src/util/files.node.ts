/**
 * Files in Node: reading with errors that say which file was expected, writing so that nothing half-written is ever
 * seen under the final name. Everything that downhill saves goes through `writeFileAtomic`.
 *
 * Invariant: `writeFileAtomic` leaves either the old content or the new one, and no temporary file, whatever fails.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DownhillError } from './errors.ts';

/** `.NAME.PID-RANDOM.tmp`; the PID tells whether the process that writes it is alive. */
const TEMPORARY = /^\.(.+)\.(?:(\d+)-)?[0-9a-f]{12}\.tmp$/;

/** Those that this process writes now: a process that died may have had the same PID, in another container. */
const writing = new Set<string>();

function temporaryOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`);
}

/**
 * Removes temporary files in `folder` that dead processes left behind.
 * @param isOurs whether a file of that final name is the caller's.
 */
export async function removeStaleTemporaries(folder: string, isOurs: (name: string) => boolean): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const [, final, pid] = TEMPORARY.exec(name) ?? [];
    if (final === undefined || !isOurs(final) || writing.has(join(folder, name))) continue;
    if (pid !== undefined && Number(pid) !== process.pid && isAlive(Number(pid))) continue;
    await rm(join(folder, name), { force: true, recursive: true }).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}

/**
 * Writes `data` to `path`: into a temporary file of the same folder (made if missing), flushed to the disk, then
 * renamed.
 * @throws DownhillError('file') that names the path and the system's reason.
 */
export async function writeFileAtomic(path: string, data: Uint8Array | string): Promise<void> {
  const temporary = temporaryOf(path);
  writing.add(temporary);
  try {
    await makeFolder(dirname(path));
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new DownhillError('file', `cannot write ${path}: ${systemReason(cause)}`, { cause });
  } finally {
    writing.delete(temporary);
  }
}

/**
 * Whether `writeFileAtomic` could write `path`: for work that takes long before there is something to write. The folder
 * is made.
 * @throws DownhillError('file') as `writeFileAtomic`.
 */
export async function assertWritable(path: string): Promise<void> {
  const probe = temporaryOf(path);
  let reason: string | undefined;
  try {
    if (await isFolder(path)) reason = 'it is a folder';
    else await makeFolder(dirname(path));
    if (reason === undefined) await (await open(probe, 'wx')).close();
  } catch (cause) {
    reason = systemReason(cause);
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
  }
  if (reason !== undefined) throw new DownhillError('file', `cannot write ${path}: ${reason}`);
}

/**
 * Makes the folder `path` and those above it that are missing, one by one: Node's recursive `mkdir` never returns where
 * the system makes no folders, as in /proc (Node 20).
 * @returns the uppermost folder that was made; undefined when `path` was there. @throws the system's error.
 */
export async function makeFolder(path: string): Promise<string | undefined> {
  if (await isFolder(path)) return undefined;
  const parent = dirname(path);
  const made = parent === path ? undefined : await makeFolder(parent);
  try {
    await mkdir(path);
  } catch (cause) {
    // Another process made it in the meantime.
    if (await isFolder(path)) return made;
    if (systemCode(cause) !== 'ENOENT') throw cause;
    throw new Error(`no folder can be made in ${parent}`, { cause });
  }
  return made ?? path;
}

/** @throws the system's error unless it is that there is nothing. */
async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/**
 * The bytes of `path`, a file or a pipe that the shell passes (`/dev/stdin`, `/dev/fd/63`). Other pipes and devices are
 * refused: reading one without a writer would never end.
 * @param what what the file is, for the error: `cannot read weights "x.safetensors": no such file`.
 * @throws DownhillError('file') that names the path and the system's reason.
 */
export async function readFileBytes(path: string, what = 'file'): Promise<Uint8Array> {
  try {
    const found = await stat(path);
    if (!found.isFile() && !found.isDirectory() && !/^\/(dev\/(stdin|fd\/)|proc\/self\/fd\/)/.test(path)) {
      const kind = found.isFIFO() ? 'a pipe' : found.isSocket() ? 'a socket' : 'a device';
      throw new Error(`it is ${kind}; expected a file`);
    }
    const { buffer, byteOffset, byteLength } = await readFile(path);
    return new Uint8Array(buffer, byteOffset, byteLength);
  } catch (cause) {
    throw new DownhillError('file', `cannot read ${what} ${path}: ${systemReason(cause)}`, { cause });
  }
}

/** The error code of a failed system call (`ENOENT` …), or undefined. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

/** A failed system call in words: Node's message without the call and the path, which the caller names itself. */
export function systemReason(error: unknown): string {
  switch (systemCode(error)) {
    case 'ENOENT':
      return 'no such file or folder';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EISDIR':
      return 'it is a folder; expected a file';
    case 'ENOTDIR':
    case 'EEXIST':
      return 'a part of the path is a file, not a folder';
    case 'ENOSPC':
      return 'no space left on the disk';
    case 'EROFS':
      return 'the disk is read-only';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

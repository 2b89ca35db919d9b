/**
 * The download cache in Node: the folder of util/cache-folder.node.ts. Files are written atomically, so an interrupted
 * run leaves no partial file behind.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../../util/cache-folder.node.ts';
import { DownhillError } from '../../util/errors.ts';
import { systemCode, systemReason, writeFileAtomic } from '../../util/files.node.ts';
import type { ByteCache } from './download.ts';

/**
 * A cache in `folder`, which is made at the first `put`. A missing file is a miss.
 * @throws DownhillError('file') from its methods when the folder cannot be read or written; the message names
 *   DOWNHILL_CACHE as the way out.
 */
export function folderCache(folder = cacheFolder()): ByteCache {
  const refusal = (verb: string, path: string, cause: unknown) => {
    const reason = cause instanceof DownhillError ? cause.message : `cannot ${verb} ${path}: ${systemReason(cause)}`;
    return new DownhillError('file', `download cache: ${reason}; set DOWNHILL_CACHE to another folder`, { cause });
  };
  return {
    async get(key) {
      const path = join(folder, key);
      try {
        return await readFile(path);
      } catch (cause) {
        if (systemCode(cause) === 'ENOENT') return undefined;
        throw refusal('read', path, cause);
      }
    },
    async put(key, bytes) {
      const path = join(folder, key);
      await writeFileAtomic(path, bytes).catch((cause) => {
        throw refusal('write', path, cause);
      });
    },
  };
}

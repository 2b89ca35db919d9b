/** Preloaded by tests: a disk that is full after FULL_AFTER opened files, half a file later, as a real one. */
import promises, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

let left = Number(process.env.FULL_AFTER);
const { open } = promises;

promises.open = async (...words: Parameters<typeof open>): Promise<FileHandle> => {
  const file = await open(...words);
  if (left-- > 0) return file;
  const { writeFile } = file;
  file.writeFile = async (data, ...more) => {
    const bytes = typeof data === 'string' ? Buffer.from(data) : (data as Uint8Array);
    await writeFile.call(file, bytes.subarray(0, bytes.length >> 1), ...more);
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  };
  return file;
};
syncBuiltinESMExports();

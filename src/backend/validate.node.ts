/** VALIDATE=1 in Node: repros are files, in the folder that `DUMP` names. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { environment } from '../util/environment.ts';
import type { Backend } from './backend.ts';
import { validatingBackend } from './validate.ts';

const FOLDER = 'runs/validate';

/**
 * `backend` with every dispatch compared with the CPU reference; a CPU backend, which is the reference, as it is.
 * @param folder where repros go.
 */
export function wrapForValidation(backend: Backend, folder = environment().dump ?? FOLDER): Backend {
  if (backend.kind !== 'webgpu') return backend;
  return validatingBackend(backend, {
    async writeRepro(name, text) {
      await mkdir(folder, { recursive: true });
      const path = join(folder, name);
      await writeFile(path, text);
      return path;
    },
  });
}

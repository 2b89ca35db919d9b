/**
 * Makes a module in scripts/ both importable and runnable: `body` runs only when the file is the one that was started.
 * A failure prints its message alone (these are messages to a person, not bugs to trace) and exits with 1.
 * `DEBUG` set to anything shows the stack as well.
 */

import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Runs `body` when the module at `url` (pass `import.meta.url`) is the process's main module. */
export function runScript(url: string, body: () => void | Promise<void>): void {
  const started = process.argv[1];
  if (started === undefined || realpathSync(started) !== realpathSync(fileURLToPath(url))) return;
  Promise.resolve()
    .then(body)
    .catch((error: unknown) => {
      if (process.env.DEBUG) console.error(error);
      else console.error(error instanceof Error ? error.message : String(error));
      process.exitCode = 1;
    });
}

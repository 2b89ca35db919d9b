/**
 * How the program fails: one message on stderr and exit status 1. A stack trace is for whoever works on downhill:
 * DEBUG=1 or more prints it.
 */

import { environment } from '../util/environment.ts';
import { DownhillError } from '../util/errors.ts';
import { printable } from '../util/show.ts';

/** Exit status after a refusal or a fault. */
export const FAILED = 1;
/** Exit status after SIGINT, as shells have it: 128 + 2. */
export const INTERRUPTED = 130;

/** The text for stderr. */
export function describeFailure(error: unknown): string {
  if (environment().debug >= 1 && error instanceof Error) return `error: ${printable(error.stack ?? error.message)}`;
  if (error instanceof DownhillError) return `error: ${error.message}`;
  const message = error instanceof Error ? error.message || error.name : String(error);
  return `unexpected error: ${printable(message)}\n(DEBUG=1 shows where)`;
}

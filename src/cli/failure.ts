/**
 * How the program fails: one message on stderr and exit status 1. Stack traces are for people who work on downhill:
 * DEBUG=1 or more prints them.
 */

import { environment } from '../util/environment.ts';
import { DownhillError } from '../util/errors.ts';
import { printable } from '../util/show.ts';

/** Exit status after a refusal or a fault. */
export const FAILED = 1;
/** Exit status after a signal, as shells have it: 128 and its number. */
export const SIGNAL_STATUS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** The text for stderr. */
export function describeFailure(error: unknown): string {
  if (environment().debug >= 1 && error instanceof Error) return `error: ${printable(error.stack ?? error.message)}`;
  if (error instanceof DownhillError) return `error: ${error.message}`;
  const message = error instanceof Error ? error.message || error.name : String(error);
  return `unexpected error: ${printable(message)}\n(DEBUG=1 shows where)`;
}

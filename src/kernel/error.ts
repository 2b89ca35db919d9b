/** What is wrong with a kernel's text, and where. */

import { DownhillError } from '../util/errors.ts';

/** @param where the name of the kernel, op or file; @param line from 1. */
export function kernelError(where: string, line: number, message: string): DownhillError {
  return new DownhillError('internal', `${where}, line ${line}: ${message}`);
}

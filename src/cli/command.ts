/**
 * Command: one word of the command line with its options and what it does. The main program finds it, reads its
 * options, opens nothing and closes nothing: a command disposes what it opens.
 */

import { flag, type OptionTable, type OptionValues } from './options.ts';
import type { Output } from './output.ts';

export interface Command<T extends OptionTable = OptionTable> {
  readonly name: string;
  /** One line for the list of commands. */
  readonly doc: string;
  /** A call worth trying, without the program's name. */
  readonly example: string;
  readonly options: T;
  /** Does the work and gives the exit status. @throws DownhillError for what the caller got wrong. */
  run(values: OptionValues<T>, output: Output): Promise<number>;
}

/** Lets TypeScript infer the types of the values from the table. */
export function defineCommand<T extends OptionTable>(command: Command<T>): Command<T> {
  return command;
}

/** Options that every command takes. */
export const COMMON_OPTIONS = {
  json: flag('the result as one line of JSON, the last on stdout; progress goes to stderr'),
  help: flag('this text'),
};

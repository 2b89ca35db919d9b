/**
 * Command: one word of the command line with its options and what it does. The main program finds it, reads its
 * options, opens nothing and closes nothing: a command disposes what it opens.
 */

import { choice, flag, type OptionTable, type OptionValues, whole } from './options.ts';
import type { Output } from './output.ts';

/** The largest seed: seeds are u32. */
const MAX_SEED = 2 ** 32 - 1;

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

/** Options that every command takes, so that a script can pass them without knowing the command. */
export const COMMON_OPTIONS = {
  backend: choice({
    names: ['webgpu', 'cpu'],
    fallback: undefined,
    doc: 'where to compute; webgpu unless there is no adapter',
  }),
  seed: whole({ least: 0, most: MAX_SEED, fallback: 0, doc: 'decides everything random: weights, order, dropout' }),
  json: flag('the result as one line of JSON, the last on stdout; progress goes to stderr'),
  help: flag('this text'),
};

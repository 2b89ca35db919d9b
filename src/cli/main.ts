#!/usr/bin/env node
/**
 * The command `downhill`: finds the command, reads its options, runs it, and turns whatever goes wrong into one message
 * on stderr and exit status 1. The process exits on its own when the work is done, so that no output is cut off.
 */

import { unknownName } from '../util/errors.ts';
import { readArguments } from './arguments.ts';
import type { Command } from './command.ts';
import { COMMANDS } from './commands/index.ts';
import { describeFailure, FAILED } from './failure.ts';
import { describeCommand, overview } from './help.ts';
import { Output } from './output.ts';
import { packageVersion } from './versions.ts';

async function main([name, ...words]: readonly string[]): Promise<number> {
  if (name === '--version') return print([packageVersion()]);
  if (name === undefined || name === '--help' || name === '-h') return print(overview(COMMANDS));
  if (name === 'help')
    return words[0] === undefined ? print(overview(COMMANDS)) : print(describeCommand(find(words[0])));
  const command = find(name);
  if (words.includes('--help') || words.includes('-h')) return print(describeCommand(command));
  const values = readArguments(name, command.options, words);
  return command.run(values, new Output(values.json === true));
}

function find(name: string): Command {
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  throw unknownName('command', name, [...COMMANDS.map((known) => known.name), 'help']);
}

function print(lines: readonly string[]): number {
  process.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}

function fail(error: unknown): void {
  process.stderr.write(`${describeFailure(error)}\n`);
  process.exitCode = FAILED;
}

// `downhill … | head`: the reader is gone, and no message can reach it.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : FAILED));
// Errors outside of the awaited work (a device's callback): the state is unknown, so the process must not go on.
process.on('uncaughtException', (error) => {
  fail(error);
  process.exit(FAILED);
});

await main(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
}, fail);

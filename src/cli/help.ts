/**
 * Help texts, made from the option tables.
 */

import type { Command } from './command.ts';
import { type Option, optionName } from './options.ts';
import { columns } from './output.ts';

/** What `downhill help` prints. */
export function overview(commands: readonly Command[]): string[] {
  return [
    'downhill trains neural networks on any GPU that speaks WebGPU.',
    '',
    'usage: downhill COMMAND [options]',
    '',
    ...columns(commands.map(({ name, doc }) => [`  ${name}`, doc])),
    '',
    'downhill COMMAND --help tells the options of a command; downhill --version the version.',
  ];
}

/** What `downhill COMMAND --help` prints. */
export function describeCommand({ name, doc, example, options }: Command): string[] {
  const rows = Object.entries(options).map(([key, option]) => [
    `  ${optionName(key)}${option.placeholder === undefined ? '' : ` ${option.placeholder}`}`,
    `${option.doc}${describeFallback(option)}`,
  ]);
  return [`downhill ${name}: ${doc}`, '', ...columns(rows), '', `example: downhill ${example}`];
}

function describeFallback({ placeholder, fallback }: Option<unknown>): string {
  return placeholder === undefined || fallback === undefined ? '' : ` (${fallback})`;
}

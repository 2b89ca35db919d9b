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
    'downhill COMMAND --help lists the options of a command; downhill --version prints the version.',
  ];
}

/** What `downhill COMMAND --help` prints. */
export function describeCommand({ name, doc, example, options }: Command): string[] {
  const rows = Object.entries(options).map(([key, option]) => {
    const { word, names } = describeValue(option);
    const left = `  ${optionName(key)}${word === undefined ? '' : ` ${word}`}`;
    return [left, `${option.doc}${describeFallback(option)}${names}`];
  });
  return [`downhill ${name}: ${doc}`, '', ...wrapped(rows), '', `example: downhill ${example}`];
}

/** Columns of a terminal that help fits into. */
const WIDTH = 100;
/** Longer lists of choices go into the text. */
const LONGEST_PLACEHOLDER = 24;

function describeValue({ placeholder }: Option<unknown>): { word: string | undefined; names: string } {
  if (placeholder === undefined || placeholder.length <= LONGEST_PLACEHOLDER) return { word: placeholder, names: '' };
  return { word: 'NAME', names: `: ${placeholder.split('|').join(', ')}` };
}

/** Two columns, the second one broken between words. */
function wrapped(rows: readonly (readonly string[])[]): string[] {
  const indent = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.flatMap(([left, right]) =>
    lines(right, WIDTH - indent).map((line, k) => (k === 0 ? left : '').padEnd(indent) + line),
  );
}

function lines(text: string, width: number): string[] {
  const found: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      found.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...found, line];
}

function describeFallback({ placeholder, fallback }: Option<unknown>): string {
  return placeholder === undefined || fallback === undefined ? '' : ` (${fallback})`;
}

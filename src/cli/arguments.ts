/**
 * From the words of a command line to checked option values. `util.parseArgs` splits the words; what is unknown,
 * missing or superfluous is refused here, with the nearest name that exists.
 */

import { parseArgs } from 'node:util';
import { DownhillError, nearestName } from '../util/errors.ts';
import { type OptionTable, type OptionValues, optionName } from './options.ts';

/** What people write for an option that is called otherwise here, where no spelling is near. */
const OTHER_WORDS: Readonly<Record<string, string>> = { '--model': '--model-dir', '--load': '--model-dir' };

/**
 * The values of `table` in `words`; options that are not given have their fallback. Given twice, the last one counts.
 * @param command named in errors.
 * @throws DownhillError `argument` for a word or an option that the command does not take, or a value that does not
 *   fit.
 */
export function readArguments<T extends OptionTable>(
  command: string,
  table: T,
  words: readonly string[],
): OptionValues<T> {
  const keys = new Map(Object.keys(table).map((key) => [optionName(key), key]));
  const { tokens } = parseArgs({
    args: [...words],
    // `strict` would throw Node's own errors; its checks are made below.
    strict: false,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(table).map(([key, { placeholder }]) => [
        optionName(key).slice(2),
        { type: placeholder === undefined ? ('boolean' as const) : ('string' as const) },
      ]),
    ),
  });
  const values: Record<string, unknown> = {};
  for (const [key, { fallback }] of Object.entries(table)) values[key] = fallback;
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      throw new DownhillError(
        'argument',
        `${command}: unexpected word ${JSON.stringify(token.value)}; everything after the command is an option: ` +
          [...keys.keys()].join(' '),
      );
    }
    const key = keys.get(token.rawName);
    if (key === undefined) throw unknownOption(command, token.rawName, [...keys.keys()]);
    const option = table[key];
    if (option.placeholder === undefined) {
      if (token.value !== undefined) {
        throw new DownhillError('argument', `${token.rawName} takes no value, found ${JSON.stringify(token.value)}`);
      }
      values[key] = true;
      continue;
    }
    if (token.value === undefined) {
      throw new DownhillError('argument', `${token.rawName} needs a value: ${token.rawName} ${option.placeholder}`);
    }
    values[key] = option.read(key, token.value);
  }
  return values as OptionValues<T>;
}

function unknownOption(command: string, name: string, known: readonly string[]): DownhillError {
  const other = OTHER_WORDS[name];
  const near = known.includes(other) ? other : nearestName(name, known);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  return new DownhillError('argument', `${command}: unknown option ${name}${hint} Known: ${known.join(' ')}`);
}

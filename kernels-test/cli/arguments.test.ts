/** Option tables: what each kind of option takes, what it refuses, and that refusals say what would fit. */
import { describe, expect, test } from 'vitest';
import { readArguments } from '../../src/cli/arguments.ts';
import { COMMANDS } from '../../src/cli/commands/index.ts';
import { describeCommand, overview } from '../../src/cli/help.ts';
import { choice, flag, optionName, positive, text, whole } from '../../src/cli/options.ts';
import { expectRefusal } from '../data/refusal.ts';

const TABLE = {
  json: flag('json'),
  out: text({ placeholder: 'DIR', doc: 'folder' }),
  optimizer: choice({ names: ['adam', 'sgd'], fallback: 'adam', doc: 'optimizer' }),
  batchSize: whole({ least: 1, fallback: 64, doc: 'batch' }),
  percent: whole({ least: 0, most: 100, fallback: undefined, doc: 'percent' }),
  learningRate: positive({ fallback: undefined, doc: 'rate' }),
};
const read = (...words: string[]) => readArguments('train', TABLE, words);

describe('readArguments', () => {
  test('gives the fallbacks when there is nothing to read', () => {
    expect(read()).toEqual({
      json: false,
      out: undefined,
      optimizer: 'adam',
      batchSize: 64,
      percent: undefined,
      learningRate: undefined,
    });
  });

  test('reads values after a space and after an equals sign; the last one counts', () => {
    const words = ['--json', '--out', 'runs/a', '--batch-size=32', '--learning-rate', '1e-3', '--batch-size', '8'];
    expect(read(...words)).toMatchObject({ json: true, out: 'runs/a', batchSize: 8, learningRate: 0.001 });
  });

  test.each([
    [['--bach-size', '8'], 'train: unknown option --bach-size; did you mean --batch-size? Known: --json'],
    [['--no-json'], /unknown option --no-json/],
    [['-x'], /unknown option -x/],
    [['mnist'], /unexpected word "mnist"/],
    [['--', '--json'], /unexpected word "--json"/],
    [['--json=yes'], '--json takes no value, found "yes"'],
    [['--out'], '--out needs a value: --out DIR'],
    [['--out', '--json'], '--out takes a value (DIR), found "--json"'],
    [['--out='], '--out takes a value (DIR), found ""'],
    [['--optimizer', 'adm'], 'unknown value of --optimizer: "adm"; did you mean "adam"? Known: adam, sgd'],
    [['--batch-size', '0'], '--batch-size takes a whole number of at least 1, found "0"'],
    [['--batch-size', '-3'], '--batch-size takes a whole number of at least 1, found "-3"'],
    [['--batch-size', '1.5'], /--batch-size takes a whole number/],
    [['--batch-size', '0x10'], /--batch-size takes a whole number/],
    [['--batch-size', '1e30'], /--batch-size takes a whole number/],
    [['--batch-size', ''], /--batch-size takes a whole number/],
    [['--percent', '101'], '--percent takes a whole number from 0 to 100, found "101"'],
    [['--learning-rate', 'NaN'], '--learning-rate takes a finite number above 0, found "NaN"'],
    [['--learning-rate', 'Infinity'], /--learning-rate takes a finite number above 0/],
    [['--learning-rate', '1e999'], /--learning-rate takes a finite number above 0/],
    [['--learning-rate', '0'], /--learning-rate takes a finite number above 0/],
    [['--learning-rate', '-0.1'], /--learning-rate takes a finite number above 0, found "-0.1"/],
    [['--learning-rate', '0,1'], /found "0,1"/],
  ] as const)('refuses %j', async (words, message) => {
    await expectRefusal(() => read(...words), 'argument', message);
  });

  test('names options in kebab case', () => {
    expect(optionName('batchSize')).toBe('--batch-size');
    expect(optionName('json')).toBe('--json');
  });
});

describe('help', () => {
  test.each(COMMANDS.map((command) => [command.name, command] as const))('of %s fits 100 columns', (_name, command) => {
    const lines = describeCommand(command);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    for (const key of Object.keys(command.options)) {
      expect(
        lines.some((line) => line.startsWith(`  ${optionName(key)}`)),
        key,
      ).toBe(true);
    }
  });

  test('of train names every choice, and only what a command line can say', () => {
    const train = COMMANDS.find(({ name }) => name === 'train')!;
    const words = describeCommand(train)
      .join(' ')
      .split(/[\s,|:]+/);
    for (const { placeholder } of Object.values(train.options)) {
      if (placeholder?.includes('|')) expect(words).toEqual(expect.arrayContaining(placeholder.split('|')));
    }
    expect(words).not.toContain('custom');
    expect(() => train.options.loss.read('loss', 'custom')).toThrow(/unknown value of --loss: "custom"/);
    expect(Math.max(...overview(COMMANDS).map((line) => line.length))).toBeLessThanOrEqual(100);
  });
});

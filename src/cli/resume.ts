/**
 * `train --resume DIR`: the options of the training in DIR, which the command line overrides, so that the folder alone
 * is enough.
 */

import { resolve } from 'node:path';
import { firstDifference } from '../util/difference.ts';
import { DownhillError } from '../util/errors.ts';
import { readConfigSource } from './config-reader.ts';
import { type FinishedRun, ModelFolder, type RunRecord } from './model-folder.ts';
import { optionName } from './options.ts';

/** Options that say where and how to run, and nothing of the training itself. */
const OUTSIDE = ['out', 'resume', 'json', 'help'];
const PATHS = ['data', 'tensorboard'];

interface ResumeValues {
  readonly out: string | undefined;
  readonly resume: string | undefined;
  readonly config: string | undefined;
}

/** What to train, and where. */
export interface Run<T> {
  /** Given now, or by the training that goes on. */
  readonly values: T;
  readonly record: RunRecord;
  /** The folder to save in. */
  readonly out: string | undefined;
  /** True when `out` has the backup of the training. */
  readonly resumed: boolean;
  /** The training that has ended already, with nothing left to do. */
  readonly finished?: FinishedRun;
}

/**
 * @param values options of the command line; undefined is not given.
 * @param fallbacks values of options that are not given.
 * @throws DownhillError `argument` for `--out` with `--resume`, and for a folder without a training where no option
 *   says what to train.
 */
export async function planRun<T extends ResumeValues>(
  values: T,
  fallbacks: Readonly<Record<string, unknown>>,
  warn: (line: string) => void,
): Promise<Run<T>> {
  const { resume, out } = values;
  const given = await recordOf(values, fallbacks);
  if (resume === undefined) return { values, record: given, out, resumed: false };
  if (out !== undefined && resolve(out) !== resolve(resume)) {
    const found = `--resume ${resume} continues in that folder, found --out ${out}`;
    throw new DownhillError('argument', `train: ${found}; leave one of them out`);
  }
  const earlier = await ModelFolder.readRun(resume);
  if (earlier !== undefined) {
    const record = joined(earlier, given);
    return { values: { ...values, ...record.words }, record, out: resume, resumed: true };
  }
  const finished = await ModelFolder.readFinished(resume);
  if (finished !== undefined && !finished.interrupted) {
    const difference = firstDifference(finished.run.words, joined(finished.run, given).words);
    if (difference === undefined) return { values, record: finished.run, out: resume, resumed: false, finished };
    const { path, before, after } = difference;
    const found = `the training in ${resume} is complete; its ${optionName(path)} was ${before}, found ${after}`;
    throw new DownhillError('argument', `train: ${found}; --out starts another training`);
  }
  if (Object.keys(given.words).length === 0 && given.config === undefined) {
    const advice = `--out ${resume} with the options of a training starts one`;
    throw new DownhillError('file', `--resume ${resume}: there is no backup of a training; ${advice}`);
  }
  warn(`WARNING: ${resume} has no backup of a training, so this one starts from the beginning`);
  return { values, record: given, out: resume, resumed: false };
}

/** The training's options on the command line; paths are absolute, so that it can continue from another folder, too. */
async function recordOf<T extends ResumeValues>(
  values: T,
  fallbacks: Readonly<Record<string, unknown>>,
): Promise<RunRecord> {
  const words = Object.entries(values).filter(
    ([key, value]) => ![...OUTSIDE, 'config'].includes(key) && value !== undefined && value !== fallbacks[key],
  );
  const absolute = words.map(([key, value]) => [key, PATHS.includes(key) ? resolve(value as string) : value]);
  const config = values.config === undefined ? undefined : await readConfigSource(values.config);
  return { words: Object.fromEntries(absolute), ...(config !== undefined && { config }) };
}

function joined(earlier: RunRecord, given: RunRecord): RunRecord {
  return { ...earlier, ...given, words: { ...earlier.words, ...given.words } };
}

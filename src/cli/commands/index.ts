/**
 * The commands, in the order in which help lists them.
 */

import type { Command } from '../command.ts';
import { compare } from './compare.ts';
import { evaluate } from './evaluate.ts';
import { gradcheck } from './gradcheck.ts';
import { info } from './info.ts';
import { profile } from './profile.ts';
import { selfTestCommand } from './self-test.ts';
import { train } from './train.ts';
import { tuneCommand } from './tune.ts';

export const COMMANDS: readonly Command[] = [
  train,
  evaluate,
  profile,
  compare,
  gradcheck,
  tuneCommand,
  selfTestCommand,
  info,
] as readonly Command[];

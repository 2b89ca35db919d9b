/**
 * The commands, in the order in which help lists them.
 */

import type { Command } from '../command.ts';
import { compare } from './compare.ts';
import { evaluate } from './evaluate.ts';
import { gradcheck } from './gradcheck.ts';
import { info } from './info.ts';
import { train } from './train.ts';

export const COMMANDS: readonly Command[] = [train, evaluate, compare, gradcheck, info] as readonly Command[];

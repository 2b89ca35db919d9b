/**
 * The commands, in the order in which help lists them.
 */

import type { Command } from '../command.ts';
import { info } from './info.ts';

export const COMMANDS: readonly Command[] = [info as Command];

/**
 * The callbacks in Node: those of everywhere, and those that write files. `modelCheckpoint` writes folders here.
 */

import { backupAndRestore } from './backup-and-restore.node.ts';
import { csvLogger } from './csv-logger.node.ts';
import { callbacks as universal } from './index.ts';
import { jsonlLogger } from './jsonl-logger.node.ts';
import { modelCheckpoint } from './model-checkpoint.node.ts';
import { tensorBoard } from './tensorboard.node.ts';

export const callbacks = { ...universal, modelCheckpoint, backupAndRestore, csvLogger, jsonlLogger, tensorBoard };

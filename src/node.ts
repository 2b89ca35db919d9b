/**
 * The package in Node (`import … from 'downhill/node'`): everything of the universal entry, and what needs a file
 * system or the `webgpu` package, which is loaded when a backend is asked for.
 */

export { wrapForValidation } from './backend/validate.node.ts';
export {
  createDawnNullBackend,
  createNodeWebGPUBackend,
  type DawnToggles,
  type NodeWebGPUOptions,
} from './backend/webgpu.node.ts';
export {
  type LoadedTable,
  loadTable,
  readCsvFile,
  readNpyFile,
  readNpzFile,
  type TableName,
} from './data/formats/csv.node.ts';
export { imageFolder } from './data/image-folder.node.ts';
export { folderCache } from './data/sets/cache.node.ts';
export { loadCifar10 } from './data/sets/cifar.node.ts';
export { type LoadMnistOptions, loadMnist } from './data/sets/mnist.node.ts';
export * from './index.ts';
// The universal entry has one too, for browsers; this one replaces it.
export { useBackend } from './runtime/use-backend.node.ts';
export type { BackupAndRestoreOptions } from './train/callbacks/backup-and-restore.node.ts';
export type { CsvLoggerOptions } from './train/callbacks/csv-logger.node.ts';
// Those of the universal entry, and those that write files.
export { callbacks } from './train/callbacks/index.node.ts';
export type { JsonlLoggerOptions } from './train/callbacks/jsonl-logger.node.ts';
export type { FileCheckpointOptions } from './train/callbacks/model-checkpoint.node.ts';
export type { TensorBoardOptions } from './train/callbacks/tensorboard.node.ts';
export { loadModel, saveModel } from './train/weights/files.node.ts';
// As in browsers, but in files: these replace those of the universal entry.
export { findStoredTuning, loadTuning, type StoredTuning, saveTuning } from './tune/store.node.ts';
export { cacheFolder } from './util/cache-folder.node.ts';
export { readFileBytes, writeFileAtomic } from './util/files.node.ts';

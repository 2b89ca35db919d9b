/**
 * A run as a file: a zip with model.json, weights.safetensors (what the command line reads) and run.json (where to go
 * on).
 */

import { DownhillError, loadModelFiles, readZip, type TrainingSnapshot, writeZip } from '../../../src/index.ts';
import type { RunSpec, SavedRun } from './protocol.ts';
import type { RunLog } from './run-log.ts';

export function runFile(spec: RunSpec, snapshot: TrainingSnapshot, { points, epochs }: RunLog): Promise<Uint8Array> {
  const { epoch, step, learningRate, files } = snapshot;
  const run = { spec, epoch, step, learningRate, points, epochs };
  const text = (value: string) => new TextEncoder().encode(value);
  return writeZip(
    new Map([
      ['model.json', text(files.json)],
      ['weights.safetensors', files.weights],
      ['run.json', text(`${JSON.stringify(run)}\n`)],
    ]),
  );
}

/**
 * Reads what `runFile` gave. @param expected shape of the images that the network must take.
 * @throws DownhillError `file` for anything else.
 */
export async function readRunFile(
  bytes: Uint8Array,
  name: string,
  expected: readonly number[],
): Promise<Omit<SavedRun, 'source'>> {
  const entries = await readZip(bytes, name);
  const [json, weights, run] = ['model.json', 'weights.safetensors', 'run.json'].map((entry) => entries.get(entry));
  if (json === undefined || weights === undefined || run === undefined) {
    throw new DownhillError(
      'file',
      `${name}: no saved run; expected model.json, weights.safetensors and run.json in it`,
    );
  }
  const text = (part: Uint8Array) => new TextDecoder().decode(part);
  const files = { json: text(json), weights };
  const model = loadModelFiles(files, { json: `${name}: model.json`, weights: `${name}: weights` });
  const shape = model.inputShapes?.[0] ?? [];
  model.dispose();
  if (String(shape) !== String(expected)) {
    const found = `images of [${shape.join(', ')}]`;
    throw new DownhillError('file', `${name}: its model takes ${found}; the data here are [${expected.join(', ')}]`);
  }
  const { spec, epoch, step, learningRate, points, epochs } = JSON.parse(text(run));
  const snapshot = { format: 'downhill-snapshot', version: 1, epoch, step, learningRate, files } as const;
  return { version: 1, savedAt: Date.now(), spec, index: points.at(-1)?.index ?? 0, snapshot, points, epochs };
}

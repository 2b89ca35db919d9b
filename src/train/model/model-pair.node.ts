/**
 * model.json and weights.safetensors of one save know each other. Two files cannot be replaced at once: a reader, a
 * crash or a second writer may find one of this save and one of another. So the weights also hold the model's JSON, and
 * both name the save.
 *
 * Invariant: the weights file alone is the whole saved model, and it is replaced atomically; model.json is read where
 * it is of the same save, so that it can be edited by hand.
 */

import { createHash } from 'node:crypto';
import { parseHeader } from '../weights/safetensors.ts';
import type { SavedModel } from './model-options.ts';

const METADATA = '__metadata__';
const MODEL = 'model';
const SAVE_ID = 'saveId';

/** The two files of a model as they are written into a folder. */
export function pairFiles({ json, weights }: SavedModel): SavedModel {
  const record = JSON.parse(json) as Record<string, unknown>;
  delete record[SAVE_ID];
  const saveId = createHash('sha256').update(JSON.stringify(record)).digest('hex').slice(0, 16);
  const { format, version, ...rest } = record;
  const named = `${JSON.stringify({ format, version, [SAVE_ID]: saveId, ...rest }, null, 2)}\n`;
  return { json: named, weights: withMetadata(weights, { [SAVE_ID]: saveId, [MODEL]: named }) };
}

/** The model's JSON that goes with `weights`; `json` when it is of the same save, or of one that is not known. */
export function pairedJson({ json, weights }: SavedModel): string {
  const kept = metadataOf(weights);
  const known = saveIdOf(json);
  if (typeof kept[MODEL] !== 'string' || known === undefined || known === kept[SAVE_ID]) return json;
  return kept[MODEL];
}

function saveIdOf(json: string): string | undefined {
  try {
    const { saveId } = JSON.parse(json) as { saveId?: unknown };
    return typeof saveId === 'string' ? saveId : undefined;
  } catch {
    // Whoever reads it as a model says what is wrong with it.
    return undefined;
  }
}

function metadataOf(weights: Uint8Array): Readonly<Record<string, string>> {
  try {
    const { header } = parseHeader(weights, 'weights');
    return (header as Record<string, Readonly<Record<string, string>>>)[METADATA] ?? {};
  } catch {
    return {};
  }
}

/** The same tensors with more metadata. */
function withMetadata(bytes: Uint8Array, added: Readonly<Record<string, string>>): Uint8Array {
  const { header, dataStart } = parseHeader(bytes, 'weights');
  const { [METADATA]: metadata = {}, ...tensors } = header as Record<string, Readonly<Record<string, unknown>>>;
  const text = new TextEncoder().encode(JSON.stringify({ [METADATA]: { ...metadata, ...added }, ...tensors }));
  // Values stay aligned to 8 bytes.
  const start = 8 + Math.ceil(text.length / 8) * 8;
  const found = new Uint8Array(start + bytes.length - dataStart).fill(0x20, 8, start);
  new DataView(found.buffer).setBigUint64(0, BigInt(start - 8), true);
  found.set(text, 8);
  found.set(bytes.subarray(dataStart), start);
  return found;
}

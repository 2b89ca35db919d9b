/**
 * Functions and classes of the user that a model was made with. JSON holds their names alone,
 * `{ custom: 'focalOfMine' }`; whoever reads it hands them in again:
 * `loadModel(folder, { customObjects: { focalOfMine } })`.
 *
 * Invariant: a model's JSON is read in one go, without waiting, so the objects in scope are those of its reader.
 */

import { DownhillError } from '../util/errors.ts';
import { show } from '../util/show.ts';

/**
 * Losses, metrics, layers, activations and whatever else is of the user's making, by the names that JSON gives them.
 */
export type CustomObjects = Readonly<Record<string, unknown>>;

/** How JSON holds something of the user: by its name. */
export interface CustomJson {
  readonly custom: string;
  /** Of a loss or a metric; values when left out. */
  readonly targets?: 'classes';
}

let scope: CustomObjects = {};

/** Runs `work`, in which names mean `objects`. @throws DownhillError `argument` for what is not a record. */
export function withCustomObjects<T>(objects: CustomObjects | undefined, work: () => T): T {
  if (objects === undefined) return work();
  if (typeof objects !== 'object' || objects === null || Array.isArray(objects)) {
    const example = '{ myLoss: (yTrue, yPred) => … }';
    throw new DownhillError('argument', `customObjects: expected a record such as ${example}, found ${show(objects)}`);
  }
  const outer = scope;
  scope = { ...outer, ...objects };
  try {
    return work();
  } finally {
    scope = outer;
  }
}

/** What the reader handed in under `name`; undefined when there is nothing. */
export function customObject(name: unknown): unknown {
  return typeof name === 'string' && Object.hasOwn(scope, name) ? scope[name] : undefined;
}

/** True for the JSON of something that is not among ours. */
export function isCustomJson(value: unknown): value is CustomJson {
  return typeof value === 'object' && value !== null && 'custom' in value && typeof value.custom === 'string';
}

/** The name of `value` in JSON; functions take theirs from where they were written down. */
export function customName(value: unknown, fallback: string): string {
  const { name } = value as { readonly name?: unknown };
  return typeof name === 'string' && name !== '' ? name : fallback;
}

/** The error for a name that nobody handed in. @param kind such as `activation`. */
export function missingObject(owner: string, kind: string, name: string): DownhillError {
  const fix = `load the model with customObjects: { ${JSON.stringify(name)}: … }`;
  return new DownhillError('argument', `${owner}: its ${kind} "${name}" is not part of the file; ${fix}`);
}

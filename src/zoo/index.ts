/**
 * The models of the zoo by the names that the command line takes.
 */

import type { Sequential } from '../train/sequential.ts';
import { unknownName } from '../util/errors.ts';
import type { ClassifierOptions } from './classifier.ts';
import { lenet5 } from './lenet.ts';
import { mlp, softmaxRegression } from './mlp.ts';

export const zoo = {
  lenet: lenet5,
  mlp,
  softmax: softmaxRegression,
} as const satisfies Record<string, (options?: ClassifierOptions) => Sequential>;

export type ZooName = keyof typeof zoo;

/** A model of the zoo, not yet compiled. @throws DownhillError `argument` for an unknown name, with the nearest one. */
export function zooModel(name: string, options: ClassifierOptions = {}): Sequential {
  if (!Object.hasOwn(zoo, name)) throw unknownName('model', name, Object.keys(zoo));
  return zoo[name as ZooName](options);
}

export type { ClassifierOptions };
export { lenet5, mlp, softmaxRegression };

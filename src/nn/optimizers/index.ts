/**
 * The optimizers by name, and the one place that turns a name or saved JSON into an optimizer.
 */

import { unknownName } from '../../util/errors.ts';
import { customObject } from '../custom-objects.ts';
import { adadelta } from './adadelta.ts';
import { adagrad } from './adagrad.ts';
import { adam, adamW } from './adam.ts';
import { adamax } from './adamax.ts';
import { lion } from './lion.ts';
import { muon } from './muon.ts';
import { nadam } from './nadam.ts';
import { Optimizer } from './optimizer.ts';
import { rmsprop } from './rmsprop.ts';
import { sgd } from './sgd.ts';

export const optimizers = { sgd, adagrad, adadelta, rmsprop, adam, adamW, adamax, nadam, lion, muon };

export type OptimizerName = keyof typeof optimizers;

/** An optimizer, or the name of one with its default options. */
export type OptimizerLike = OptimizerName | Optimizer;

/** @throws DownhillError `argument` for an unknown name, with the nearest one. */
export function resolveOptimizer(value: unknown, config: object = {}): Optimizer {
  if (value instanceof Optimizer) return value;
  const own = customObject(value);
  if (typeof own === 'function') {
    const made = own.prototype instanceof Optimizer ? Reflect.construct(own, [config]) : own(config);
    if (made instanceof Optimizer) return made;
  }
  if (typeof value !== 'string' || !Object.hasOwn(optimizers, value)) {
    throw unknownName('optimizer', value, Object.keys(optimizers));
  }
  return optimizers[value as OptimizerName](config);
}

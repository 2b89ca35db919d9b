/**
 * Options that every classifier of the zoo takes.
 */

import { checkKnownOptions, wholeNumber } from '../nn/check-options.ts';
import type { Shape } from '../util/shape.ts';

export interface ClassifierOptions {
  /** Shape of one image; [28, 28, 1] when left out. */
  readonly inputShape?: Shape;
  /** Count of classes; 10 when left out. */
  readonly classes?: number;
  /** Seeds the initial weights; 0 when left out. */
  readonly seed?: number;
}

/** The options with their defaults. @throws DownhillError `argument` for one that is not accepted. */
export function classifier(owner: string, options: ClassifierOptions): Required<ClassifierOptions> {
  checkKnownOptions(owner, options, ['inputShape', 'classes', 'seed']);
  const { inputShape = [28, 28, 1], classes = 10, seed = 0 } = options;
  return { inputShape, classes: wholeNumber(owner, 'classes', classes, 2), seed };
}

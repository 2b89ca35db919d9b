/**
 * One dense layer; what it predicts depends on the activation after the product. All models have one weight per input
 * value and output, and one bias per output.
 *
 * Sources: Rosenblatt, "The perceptron", Psychological Review 1958; Cox, "The regression analysis of binary sequences",
 * J. R. Stat. Soc. B 1958.
 */

import type { ActivationName } from '../nn/activations.ts';
import { checkKnownOptions, wholeNumber } from '../nn/check-options.ts';
import { layers } from '../nn/layers/index.ts';
import type { Sequential } from '../train/model/sequential.ts';
import { sequential } from '../train/model/stack.ts';
import type { Shape } from '../util/shape.ts';
import { type ClassifierOptions, classifier, type ZooOptions } from './options.ts';

export interface LinearRegressionOptions extends ZooOptions {
  /** Count of predicted numbers; 1 when left out. */
  readonly outputs?: number;
}

/**
 * Rosenblatt's perceptron: a score w·x + b, whose sign is the prediction. Train it with `hinge`: with batches of one
 * example and SGD, that is Rosenblatt's rule with a margin, w += rate · y · x for an example on the wrong side of the
 * margin and nothing for the others. The step function has no gradient, so it is not part of the model: a score above 0
 * means the second class, as `metrics.binaryAccuracy({ threshold: 0 })` counts. Three parameters on points in the
 * plane, the default. Not yet compiled.
 */
export function perceptron(options: ZooOptions = {}): Sequential {
  checkKnownOptions('perceptron', options, ['inputShape', 'seed']);
  return oneLayer('perceptron', options, [2], 1, 'linear');
}

/**
 * Least squares: predictions w·x + b. Train it with `meanSquaredError`. Nine parameters on the eight features of
 * California housing, the default. Not yet compiled.
 */
export function linearRegression(options: LinearRegressionOptions = {}): Sequential {
  checkKnownOptions('linearRegression', options, ['inputShape', 'seed', 'outputs']);
  const units = wholeNumber('linearRegression', 'outputs', options.outputs ?? 1);
  return oneLayer('linear_regression', options, [8], units, 'linear');
}

/**
 * Probability of the second class: sigmoid(w·x + b). Train it with `binaryCrossentropy`. 31 parameters on the thirty
 * features of the breast cancer data, the default. Not yet compiled.
 */
export function logisticRegression(options: ZooOptions = {}): Sequential {
  checkKnownOptions('logisticRegression', options, ['inputShape', 'seed']);
  return oneLayer('logistic_regression', options, [30], 1, 'sigmoid');
}

/** One dense layer with a softmax: 7,850 parameters on 28×28 grey images and ten classes. Not yet compiled. */
export function softmaxRegression(options: ClassifierOptions = {}): Sequential {
  const { inputShape, classes, seed, head } = classifier('softmaxRegression', options);
  return oneLayer('softmax_regression', { inputShape, seed }, inputShape, classes, head);
}

function oneLayer(
  name: string,
  { inputShape, seed = 0 }: ZooOptions,
  published: Shape,
  units: number,
  activation: ActivationName,
): Sequential {
  const shape = inputShape ?? published;
  return sequential([...(shape.length === 1 ? [] : [layers.flatten()]), layers.dense({ units, activation })], {
    name,
    inputShape: shape,
    seed,
  });
}

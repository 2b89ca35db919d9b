/**
 * Fully connected classifiers: the 784–512–128–10 perceptron, and softmax regression, which is linear in the pixels.
 */

import { dense } from '../nn/layers/dense.ts';
import { flatten } from '../nn/layers/flatten.ts';
import { Sequential } from '../train/sequential.ts';
import { type ClassifierOptions, classifier } from './classifier.ts';

/** Two hidden layers of 512 and 128 relus: 468,874 parameters on 28×28 grey images and ten classes. Not yet compiled. */
export function mlp(options: ClassifierOptions = {}): Sequential {
  const { inputShape, classes, seed } = classifier('mlp', options);
  return new Sequential(
    [
      flatten(),
      dense({ units: 512, activation: 'relu' }),
      dense({ units: 128, activation: 'relu' }),
      dense({ units: classes, activation: 'softmax' }),
    ],
    { name: 'mlp', inputShape, seed },
  );
}

/** One dense layer with a softmax: 7,850 parameters on 28×28 grey images and ten classes. Not yet compiled. */
export function softmaxRegression(options: ClassifierOptions = {}): Sequential {
  const { inputShape, classes, seed } = classifier('softmaxRegression', options);
  return new Sequential([flatten(), dense({ units: classes, activation: 'softmax' })], {
    name: 'softmax_regression',
    inputShape,
    seed,
  });
}

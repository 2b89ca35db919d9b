/**
 * LeNet-5, as it is trained today: relu and max pooling in place of tanh and trainable averages, every map connected,
 * a softmax at the end. 61,706 parameters on 28×28 grey images and ten classes.
 * Source: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", Proc. IEEE 1998.
 *
 * The softmax is the last layer's activation, so that `predict` gives probabilities; the losses see through it and
 * compute the cross-entropy from the logits in one fused op.
 */

import { layers } from '../nn/layers/index.ts';
import type { Sequential } from '../train/model/sequential.ts';
import { sequential } from '../train/model/stack.ts';
import { type ClassifierOptions, classifier } from './options.ts';

/** LeNet-5 for images of at least 12×12 pixels; [28, 28, 1] and ten classes when left out. Not yet compiled. */
export function lenet5(options: ClassifierOptions = {}): Sequential {
  const { inputShape, classes, seed, head } = classifier('lenet5', options);
  return sequential(
    [
      layers.conv2d({ filters: 6, kernelSize: 5, padding: 'same', activation: 'relu' }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.conv2d({ filters: 16, kernelSize: 5, activation: 'relu' }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: 120, activation: 'relu' }),
      layers.dense({ units: 84, activation: 'relu' }),
      layers.dense({ units: classes, activation: head }),
    ],
    { name: 'lenet5', inputShape, seed },
  );
}

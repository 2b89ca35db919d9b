/**
 * TensorFlow.js, WebGPU backend: the step as its users write it, `optimizer.minimize` over a function of variables,
 * with batches resident on the device. Layout NHWC, as its layers have it; `tf.tidy` keeps the step's memory. Free of
 * Node.
 */

import { ADAM, CLASSES, MOMENTUM, WORKLOADS } from '../core/workloads.ts';
import { trained } from './trained.mjs';

/** @param tf the module, with its WebGPU backend set and ready. */
export function tfjsEngine(tf, version) {
  /**
   * As a layer in training: statistics of the batch, through which the gradient goes. Epsilon is downhill's and Keras'.
   */
  const batchNorm = (x, gamma, beta) => {
    const { mean, variance } = tf.moments(x, [0, 1, 2]);
    return tf.batchNorm(x, mean, variance, beta, gamma, 1e-3);
  };

  /** One weight after the other, in the order of the layers. */
  const forwards = {
    lenet(x, [k1, b1, k2, b2, w3, b3, w4, b4, w5, b5]) {
      const c1 = tf.maxPool(tf.relu(tf.add(tf.conv2d(x, k1, 1, 'same'), b1)), 2, 2, 'valid');
      const c2 = tf.maxPool(tf.relu(tf.add(tf.conv2d(c1, k2, 1, 'valid'), b2)), 2, 2, 'valid');
      const flat = tf.reshape(c2, [c2.shape[0], -1]);
      const d3 = tf.relu(tf.add(tf.matMul(flat, w3), b3));
      const d4 = tf.relu(tf.add(tf.matMul(d3, w4), b4));
      return tf.add(tf.matMul(d4, w5), b5);
    },
    mlp(x, [w1, b1, w2, b2, w3, b3]) {
      const flat = tf.reshape(x, [x.shape[0], -1]);
      const d1 = tf.relu(tf.add(tf.matMul(flat, w1), b1));
      const d2 = tf.relu(tf.add(tf.matMul(d1, w2), b2));
      return tf.add(tf.matMul(d2, w3), b3);
    },
    vgg(x, weights) {
      let y = x;
      for (let block = 0; block < 3; block++) {
        for (let k = 0; k < 2; k++) {
          const [kernel, bias, gamma, beta] = weights.slice(4 * (2 * block + k));
          y = tf.relu(batchNorm(tf.add(tf.conv2d(y, kernel, 1, 'same'), bias), gamma, beta));
        }
        y = tf.maxPool(y, 2, 2, 'valid');
      }
      const [w, b] = weights.slice(-2);
      return tf.add(tf.matMul(tf.reshape(y, [y.shape[0], -1]), w), b);
    },
  };

  const batches = [];
  let variables;
  let forward;
  let optimizer;

  return {
    name: 'TensorFlow.js webgpu',
    version,
    async prepare({ name, batch, batches: count, x, y, weights }) {
      forward = forwards[name];
      optimizer =
        WORKLOADS[name].optimizer === 'adam'
          ? tf.train.adam(ADAM.learningRate, ADAM.beta1, ADAM.beta2, ADAM.epsilon)
          : tf.train.momentum(MOMENTUM.learningRate, MOMENTUM.momentum);
      variables = trained(weights).map(({ data, shape }) => tf.variable(tf.tensor(data, shape)));
      for (let k = 0; k < count; k++) {
        const shape = [batch, ...WORKLOADS[name].inputShape];
        const size = shape.reduce((product, n) => product * n);
        const images = tf.tensor4d(x.slice(k * size, (k + 1) * size), shape);
        const labels = tf.cast(
          tf.oneHot(tf.tensor1d(y.slice(k * batch, (k + 1) * batch), 'int32'), CLASSES),
          'float32',
        );
        await labels.data();
        batches.push({ images, labels });
      }
    },
    async step(k) {
      const { images, labels } = batches[k];
      const loss = optimizer.minimize(
        () => tf.losses.softmaxCrossEntropy(labels, forward(images, variables)),
        true,
        variables,
      );
      const [value] = await loss.data();
      loss.dispose();
      return value;
    },
    dispose() {},
  };
}

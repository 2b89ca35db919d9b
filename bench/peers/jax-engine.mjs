/**
 * jax-js: the whole step (forward, backward, update) in one `jit`, which is its fastest way, with batches resident on
 * the device. Layout NCHW and OIHW, the only one its convolution takes; weights are rearranged once, before the clock
 * starts. Free of Node.
 */

import { ADAM, CLASSES, MOMENTUM, WORKLOADS } from '../core/workloads.ts';
import { permute } from './permute.mjs';
import { trained } from './trained.mjs';

/** @param jax the module, with WebGPU as its default device. */
export function jaxEngine(jax, version) {
  const { numpy: np, nn, lax, jit, valueAndGrad } = jax;

  const pool = (x) => {
    const [n, c, h, w] = x.shape;
    return np.max(np.reshape(x, [n, c, h / 2, 2, w / 2, 2]), [3, 5]);
  };
  const bias = (b) => np.reshape(b, [1, -1, 1, 1]);
  /**
   * As a layer in training: statistics of the batch, through which the gradient goes. Epsilon is downhill's and Keras'.
   */
  const batchNorm = (x, gamma, beta) => {
    const mean = np.mean(x.ref, [0, 2, 3], { keepdims: true });
    const centred = x.sub(mean);
    const variance = np.mean(np.square(centred.ref), [0, 2, 3], { keepdims: true });
    const scale = np.reciprocal(np.sqrt(variance.add(1e-3)));
    return np.add(centred.mul(scale.mul(bias(gamma))), bias(beta));
  };
  const forwards = {
    lenet([k1, b1, k2, b2, w3, b3, w4, b4, w5, b5], x) {
      const c1 = pool(nn.relu(np.add(lax.convGeneralDilated(x, k1, [1, 1], 'SAME'), bias(b1))));
      const c2 = pool(nn.relu(np.add(lax.convGeneralDilated(c1, k2, [1, 1], 'VALID'), bias(b2))));
      const flat = np.reshape(c2, [workload.batch, -1]);
      const d3 = nn.relu(np.add(np.matmul(flat, w3), b3));
      const d4 = nn.relu(np.add(np.matmul(d3, w4), b4));
      return np.add(np.matmul(d4, w5), b5);
    },
    mlp([w1, b1, w2, b2, w3, b3], x) {
      const flat = np.reshape(x, [workload.batch, -1]);
      const d1 = nn.relu(np.add(np.matmul(flat, w1), b1));
      const d2 = nn.relu(np.add(np.matmul(d1, w2), b2));
      return np.add(np.matmul(d2, w3), b3);
    },
    vgg(weights, x) {
      let y = x;
      for (let block = 0; block < 3; block++) {
        for (let k = 0; k < 2; k++) {
          const [kernel, b, gamma, beta] = weights.slice(4 * (2 * block + k));
          const z = np.add(lax.convGeneralDilated(y, kernel, [1, 1], 'SAME'), bias(b));
          y = nn.relu(batchNorm(z, gamma, beta));
        }
        y = pool(y);
      }
      const [w, b] = weights.slice(-2);
      return np.add(np.matmul(np.reshape(y, [workload.batch, -1]), w), b);
    },
  };
  let workload;
  const lossOf = (parameters, x, labels) =>
    np.mean(np.negative(np.sum(nn.logSoftmax(forwards[workload.name](parameters, x), -1).mul(labels), -1)));

  const { beta1, beta2, epsilon } = ADAM;
  const gradientsOf = (parameters, x, labels) =>
    valueAndGrad(lossOf)(
      parameters.map((p) => p.ref),
      x,
      labels,
    );
  const adam = jit((parameters, m, v, x, labels, rate) => {
    const [loss, gradients] = gradientsOf(parameters, x, labels);
    const next = { parameters: [], m: [], v: [] };
    parameters.forEach((p, k) => {
      const first = m[k].mul(beta1).add(gradients[k].ref.mul(1 - beta1));
      const second = v[k].mul(beta2).add(np.square(gradients[k]).mul(1 - beta2));
      const update = first.ref.mul(rate.ref).div(np.sqrt(second.ref).add(epsilon));
      next.parameters.push(p.sub(update));
      next.m.push(first);
      next.v.push(second);
    });
    rate.dispose();
    return [loss, next.parameters, next.m, next.v];
  });
  const momentum = jit((parameters, velocities, x, labels) => {
    const [loss, gradients] = gradientsOf(parameters, x, labels);
    const next = { parameters: [], velocities: [] };
    parameters.forEach((p, k) => {
      const v = velocities[k].mul(MOMENTUM.momentum).sub(gradients[k].mul(MOMENTUM.learningRate));
      next.parameters.push(p.add(v.ref));
      next.velocities.push(v);
    });
    return [loss, next.parameters, next.velocities];
  });

  const device = (data, shape) => np.array(data, { shape, dtype: np.float32 });
  const batches = [];
  let parameters;
  /** Of the optimizer, each with an array for every parameter. */
  let slots;

  return {
    name: 'jax-js jitted',
    version,
    async prepare(given) {
      workload = given;
      const { name, batch, batches: count, x, y, weights } = given;
      const arranged = rearrange(trained(weights));
      const zeros = () => arranged.map(({ data, shape }) => device(new Float32Array(data.length), shape));
      slots = WORKLOADS[name].optimizer === 'adam' ? [zeros(), zeros()] : [zeros()];
      parameters = arranged.map(({ data, shape }) => device(data, shape));
      const [height, width, channels] = WORKLOADS[name].inputShape;
      for (let k = 0; k < count; k++) {
        const size = batch * height * width * channels;
        const pixels = x.slice(k * size, (k + 1) * size);
        const labels = new Float32Array(batch * CLASSES);
        for (let row = 0; row < batch; row++) labels[row * CLASSES + y[k * batch + row]] = 1;
        batches.push({
          images: device(permute(pixels, [batch, height, width, channels], [0, 3, 1, 2]), [
            batch,
            channels,
            height,
            width,
          ]),
          labels: device(labels, [batch, CLASSES]),
        });
      }
      await jax.blockUntilReady([parameters, slots, batches.map((b) => [b.images, b.labels])]);
    },
    async step(k, t) {
      const { images, labels } = batches[k];
      let result;
      if (slots.length === 2) {
        const rate = (ADAM.learningRate * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t);
        result = adam(parameters, slots[0], slots[1], images.ref, labels.ref, np.array(rate));
      } else {
        result = momentum(parameters, slots[0], images.ref, labels.ref);
      }
      parameters = result[1];
      slots = result.slice(2);
      const [value] = await result[0].data();
      return value;
    },
    dispose() {},
  };
}

/** HWIO → OIHW, and the rows of the first dense kernel from (H, W, C) to (C, H, W), the order of the flattened maps. */
function rearrange(weights) {
  let channels = 1;
  return weights.map(({ data, shape }) => {
    if (shape.length === 4) {
      channels = shape[3];
      return { data: permute(data, shape, [3, 2, 0, 1]), shape: [3, 2, 0, 1].map((axis) => shape[axis]) };
    }
    if (shape.length === 2 && channels > 1) {
      const side = Math.sqrt(shape[0] / channels);
      const moved = permute(data, [side, side, channels, shape[1]], [2, 0, 1, 3]);
      channels = 1;
      return { data: moved, shape };
    }
    return { data: Float32Array.from(data), shape };
  });
}

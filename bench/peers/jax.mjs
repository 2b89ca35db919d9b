/**
 * jax-js: the whole step (forward, backward, Adam) in one `jit`, which is its fastest way, with batches resident on the
 * device. Layout NCHW and OIHW, the only one its convolution takes; weights are rearranged once, before the clock starts.
 */

import { runPeer, versionOf } from './run-peer.mjs';

await runPeer(async (workload) => {
  const jax = await import('@jax-js/jax');
  const { ADAM, CLASSES, SIDE } = await import('../core/workloads.ts');
  const { numpy: np, nn, lax, jit, valueAndGrad } = jax;
  await jax.init('webgpu');
  jax.defaultDevice('webgpu');

  const pool = (x) => {
    const [n, c, h, w] = x.shape;
    return np.max(np.reshape(x, [n, c, h / 2, 2, w / 2, 2]), [3, 5]);
  };
  const bias = (b) => np.reshape(b, [1, -1, 1, 1]);
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
  };
  const forward = forwards[workload.name];
  const lossOf = (parameters, x, labels) =>
    np.mean(np.negative(np.sum(nn.logSoftmax(forward(parameters, x), -1).mul(labels), -1)));

  const { beta1, beta2, epsilon } = ADAM;
  const train = jit((parameters, m, v, x, labels, rate) => {
    const [loss, gradients] = valueAndGrad(lossOf)(
      parameters.map((p) => p.ref),
      x,
      labels,
    );
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

  const device = (data, shape) => np.array(data, { shape, dtype: np.float32 });
  const batches = [];
  let state;

  return {
    name: 'jax-js jitted',
    version: versionOf('@jax-js/jax'),
    async prepare({ batch, batches: count, x, y, weights }) {
      const arranged = rearrange(weights);
      const zeros = () => arranged.map(({ data, shape }) => device(new Float32Array(data.length), shape));
      state = { parameters: arranged.map(({ data, shape }) => device(data, shape)), m: zeros(), v: zeros() };
      for (let k = 0; k < count; k++) {
        const size = batch * SIDE * SIDE;
        const labels = new Float32Array(batch * CLASSES);
        for (let row = 0; row < batch; row++) labels[row * CLASSES + y[k * batch + row]] = 1;
        batches.push({
          images: device(x.slice(k * size, (k + 1) * size), [batch, 1, SIDE, SIDE]),
          labels: device(labels, [batch, CLASSES]),
        });
      }
      await jax.blockUntilReady([state.parameters, state.m, state.v, batches.map((b) => [b.images, b.labels])]);
    },
    async step(k, t) {
      const rate = (ADAM.learningRate * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t);
      const { images, labels } = batches[k];
      const { parameters, m, v } = state;
      const result = train(parameters, m, v, images.ref, labels.ref, np.array(rate));
      state = { parameters: result[1], m: result[2], v: result[3] };
      const [value] = await result[0].data();
      return value;
    },
    dispose() {},
  };
});

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

/** `data` of `shape` with its axes in the order `axes`. */
function permute(data, shape, axes) {
  const strides = shape.map((_, k) => shape.slice(k + 1).reduce((product, n) => product * n, 1));
  const sizes = axes.map((axis) => shape[axis]);
  return Float32Array.from({ length: data.length }, (_, index) => {
    let rest = index;
    let from = 0;
    for (let k = axes.length - 1; k >= 0; k--) {
      from += (rest % sizes[k]) * strides[axes[k]];
      rest = Math.floor(rest / sizes[k]);
    }
    return data[from];
  });
}

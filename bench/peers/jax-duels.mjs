/**
 * jax-js as a Duellist: each op in a `jit`. Layout NCHW and OIHW, the only one its convolution takes; inputs are
 * rearranged before the clock starts, results after it. A gradient is the `vjp` of the convolution; `jit` drops the
 * forward pass, whose value nobody uses. Free of Node.
 */

import { permute } from './permute.mjs';

/** Axes of images and kernels, there and back. */
const TO_NCHW = [0, 3, 1, 2];
const TO_NHWC = [0, 2, 3, 1];
const TO_OIHW = [3, 2, 0, 1];
const TO_HWIO = [2, 3, 1, 0];

/** @param jax the module, with WebGPU as its default device. */
export function jaxDuellist(jax, version) {
  const { numpy: np, lax, jit, vjp } = jax;
  const convolve = (x, kernel) => lax.convGeneralDilated(x, kernel, [1, 1], 'SAME');
  /** The gradient of the linear function `f` of an array of `shape`, for `dy`. */
  const pullBack = (f, shape, dy) => {
    const [y, pull] = vjp(f, [np.zeros(shape)]);
    y.dispose();
    const [gradient] = pull(dy);
    pull.dispose();
    return gradient;
  };
  const toNchw = { axes: TO_NCHW, back: TO_NHWC };
  const toOihw = { axes: TO_OIHW, back: TO_HWIO };
  /** Of each duel: the layouts of inputs and output, and the op; `shape` is the output's, arranged. */
  const ops = {
    matmul: { op: () => (a, b) => np.matmul(a, b), inputs: [] },
    conv2d: { op: () => convolve, inputs: [toNchw, toOihw], output: toNchw },
    conv2dInputGrad: {
      op: (shape) => (dy, kernel) => pullBack((x) => convolve(x, kernel), shape, dy),
      inputs: [toNchw, toOihw],
      output: toNchw,
    },
    conv2dWeightGrad: {
      op: (shape) => (x, dy) => pullBack((kernel) => convolve(x, kernel), shape, dy),
      inputs: [toNchw, toNchw],
      output: toOihw,
    },
  };
  const device = jax.getWebGPUDevice();
  return {
    name: 'jax-js jitted',
    version,
    async prepare(duel, values) {
      const { op, inputs: layouts, output } = ops[duel.name];
      const inputs = values.map((data, k) => {
        const shape = duel.inputs[k];
        const axes = layouts[k]?.axes ?? shape.map((_, axis) => axis);
        return np.array(permute(data, shape, axes), { shape: axes.map((axis) => shape[axis]), dtype: np.float32 });
      });
      await jax.blockUntilReady(inputs);
      const arranged = output?.axes.map((axis) => duel.output[axis]) ?? duel.output;
      const f = jit(op(arranged));
      let y;
      return {
        async run() {
          y?.dispose();
          y = f(...inputs.map((input) => input.ref));
          // Compiles and submits what is pending; the buffer itself is not needed.
          await y.ref.gpuBuffer();
          await device.queue.onSubmittedWorkDone();
        },
        async result() {
          const data = await y.ref.data();
          return output ? permute(data, arranged, output.back) : data;
        },
        dispose() {
          for (const array of [...inputs, y]) array.dispose();
        },
      };
    },
  };
}

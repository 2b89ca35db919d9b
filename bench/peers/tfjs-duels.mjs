/**
 * TensorFlow.js, WebGPU backend, as a Duellist: layout NHWC. The gradients are the kernels that the gradient of
 * `tf.conv2d` runs (tfjs-core, gradients/Conv2D_grad), called directly, so that no forward pass is timed with them.
 * Free of Node.
 */

/** @param tf the module, with its WebGPU backend set and ready. */
export function tfjsDuellist(tf, version) {
  const convolution = { strides: [1, 1], pad: 'same', dataFormat: 'NHWC' };
  const ops = {
    matmul: ([a, b]) => tf.matMul(a, b),
    conv2d: ([x, kernel]) => tf.conv2d(x, kernel, 1, 'same'),
    conv2dInputGrad: ([dy, filter], { output }) =>
      tf.engine().runKernel('Conv2DBackpropInput', { dy, filter }, { ...convolution, inputShape: output }),
    conv2dWeightGrad: ([x, dy], { output }) =>
      tf.engine().runKernel('Conv2DBackpropFilter', { x, dy }, { ...convolution, filterShape: output }),
  };
  const backend = tf.backend();
  /** Sends what the backend still gathers, as it does before it reads, and waits for the device. */
  const finish = async () => {
    backend.endComputePassEncoder();
    if (backend.commandEncoder) backend.submitQueue();
    await backend.queue.onSubmittedWorkDone();
  };
  return {
    name: 'TensorFlow.js webgpu',
    version,
    async prepare(duel, values) {
      const inputs = values.map((data, k) => tf.tensor(data, duel.inputs[k]));
      // Without this, the first kernel that reads them would bring them to the device.
      for (const { dataId } of inputs) backend.uploadToGPU(dataId);
      await finish();
      let y;
      return {
        async run() {
          y?.dispose();
          y = ops[duel.name](inputs, duel);
          await finish();
        },
        result: () => y.data(),
        dispose() {
          for (const tensor of [...inputs, y]) tensor.dispose();
        },
      };
    },
  };
}

/**
 * Factory functions of the layers that downhill brings, under Keras' names: the namespace `layers`. It is a module, not
 * an object, so that a bundler leaves out the layers that a page does not use.
 */

export { capsule } from './capsule/capsule.ts';
export { capsuleLength, capsuleMask } from './capsule/capsule-output.ts';
export { primaryCapsules } from './capsule/primary-capsules.ts';
export { conv1d } from './convolution/conv-1d.ts';
export { conv2d } from './convolution/conv-2d.ts';
export { conv2dTranspose } from './convolution/conv-2d-transpose.ts';
export { conv3d } from './convolution/conv-3d.ts';
export { depthwiseConv2d } from './convolution/depthwise-conv-2d.ts';
export { separableConv2d } from './convolution/separable-conv-2d.ts';
export { activation } from './core/activation.ts';
export { dense } from './core/dense.ts';
export { elu } from './core/elu.ts';
export { input } from './core/input.ts';
export { lambda } from './core/lambda.ts';
export { leakyRelu } from './core/leaky-relu.ts';
export { prelu } from './core/prelu.ts';
export { relu } from './core/relu.ts';
export { softmax } from './core/softmax.ts';
export { concatenate } from './merging/concatenate.ts';
export { dot } from './merging/dot.ts';
export { add, average, maximum, minimum, multiply, subtract } from './merging/elementwise-merge.ts';
export { batchNormalization } from './normalization/batch-normalization.ts';
export { groupNormalization } from './normalization/group-normalization.ts';
export { layerNormalization } from './normalization/layer-normalization.ts';
export { normalization } from './normalization/normalization.ts';
export { averagePooling2d, averagePooling2d as averagePool2d } from './pooling/average-pooling-2d.ts';
export {
  globalAveragePooling1d,
  globalAveragePooling2d,
  globalMaxPooling1d,
  globalMaxPooling2d,
} from './pooling/global-pooling.ts';
export { maxPooling2d, maxPooling2d as maxPool2d } from './pooling/max-pooling-2d.ts';
export { averagePooling1d, maxPooling1d } from './pooling/pooling-1d.ts';
export { randomBrightness } from './preprocessing/random-brightness.ts';
export { randomContrast } from './preprocessing/random-contrast.ts';
export { randomCrop } from './preprocessing/random-crop.ts';
export { randomFlip } from './preprocessing/random-flip.ts';
export { randomRotation } from './preprocessing/random-rotation.ts';
export { randomTranslation } from './preprocessing/random-translation.ts';
export { randomZoom } from './preprocessing/random-zoom.ts';
export { rescaling } from './preprocessing/rescaling.ts';
export { activityRegularization } from './regularization/activity-regularization.ts';
export { alphaDropout } from './regularization/alpha-dropout.ts';
export { dropout } from './regularization/dropout.ts';
export { gaussianDropout } from './regularization/gaussian-dropout.ts';
export { gaussianNoise } from './regularization/gaussian-noise.ts';
export { spatialDropout1d } from './regularization/spatial-dropout-1d.ts';
export { spatialDropout2d } from './regularization/spatial-dropout-2d.ts';
export { cropping1d } from './reshaping/cropping-1d.ts';
export { cropping2d } from './reshaping/cropping-2d.ts';
export { flatten } from './reshaping/flatten.ts';
export { permute } from './reshaping/permute.ts';
export { repeatVector } from './reshaping/repeat-vector.ts';
export { reshape } from './reshaping/reshape.ts';
export { upSampling2d } from './reshaping/up-sampling-2d.ts';
export { zeroPadding1d } from './reshaping/zero-padding-1d.ts';
export { zeroPadding2d } from './reshaping/zero-padding-2d.ts';
export { sampling } from './sampling.ts';

/**
 * Factory functions of the layers that downhill brings, under Keras' names: the namespace `layers`. It is a module, not
 * an object, so that a bundler leaves out the layers that a page does not use.
 */

export { activation } from './activation.ts';
export { activityRegularization } from './activity-regularization.ts';
export { alphaDropout } from './alpha-dropout.ts';
export { averagePooling2d, averagePooling2d as averagePool2d } from './average-pooling-2d.ts';
export { batchNormalization } from './batch-normalization.ts';
export { capsule } from './capsule.ts';
export { capsuleLength, capsuleMask } from './capsule-output.ts';
export { concatenate } from './concatenate.ts';
export { conv1d } from './conv-1d.ts';
export { conv2d } from './conv-2d.ts';
export { conv2dTranspose } from './conv-2d-transpose.ts';
export { conv3d } from './conv-3d.ts';
export { cropping1d } from './cropping-1d.ts';
export { cropping2d } from './cropping-2d.ts';
export { dense } from './dense.ts';
export { depthwiseConv2d } from './depthwise-conv-2d.ts';
export { dot } from './dot.ts';
export { dropout } from './dropout.ts';
export { add, average, maximum, minimum, multiply, subtract } from './elementwise-merge.ts';
export { elu } from './elu.ts';
export { flatten } from './flatten.ts';
export { gaussianDropout } from './gaussian-dropout.ts';
export { gaussianNoise } from './gaussian-noise.ts';
export {
  globalAveragePooling1d,
  globalAveragePooling2d,
  globalMaxPooling1d,
  globalMaxPooling2d,
} from './global-pooling.ts';
export { groupNormalization } from './group-normalization.ts';
export { input } from './input.ts';
export { lambda } from './lambda.ts';
export { layerNormalization } from './layer-normalization.ts';
export { leakyRelu } from './leaky-relu.ts';
export { maxPooling2d, maxPooling2d as maxPool2d } from './max-pooling-2d.ts';
export { normalization } from './normalization.ts';
export { permute } from './permute.ts';
export { averagePooling1d, maxPooling1d } from './pooling-1d.ts';
export { prelu } from './prelu.ts';
export { primaryCapsules } from './primary-capsules.ts';
export { randomBrightness } from './random-brightness.ts';
export { randomContrast } from './random-contrast.ts';
export { randomCrop } from './random-crop.ts';
export { randomFlip } from './random-flip.ts';
export { randomRotation } from './random-rotation.ts';
export { randomTranslation } from './random-translation.ts';
export { randomZoom } from './random-zoom.ts';
export { relu } from './relu.ts';
export { repeatVector } from './repeat-vector.ts';
export { rescaling } from './rescaling.ts';
export { reshape } from './reshape.ts';
export { sampling } from './sampling.ts';
export { separableConv2d } from './separable-conv-2d.ts';
export { softmax } from './softmax.ts';
export { spatialDropout1d } from './spatial-dropout-1d.ts';
export { spatialDropout2d } from './spatial-dropout-2d.ts';
export { upSampling2d } from './up-sampling-2d.ts';
export { zeroPadding1d } from './zero-padding-1d.ts';
export { zeroPadding2d } from './zero-padding-2d.ts';

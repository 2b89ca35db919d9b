/**
 * The layers that downhill brings: classes by name, for JSON, and factory functions, for people
 * (`layers.dense({ units: 10 })`), and their test cases. A new layer is its own file and a line in each list here.
 */

import { type Layer, type LayerClass, type LayerConfig, layerFromConfig } from '../layer.ts';
import type { LayerCase } from '../layer-case.ts';
import { Activation, activation, activationCases } from './activation.ts';
import {
  ActivityRegularization,
  activityRegularization,
  activityRegularizationCases,
} from './activity-regularization.ts';
import { AlphaDropout, alphaDropout, alphaDropoutCases } from './alpha-dropout.ts';
import { AveragePooling2D, averagePooling2d, averagePooling2dCases } from './average-pooling-2d.ts';
import { BatchNormalization, batchNormalization, batchNormalizationCases } from './batch-normalization.ts';
import { Capsule, capsule, capsuleCases } from './capsule.ts';
import { CapsuleLength, CapsuleMask, capsuleLength, capsuleMask, capsuleOutputCases } from './capsule-output.ts';
import { Concatenate, concatenate, concatenateCases } from './concatenate.ts';
import { Conv1D, conv1d, conv1dCases } from './conv-1d.ts';
import { Conv2D, conv2d, conv2dCases } from './conv-2d.ts';
import { Conv2DTranspose, conv2dTranspose, conv2dTransposeCases } from './conv-2d-transpose.ts';
import { Conv3D, conv3d, conv3dCases } from './conv-3d.ts';
import { Cropping1D, cropping1d, cropping1dCases } from './cropping-1d.ts';
import { Cropping2D, cropping2d, cropping2dCases } from './cropping-2d.ts';
import { Dense, dense, denseCases } from './dense.ts';
import { DepthwiseConv2D, depthwiseConv2d, depthwiseConv2dCases } from './depthwise-conv-2d.ts';
import { Dot, dot, dotCases } from './dot.ts';
import { Dropout, dropout, dropoutCases } from './dropout.ts';
import {
  Add,
  Average,
  add,
  average,
  elementwiseMergeCases,
  Maximum,
  Minimum,
  Multiply,
  maximum,
  minimum,
  multiply,
  Subtract,
  subtract,
} from './elementwise-merge.ts';
import { ELU, elu, eluCases } from './elu.ts';
import { Flatten, flatten, flattenCases } from './flatten.ts';
import { GaussianDropout, gaussianDropout, gaussianDropoutCases } from './gaussian-dropout.ts';
import { GaussianNoise, gaussianNoise, gaussianNoiseCases } from './gaussian-noise.ts';
import {
  GlobalAveragePooling1D,
  GlobalAveragePooling2D,
  GlobalMaxPooling1D,
  GlobalMaxPooling2D,
  globalAveragePooling1d,
  globalAveragePooling2d,
  globalMaxPooling1d,
  globalMaxPooling2d,
  globalPoolingCases,
} from './global-pooling.ts';
import { GroupNormalization, groupNormalization, groupNormalizationCases } from './group-normalization.ts';
import { InputLayer, input, inputCases } from './input.ts';
import { Lambda, lambda, lambdaCases } from './lambda.ts';
import { LayerNormalization, layerNormalization, layerNormalizationCases } from './layer-normalization.ts';
import { LeakyReLU, leakyRelu, leakyReluCases } from './leaky-relu.ts';
import { MaxPooling2D, maxPooling2d, maxPooling2dCases } from './max-pooling-2d.ts';
import { Normalization, normalization, normalizationCases } from './normalization.ts';
import { Permute, permute, permuteCases } from './permute.ts';
import { AveragePooling1D, averagePooling1d, MaxPooling1D, maxPooling1d, pooling1dCases } from './pooling-1d.ts';
import { PReLU, prelu, preluCases } from './prelu.ts';
import { PrimaryCapsules, primaryCapsules, primaryCapsulesCases } from './primary-capsules.ts';
import { RandomBrightness, randomBrightness, randomBrightnessCases } from './random-brightness.ts';
import { RandomContrast, randomContrast, randomContrastCases } from './random-contrast.ts';
import { RandomCrop, randomCrop, randomCropCases } from './random-crop.ts';
import { RandomFlip, randomFlip, randomFlipCases } from './random-flip.ts';
import { RandomRotation, randomRotation, randomRotationCases } from './random-rotation.ts';
import { RandomTranslation, randomTranslation, randomTranslationCases } from './random-translation.ts';
import { RandomZoom, randomZoom, randomZoomCases } from './random-zoom.ts';
import { ReLU, relu, reluCases } from './relu.ts';
import { RepeatVector, repeatVector, repeatVectorCases } from './repeat-vector.ts';
import { Rescaling, rescaling, rescalingCases } from './rescaling.ts';
import { Reshape, reshape, reshapeCases } from './reshape.ts';
import { Sampling, sampling, samplingCases } from './sampling.ts';
import { SeparableConv2D, separableConv2d, separableConv2dCases } from './separable-conv-2d.ts';
import { Softmax, softmax, softmaxCases } from './softmax.ts';
import { SpatialDropout1D, spatialDropout1d, spatialDropout1dCases } from './spatial-dropout-1d.ts';
import { SpatialDropout2D, spatialDropout2d, spatialDropout2dCases } from './spatial-dropout-2d.ts';
import { UpSampling2D, upSampling2d, upSampling2dCases } from './up-sampling-2d.ts';
import { ZeroPadding1D, zeroPadding1d, zeroPadding1dCases } from './zero-padding-1d.ts';
import { ZeroPadding2D, zeroPadding2d, zeroPadding2dCases } from './zero-padding-2d.ts';

/** Classes by the name that JSON gives them. */
export const LAYER_CLASSES: Readonly<Record<string, LayerClass>> = {
  InputLayer,
  Dense,
  Conv2D,
  MaxPooling2D,
  AveragePooling2D,
  Conv1D,
  Conv3D,
  DepthwiseConv2D,
  SeparableConv2D,
  Conv2DTranspose,
  UpSampling2D,
  MaxPooling1D,
  AveragePooling1D,
  GlobalMaxPooling1D,
  GlobalMaxPooling2D,
  GlobalAveragePooling1D,
  GlobalAveragePooling2D,
  Flatten,
  Activation,
  Dropout,
  Cropping1D,
  Cropping2D,
  Normalization,
  RandomBrightness,
  RandomContrast,
  RandomCrop,
  RandomFlip,
  RandomRotation,
  RandomTranslation,
  RandomZoom,
  Rescaling,
  ZeroPadding1D,
  ZeroPadding2D,
  Add,
  Subtract,
  Multiply,
  Average,
  Maximum,
  Minimum,
  Concatenate,
  Dot,
  BatchNormalization,
  LayerNormalization,
  GroupNormalization,
  ReLU,
  LeakyReLU,
  PReLU,
  ELU,
  Softmax,
  Reshape,
  Permute,
  RepeatVector,
  Lambda,
  SpatialDropout1D,
  SpatialDropout2D,
  GaussianNoise,
  GaussianDropout,
  AlphaDropout,
  ActivityRegularization,
  Sampling,
  PrimaryCapsules,
  Capsule,
  CapsuleLength,
  CapsuleMask,
};

/** Makes each layer from its options, under Keras' names. */
export const layers = {
  input,
  dense,
  conv2d,
  maxPooling2d,
  maxPool2d: maxPooling2d,
  averagePooling2d,
  averagePool2d: averagePooling2d,
  conv1d,
  conv3d,
  depthwiseConv2d,
  separableConv2d,
  conv2dTranspose,
  upSampling2d,
  maxPooling1d,
  averagePooling1d,
  globalMaxPooling1d,
  globalMaxPooling2d,
  globalAveragePooling1d,
  globalAveragePooling2d,
  flatten,
  activation,
  dropout,
  cropping1d,
  cropping2d,
  normalization,
  randomBrightness,
  randomContrast,
  randomCrop,
  randomFlip,
  randomRotation,
  randomTranslation,
  randomZoom,
  rescaling,
  zeroPadding1d,
  zeroPadding2d,
  add,
  subtract,
  multiply,
  average,
  maximum,
  minimum,
  concatenate,
  dot,
  batchNormalization,
  layerNormalization,
  groupNormalization,
  relu,
  leakyRelu,
  prelu,
  elu,
  softmax,
  reshape,
  permute,
  repeatVector,
  lambda,
  spatialDropout1d,
  spatialDropout2d,
  gaussianNoise,
  gaussianDropout,
  alphaDropout,
  activityRegularization,
  sampling,
  primaryCapsules,
  capsule,
  capsuleLength,
  capsuleMask,
};

/** The layer of a model's JSON. @throws DownhillError `argument` for an unknown class name or options that do not fit. */
export function makeLayer(className: unknown, config: LayerConfig): Layer {
  return layerFromConfig(className, config, LAYER_CLASSES);
}

/** What the conformance tests walk. */
export const layerCases: readonly LayerCase[] = [
  ...inputCases,
  ...denseCases,
  ...conv2dCases,
  ...maxPooling2dCases,
  ...averagePooling2dCases,
  ...conv1dCases,
  ...conv3dCases,
  ...depthwiseConv2dCases,
  ...separableConv2dCases,
  ...conv2dTransposeCases,
  ...upSampling2dCases,
  ...pooling1dCases,
  ...globalPoolingCases,
  ...flattenCases,
  ...activationCases,
  ...dropoutCases,
  ...cropping1dCases,
  ...cropping2dCases,
  ...normalizationCases,
  ...randomBrightnessCases,
  ...randomContrastCases,
  ...randomCropCases,
  ...randomFlipCases,
  ...randomRotationCases,
  ...randomTranslationCases,
  ...randomZoomCases,
  ...rescalingCases,
  ...zeroPadding1dCases,
  ...zeroPadding2dCases,
  ...elementwiseMergeCases,
  ...concatenateCases,
  ...dotCases,
  ...batchNormalizationCases,
  ...layerNormalizationCases,
  ...groupNormalizationCases,
  ...reluCases,
  ...leakyReluCases,
  ...preluCases,
  ...eluCases,
  ...softmaxCases,
  ...reshapeCases,
  ...permuteCases,
  ...repeatVectorCases,
  ...lambdaCases,
  ...spatialDropout1dCases,
  ...spatialDropout2dCases,
  ...gaussianNoiseCases,
  ...gaussianDropoutCases,
  ...alphaDropoutCases,
  ...activityRegularizationCases,
  ...samplingCases,
  ...primaryCapsulesCases,
  ...capsuleCases,
  ...capsuleOutputCases,
];

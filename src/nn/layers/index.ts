/**
 * The layers that downhill brings: classes by name, for JSON, and factory functions, for people
 * (`layers.dense({ units: 10 })`), and their test cases. A new layer is its own file, a line in each list here and one in factories.ts.
 */

import { type Layer, type LayerClass, type LayerConfig, layerFromConfig } from '../layer.ts';
import type { LayerCase } from '../layer-case.ts';
import { Activation, activationCases } from './activation.ts';
import { ActivityRegularization, activityRegularizationCases } from './activity-regularization.ts';
import { AlphaDropout, alphaDropoutCases } from './alpha-dropout.ts';
import { AveragePooling2D, averagePooling2dCases } from './average-pooling-2d.ts';
import { BatchNormalization, batchNormalizationCases } from './batch-normalization.ts';
import { Capsule, capsuleCases } from './capsule.ts';
import { CapsuleLength, CapsuleMask, capsuleOutputCases } from './capsule-output.ts';
import { Concatenate, concatenateCases } from './concatenate.ts';
import { Conv1D, conv1dCases } from './conv-1d.ts';
import { Conv2D, conv2dCases } from './conv-2d.ts';
import { Conv2DTranspose, conv2dTransposeCases } from './conv-2d-transpose.ts';
import { Conv3D, conv3dCases } from './conv-3d.ts';
import { Cropping1D, cropping1dCases } from './cropping-1d.ts';
import { Cropping2D, cropping2dCases } from './cropping-2d.ts';
import { Dense, denseCases } from './dense.ts';
import { DepthwiseConv2D, depthwiseConv2dCases } from './depthwise-conv-2d.ts';
import { Dot, dotCases } from './dot.ts';
import { Dropout, dropoutCases } from './dropout.ts';
import { Add, Average, elementwiseMergeCases, Maximum, Minimum, Multiply, Subtract } from './elementwise-merge.ts';
import { ELU, eluCases } from './elu.ts';
import { Flatten, flattenCases } from './flatten.ts';
import { GaussianDropout, gaussianDropoutCases } from './gaussian-dropout.ts';
import { GaussianNoise, gaussianNoiseCases } from './gaussian-noise.ts';
import {
  GlobalAveragePooling1D,
  GlobalAveragePooling2D,
  GlobalMaxPooling1D,
  GlobalMaxPooling2D,
  globalPoolingCases,
} from './global-pooling.ts';
import { GroupNormalization, groupNormalizationCases } from './group-normalization.ts';
import { InputLayer, inputCases } from './input.ts';
import { Lambda, lambdaCases } from './lambda.ts';
import { LayerNormalization, layerNormalizationCases } from './layer-normalization.ts';
import { LeakyReLU, leakyReluCases } from './leaky-relu.ts';
import { MaxPooling2D, maxPooling2dCases } from './max-pooling-2d.ts';
import { Normalization, normalizationCases } from './normalization.ts';
import { Permute, permuteCases } from './permute.ts';
import { AveragePooling1D, MaxPooling1D, pooling1dCases } from './pooling-1d.ts';
import { PReLU, preluCases } from './prelu.ts';
import { PrimaryCapsules, primaryCapsulesCases } from './primary-capsules.ts';
import { RandomBrightness, randomBrightnessCases } from './random-brightness.ts';
import { RandomContrast, randomContrastCases } from './random-contrast.ts';
import { RandomCrop, randomCropCases } from './random-crop.ts';
import { RandomFlip, randomFlipCases } from './random-flip.ts';
import { RandomRotation, randomRotationCases } from './random-rotation.ts';
import { RandomTranslation, randomTranslationCases } from './random-translation.ts';
import { RandomZoom, randomZoomCases } from './random-zoom.ts';
import { ReLU, reluCases } from './relu.ts';
import { RepeatVector, repeatVectorCases } from './repeat-vector.ts';
import { Rescaling, rescalingCases } from './rescaling.ts';
import { Reshape, reshapeCases } from './reshape.ts';
import { Sampling, samplingCases } from './sampling.ts';
import { SeparableConv2D, separableConv2dCases } from './separable-conv-2d.ts';
import { Softmax, softmaxCases } from './softmax.ts';
import { SpatialDropout1D, spatialDropout1dCases } from './spatial-dropout-1d.ts';
import { SpatialDropout2D, spatialDropout2dCases } from './spatial-dropout-2d.ts';
import { UpSampling2D, upSampling2dCases } from './up-sampling-2d.ts';
import { ZeroPadding1D, zeroPadding1dCases } from './zero-padding-1d.ts';
import { ZeroPadding2D, zeroPadding2dCases } from './zero-padding-2d.ts';

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

/** Makes each layer from its options: `layers.dense({ units: 10 })`. */
export * as layers from './factories.ts';

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

/**
 * The layers that downhill brings: classes by name, for JSON, and factory functions, for people
 * (`layers.dense({ units: 10 })`), and their test cases. A new layer is its own file, a line in each list here and one
 * in factories.ts.
 */

import { type Layer, type LayerClass, type LayerConfig, layerFromConfig } from '../layer.ts';
import type { LayerCase } from '../layer-case.ts';
import { Capsule, capsuleCases } from './capsule/capsule.ts';
import { CapsuleLength, CapsuleMask, capsuleOutputCases } from './capsule/capsule-output.ts';
import { PrimaryCapsules, primaryCapsulesCases } from './capsule/primary-capsules.ts';
import { Conv1D, conv1dCases } from './convolution/conv-1d.ts';
import { Conv2D, conv2dCases } from './convolution/conv-2d.ts';
import { Conv2DTranspose, conv2dTransposeCases } from './convolution/conv-2d-transpose.ts';
import { Conv3D, conv3dCases } from './convolution/conv-3d.ts';
import { DepthwiseConv2D, depthwiseConv2dCases } from './convolution/depthwise-conv-2d.ts';
import { SeparableConv2D, separableConv2dCases } from './convolution/separable-conv-2d.ts';
import { Activation, activationCases } from './core/activation.ts';
import { Dense, denseCases } from './core/dense.ts';
import { ELU, eluCases } from './core/elu.ts';
import { InputLayer, inputCases } from './core/input.ts';
import { Lambda, lambdaCases } from './core/lambda.ts';
import { LeakyReLU, leakyReluCases } from './core/leaky-relu.ts';
import { PReLU, preluCases } from './core/prelu.ts';
import { ReLU, reluCases } from './core/relu.ts';
import { Softmax, softmaxCases } from './core/softmax.ts';
import { Concatenate, concatenateCases } from './merging/concatenate.ts';
import { Dot, dotCases } from './merging/dot.ts';
import {
  Add,
  Average,
  elementwiseMergeCases,
  Maximum,
  Minimum,
  Multiply,
  Subtract,
} from './merging/elementwise-merge.ts';
import { BatchNormalization, batchNormalizationCases } from './normalization/batch-normalization.ts';
import { GroupNormalization, groupNormalizationCases } from './normalization/group-normalization.ts';
import { LayerNormalization, layerNormalizationCases } from './normalization/layer-normalization.ts';
import { Normalization, normalizationCases } from './normalization/normalization.ts';
import { AveragePooling2D, averagePooling2dCases } from './pooling/average-pooling-2d.ts';
import {
  GlobalAveragePooling1D,
  GlobalAveragePooling2D,
  GlobalMaxPooling1D,
  GlobalMaxPooling2D,
  globalPoolingCases,
} from './pooling/global-pooling.ts';
import { MaxPooling2D, maxPooling2dCases } from './pooling/max-pooling-2d.ts';
import { AveragePooling1D, MaxPooling1D, pooling1dCases } from './pooling/pooling-1d.ts';
import { RandomBrightness, randomBrightnessCases } from './preprocessing/random-brightness.ts';
import { RandomContrast, randomContrastCases } from './preprocessing/random-contrast.ts';
import { RandomCrop, randomCropCases } from './preprocessing/random-crop.ts';
import { RandomFlip, randomFlipCases } from './preprocessing/random-flip.ts';
import { RandomRotation, randomRotationCases } from './preprocessing/random-rotation.ts';
import { RandomTranslation, randomTranslationCases } from './preprocessing/random-translation.ts';
import { RandomZoom, randomZoomCases } from './preprocessing/random-zoom.ts';
import { Rescaling, rescalingCases } from './preprocessing/rescaling.ts';
import { ActivityRegularization, activityRegularizationCases } from './regularization/activity-regularization.ts';
import { AlphaDropout, alphaDropoutCases } from './regularization/alpha-dropout.ts';
import { Dropout, dropoutCases } from './regularization/dropout.ts';
import { GaussianDropout, gaussianDropoutCases } from './regularization/gaussian-dropout.ts';
import { GaussianNoise, gaussianNoiseCases } from './regularization/gaussian-noise.ts';
import { SpatialDropout1D, spatialDropout1dCases } from './regularization/spatial-dropout-1d.ts';
import { SpatialDropout2D, spatialDropout2dCases } from './regularization/spatial-dropout-2d.ts';
import { Cropping1D, cropping1dCases } from './reshaping/cropping-1d.ts';
import { Cropping2D, cropping2dCases } from './reshaping/cropping-2d.ts';
import { Flatten, flattenCases } from './reshaping/flatten.ts';
import { Permute, permuteCases } from './reshaping/permute.ts';
import { RepeatVector, repeatVectorCases } from './reshaping/repeat-vector.ts';
import { Reshape, reshapeCases } from './reshaping/reshape.ts';
import { UpSampling2D, upSampling2dCases } from './reshaping/up-sampling-2d.ts';
import { ZeroPadding1D, zeroPadding1dCases } from './reshaping/zero-padding-1d.ts';
import { ZeroPadding2D, zeroPadding2dCases } from './reshaping/zero-padding-2d.ts';
import { Sampling, samplingCases } from './sampling.ts';

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

/**
 * The layer of a model's JSON.
 * @throws DownhillError `argument` for an unknown class name or options that do not fit.
 */
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

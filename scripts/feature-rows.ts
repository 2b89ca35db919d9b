/**
 * What the product's list of features (layers, training, models) names, row by row, and where docs/features.md answers
 * for it: with entries of its groups, with a golden file that a test reads, or with the reason why there is no such
 * file.
 *
 * Left out are the rows of later work: sequence models, attention, word2vec, GANs, exchange formats and search.
 * Invariant: kernels-test/features.test.ts holds every answer to what is there: entries, files, readers, tests.
 */

/** An answer: entries `group/name`, or a golden file and the test that reads it, or a reason. */
export type Answer =
  | { readonly entries: readonly string[] }
  | { readonly file: string; readonly test: string }
  | { readonly reason: string };

export interface FeatureRow {
  readonly feature: string;
  readonly answer: Answer;
}

/** Entries of one group. */
const of = (feature: string, group: string, names: string): FeatureRow => ({
  feature,
  answer: { entries: names.split(' ').map((name) => `${group}/${name}`) },
});
const held = (feature: string, file: string, test: string): FeatureRow => ({
  feature,
  answer: { file, test: `kernels-test/${test}` },
});
const reason = (feature: string, why: string): FeatureRow => ({ feature, answer: { reason: why } });

export const FEATURE_ROWS: Readonly<Record<'Layers' | 'Training' | 'Models', readonly FeatureRow[]>> = {
  Layers: [
    of('Input, Dense, Activation', 'layers', 'InputLayer Dense Activation'),
    of(
      'every activation by name, step for the perceptron',
      'activations',
      'sigmoid tanh relu leakyRelu elu selu gelu silu softplus softsign hardSigmoid mish softmax linear step',
    ),
    of('activations as layers, PReLU with a learned slope', 'layers', 'ReLU LeakyReLU PReLU ELU Softmax'),
    of(
      'Flatten, Reshape, Permute, RepeatVector, padding, cropping',
      'layers',
      'Flatten Reshape Permute RepeatVector ZeroPadding1D ZeroPadding2D Cropping1D Cropping2D',
    ),
    of(
      'convolutions: 1D, 2D, 3D, depthwise, separable, transposed; up-sampling',
      'layers',
      'Conv1D Conv2D Conv3D DepthwiseConv2D SeparableConv2D Conv2DTranspose UpSampling2D',
    ),
    of(
      'pooling, global pooling',
      'layers',
      'MaxPooling1D MaxPooling2D AveragePooling1D AveragePooling2D GlobalMaxPooling1D GlobalMaxPooling2D ' +
        'GlobalAveragePooling1D GlobalAveragePooling2D',
    ),
    of(
      'dropout and noise, in training',
      'layers',
      'Dropout SpatialDropout1D SpatialDropout2D GaussianNoise GaussianDropout AlphaDropout',
    ),
    of('normalisations', 'layers', 'BatchNormalization LayerNormalization GroupNormalization'),
    of('merges', 'layers', 'Add Subtract Multiply Average Maximum Minimum Concatenate Dot'),
    of(
      'augmentation, in training',
      'layers',
      'RandomFlip RandomRotation RandomZoom RandomTranslation RandomCrop RandomContrast RandomBrightness Rescaling ' +
        'Normalization',
    ),
    of('Lambda', 'layers', 'Lambda'),
    reason(
      'user-defined layers',
      "the user's own code; rights and gradients in kernels-test/train/user-layers.test.ts",
    ),
  ],
  Training: [
    of(
      'initialisers',
      'initializers',
      'zeros ones constant randomUniform randomNormal truncatedNormal glorotUniform glorotNormal heUniform heNormal ' +
        'lecunUniform lecunNormal orthogonal identity',
    ),
    of('regularisers of weights', 'regularizers', 'l1 l2 l1l2'),
    of('activity regularisation', 'layers', 'ActivityRegularization'),
    of('constraints', 'constraints', 'maxNorm nonNeg unitNorm'),
    of(
      'losses (cross-entropies from logits and probabilities, with label smoothing)',
      'losses',
      'meanSquaredError meanAbsoluteError meanSquaredLogarithmicError huber logCosh binaryCrossentropy ' +
        'categoricalCrossentropy sparseCategoricalCrossentropy binaryFocalCrossentropy hinge klDivergence poisson ' +
        'cosineSimilarity tripletHard',
    ),
    held('weights of examples in losses and metrics', 'losses-more.json', 'nn/loss-goldens.test.ts'),
    held('weights of examples by output', 'weighted-outputs.json', 'train/functional.test.ts'),
    reason(
      'weights of classes',
      "looked up as weights of examples, which have Keras' figures: kernels-test/train/example-weights.test.ts",
    ),
    of('optimizers', 'optimizers', 'sgd adagrad adadelta rmsprop adam adamW adamax nadam lion muon'),
    of(
      'momentum, Nesterov, centred, AMSGrad, clipping, decay, averages, accumulation',
      'optimizerOptions',
      'momentum nesterov centered amsgrad clipValue clipNorm globalClipNorm weightDecay excludeFromWeightDecay ' +
        'useEma emaMomentum emaOverwriteFrequency gradientAccumulationSteps',
    ),
    held('schedules, switches and frozen layers in whole trainings', 'updated-trainings.json', 'train/updates.test.ts'),
    reason(
      'learning rates by layer',
      'Keras has none; held, scaled and combined in kernels-test/train/updates.test.ts',
    ),
    of(
      'schedules',
      'schedules',
      'inverseTimeDecay exponentialDecay piecewiseConstantDecay polynomialDecay cosineDecay cosineDecayRestarts ' +
        'oneCycle warmup',
    ),
    reason(
      'learning rate finder',
      'Keras has none; its traces and curve in kernels-test/train/training-insight.test.ts',
    ),
    of(
      'metrics',
      'metrics',
      'accuracy binaryAccuracy categoricalAccuracy sparseCategoricalAccuracy topKCategoricalAccuracy precision ' +
        'recall f1Score auc confusionMatrix meanSquaredError meanAbsoluteError rootMeanSquaredError r2Score',
    ),
    held('Sequential: fit, evaluate, predict', 'trainings.json', 'nn/goldens.test.ts'),
    held(
      'functional Model: several inputs and outputs, shared and nested',
      'functional.json',
      'train/functional.test.ts',
    ),
    held('summary()', 'summary-lenet5.txt', 'nn/goldens.test.ts'),
    reason(
      'validation data and split, initial epoch, shuffling',
      'which rows and epochs are used is counted, not computed: kernels-test/train/fit.test.ts, ' +
        'kernels-test/train/refusals.test.ts',
    ),
    reason('trainOnBatch', 'the step of fit, which has figures; kernels-test/train/fit.test.ts'),
    reason('save, load', "files of downhill's own, compared bit by bit in kernels-test/train/saving.test.ts"),
    of(
      'callbacks',
      'callbacks',
      'progressBar earlyStopping modelCheckpoint learningRateScheduler reduceLROnPlateau terminateOnNaN csvLogger ' +
        'jsonlLogger tensorBoard gradientStatistics activationStatistics deadUnitMonitor lambdaCallback ' +
        'backupAndRestore',
    ),
    held('history', 'trainings.json', 'nn/goldens.test.ts'),
  ],
  Models: [
    of('perceptron; linear, logistic, softmax regression', 'models', 'perceptron linear logistic softmax'),
    of('the four MLPs', 'models', 'mlp-sigmoid mlp mlp-batch-norm mlp-dropout'),
    of(
      'autoencoders: dense, sparse, denoising, convolutional, variational',
      'models',
      'dense-autoencoder sparse-autoencoder denoising-autoencoder conv-autoencoder vae',
    ),
    of('LeNet-5, AlexNet, VGG-16/19, GoogLeNet', 'models', 'lenet alexnet vgg16 vgg19 googlenet'),
    of(
      'ResNet-18/34/50/101/152 and ResNet-20 for CIFAR',
      'models',
      'resnet18 resnet34 resnet50 resnet101 resnet152 resnet20',
    ),
    of('capsule network', 'models', 'capsnet capsnet-small'),
    of('the seven CIFAR experiments', 'models', 'cifar-vgg'),
    reason(
      'transfer learning',
      'a recipe of frozen layers and copied weights, tested: kernels-test/end-to-end/transfer.long.test.ts',
    ),
  ],
};

/**
 * The public surface of downhill, for browsers and Node alike. Importing it does nothing: no device is looked for, no
 * global is touched; `downhill/node` adds what needs a file system.
 */

// Backends: where things run.
export type { Backend, BackendBuffer, BackendCounters, Program } from './backend/backend.ts';
export { type ChromeTrace, chromeTrace, type TraceEvent } from './backend/chrome-trace.ts';
export { type CpuOptions, createCpuBackend } from './backend/cpu.ts';
export { type DispatchTime, type ProfileOptions, profileProgram } from './backend/profile.ts';
export {
  type AdapterInfo,
  type AdapterOptions,
  createWebGPUBackend,
  createWebGPUBackendFromAdapter,
  type DeviceOptions,
  type RequestOptions,
  requestWebGPUBackend,
  type WebGPUBackend,
} from './backend/webgpu/index.ts';
// Tensors, ops, gradients, compiled functions: for loops of your own.
export type { DType, TypedArray } from './core/dtype.ts';
export type { Op, OpRecord } from './core/op.ts';
export { type Aval, Tensor } from './core/tensor.ts';
// Data sets.
export { CIFAR10_CLASSES, type CifarFile, cifar10FromBytes } from './data/cifar.ts';
export {
  type CategoryColumn,
  type CsvColumn,
  type CsvOptions,
  type CsvTable,
  columnOf,
  type NumberColumn,
  readCsv,
  selectRows,
} from './data/csv.ts';
export {
  type ArrayDataset,
  type ArrayDatasetInit,
  arrayDataset,
  type DataArray,
  select,
  type TrainTest,
  take,
} from './data/dataset.ts';
export { type DigitsOptions, digits } from './data/digits.ts';
export {
  type ByteCache,
  type DownloadOptions,
  type DownloadProgress,
  downloadFile,
  type RemoteFile,
} from './data/download.ts';
export { type IdxArray, readIdx } from './data/idx.ts';
export { type ImageOptions, imagesFromFiles } from './data/images.ts';
export {
  type MnistBytes,
  type MnistDownloadOptions,
  type MnistName,
  mnistFromBytes,
  mnistFromUrl,
} from './data/mnist.ts';
export { type NpyArray, type NpyType, type NpyValues, readNpy, writeNpy } from './data/npy.ts';
export { type NpyDatasetOptions, npyDataset, readNpz, writeNpz } from './data/npz.ts';
export { type PlaygroundName, type PlaygroundOptions, playground } from './data/playground.ts';
export {
  type BatchesOptions,
  batches,
  concatenate,
  fitScaler,
  mapExamples,
  oneHotTargets,
  type ScaleMethod,
  type Scaler,
  skip,
} from './data/rows.ts';
export { SHAPE_NAMES, type ShapesOptions, shapes } from './data/shapes.ts';
export {
  kFold,
  kFoldIndices,
  type PartName,
  type PartsOf,
  type SplitFractions,
  type SplitOptions,
  split,
  splitIndices,
} from './data/split.ts';
export {
  collect,
  type DatasetStream,
  fromGenerator,
  type GeneratedBatch,
  type GeneratorOptions,
  type StreamOptions,
} from './data/stream.ts';
export {
  fitTabular,
  type MissingPolicy,
  type TableTask,
  type TabularOptions,
  type TabularTransform,
} from './data/tabular.ts';
export { readZip, writeZip } from './data/zip.ts';
// Models: layers, losses, optimizers, training.
export { type ActivationLike, type ActivationName, activations } from './nn/activations.ts';
export { type Constraint, type ConstraintLike, constraints } from './nn/constraints.ts';
export type { CustomObjects } from './nn/custom-objects.ts';
export { type Initializer, type InitializerLike, initializers } from './nn/initializers.ts';
export {
  type CallContext,
  LAYER_OPTIONS,
  Layer,
  type LayerConfig,
  type LayerOptions,
  registerLayer,
  type WeightSpec,
} from './nn/layer.ts';
export { layers } from './nn/layers/index.ts';
export { inputSymbol as input } from './nn/layers/input.ts';
export { registerFunction } from './nn/layers/lambda.ts';
export { type Loss, type LossLike, losses, type ValueFunction } from './nn/losses/index.ts';
export { MergeLayer } from './nn/merge-layer.ts';
export {
  type ConfusionMatrixSpec,
  confusionMatrixOf,
  formatConfusionMatrix,
  type MeanMetric,
  type Metric,
  type MetricLike,
  type MetricSpec,
  metrics,
  type TotalsMetric,
} from './nn/metrics/index.ts';
export { type OptimizerLike, optimizers } from './nn/optimizers/index.ts';
export { Optimizer, type OptimizerOptions } from './nn/optimizers/optimizer.ts';
export type { ModelOutput } from './nn/output.ts';
export { type Regularizer, type RegularizerLike, regularizers } from './nn/regularizers.ts';
export {
  type CosineDecayOptions,
  cosineDecay,
  cosineDecayRestarts,
  exponentialDecay,
  inverseTimeDecay,
  type LearningRateSchedule,
  oneCycle,
  piecewiseConstantDecay,
  polynomialDecay,
  schedules,
  warmup,
} from './nn/schedules/index.ts';
export { SymbolicTensor } from './nn/symbol.ts';
export { elu, hardSigmoid, leakyRelu, relu, selu, sigmoid, softplus, softsign, tanh } from './ops/activations.ts';
export type { FillMode, Interpolation } from './ops/affine-geometry.ts';
export { type AffineTransformOptions, affineTransform } from './ops/affine-transform.ts';
export { argMax, argMin } from './ops/arg-reduce.ts';
export { add, div, maximum, minimum, mod, mul, pow, squaredDifference, sub } from './ops/binary.ts';
export { broadcastTo } from './ops/broadcast-to.ts';
export { cast } from './ops/cast.ts';
export { equal, greater, greaterEqual, less, lessEqual, logicalAnd, logicalOr, notEqual } from './ops/compare.ts';
export { concat, split as splitTensor, stack } from './ops/concat.ts';
export { type Conv2dOptions, conv2d, conv2dInputGrad, conv2dWeightGrad } from './ops/conv.ts';
export { conv1d, conv2dTranspose, conv3d, groupedConv2d } from './ops/conv-forms.ts';
export { full, iota, ones, onesLike, scalar, zeros, zerosLike } from './ops/create.ts';
export { sigmoidCrossEntropy, softmaxCrossEntropy, softmaxCrossEntropyDense } from './ops/cross-entropy.ts';
export { depthwiseConv2d } from './ops/depthwise.ts';
export { erf, gelu, mish, silu } from './ops/gated.ts';
export { gather, oneHot } from './ops/gather.ts';
export { col2im, im2col } from './ops/im2col.ts';
export { allOps } from './ops/index.ts';
export { type MatmulOptions, matmul } from './ops/matmul.ts';
export { batchNorm, type NormalizeOptions, standardize } from './ops/normalize.ts';
export { type Paddings, pad } from './ops/pad.ts';
export { type PadMode, padMirrored } from './ops/pad-mirrored.ts';
export { averagePool2d, maxPool2d } from './ops/pool.ts';
export { randomBernoulli, randomBits, randomNormal, randomUniform, shuffleIndices } from './ops/random.ts';
export { max, mean, min, prod, sum } from './ops/reduce.ts';
export { logSumExp, variance } from './ops/reduce-composite.ts';
export { resizeBilinear } from './ops/resize.ts';
export { ceil, floor, isFinite, isNaN, logicalNot, round, stopGradient } from './ops/rounding.ts';
export { clip, where } from './ops/select.ts';
export { expandDims, flatten, reshape, squeeze } from './ops/shape.ts';
export { slice } from './ops/slice.ts';
export { logSoftmax, softmax } from './ops/softmax.ts';
export { flip, transpose } from './ops/transpose.ts';
export { abs, cos, exp, expm1, log, log1p, neg, reciprocal, rsqrt, sign, sin, sqrt, square } from './ops/unary.ts';
export { type CompiledFunction, compile } from './runtime/compile-function.ts';
export { getBackend, setBackend } from './runtime/current-backend.ts';
export { evaluate } from './runtime/evaluate.ts';
export { leakReport } from './runtime/storage.ts';
export { type TensorOptions, type TensorValues, tensor } from './runtime/tensor.ts';
export { type BackendChoice, type OnFallback, useBackend } from './runtime/use-backend.ts';
export type { ActivationRecord, ActivationStatisticsOptions } from './train/callbacks/activation-statistics.ts';
export type { Callback, Logs, TrainedModel, TrainingParams } from './train/callbacks/callback.ts';
export type { DeadUnitMonitorOptions, DeadUnitRecord } from './train/callbacks/dead-unit-monitor.ts';
export type { EarlyStoppingOptions } from './train/callbacks/early-stopping.ts';
export type { GradientRecord, GradientStatisticsOptions } from './train/callbacks/gradient-statistics.ts';
export { callbacks } from './train/callbacks/index.ts';
export type { EpochSchedule } from './train/callbacks/learning-rate-scheduler.ts';
export type { CheckpointOptions, ModelCheckpointOptions } from './train/callbacks/model-checkpoint.ts';
export type { MonitorMode, MonitorOptions } from './train/callbacks/monitor.ts';
export type { ReduceLROnPlateauOptions } from './train/callbacks/reduce-lr-on-plateau.ts';
export type { Histogram, TensorStatistics } from './train/callbacks/statistics.ts';
export type { ClassWeight, SampleWeight } from './train/example-weights.ts';
export { Functional, type FunctionalOptions, model } from './train/functional.ts';
export type { History, TrainingFacts } from './train/history.ts';
export type { ModelData } from './train/labelled-data.ts';
export {
  type FindableModel,
  type LearningRateCurve,
  type LearningRateFinderOptions,
  learningRateFinder,
} from './train/learning-rate-finder.ts';
export { type LoadOptions, loadModelFiles, modelFromJSON } from './train/load-model.ts';
export { Model, type TuningData } from './train/model.ts';
export type { ModelJson } from './train/model-json.ts';
export type { CompileOptions, SavedModel, SequentialOptions } from './train/model-options.ts';
export {
  readSafetensors,
  type SafetensorsEntry,
  type SafetensorsFile,
  type SafetensorsInput,
  writeSafetensors,
} from './train/safetensors.ts';
export { Sequential, sequential } from './train/sequential.ts';
export type { LayerOutput } from './train/single-batches.ts';
export type { TrainingSnapshot } from './train/snapshot.ts';
export type { DataInput, NestedNumbers, ShapedData } from './train/table.ts';
export { type EventTime, histogramEvent, scalarEvent, versionEvent } from './train/tensorboard/events.ts';
export {
  type Position,
  Trainer,
  type TrainerEvent,
  type TrainerOptions,
  type TrainerState,
} from './train/trainer.ts';
export type {
  BatchOptions,
  EvaluateOptions,
  FitOptions,
  PredictOptions,
  TrainOnBatchOptions,
  ValidationData,
} from './train/training-options.ts';
export { type TuneModelOptions, tune } from './train/tune.ts';
export type { WeightValue } from './train/weight-store.ts';
export { grad, gradients, valueAndGrad } from './transform/grad.ts';
// Tuning: the tiles of products and convolutions, by timing on the adapter.
export { loadTuning, saveTuning } from './tune/store.ts';
export type { DroppedTile, TunedKernel, TuneProgress, TuneReport } from './tune/tune.ts';
export {
  applyTuning,
  exportTuning,
  importTuning,
  removeTuning,
  type Tuning,
  type TuningEntry,
  tuningMisfit,
} from './tune/tuning.ts';
export { DownhillError, type ErrorCode } from './util/errors.ts';
export type { Shape } from './util/shape.ts';
export {
  type AlexNetOptions,
  alexNet,
  type CapsuleNetworkOptions,
  type CifarVggOptions,
  type ClassifierOptions,
  capsuleNetwork,
  cifarVgg,
  convolutionalAutoencoder,
  denoisingAutoencoder,
  denseAutoencoder,
  type GoogLeNetOptions,
  googLeNet,
  type ImageNetOptions,
  lenet5,
  linearRegression,
  logisticRegression,
  mlp,
  mlpBatchNorm,
  mlpDropout,
  mlpRelu,
  mlpSigmoid,
  perceptron,
  resNet18,
  resNet20,
  resNet34,
  resNet50,
  resNet101,
  resNet152,
  smallCapsuleNetwork,
  softmaxRegression,
  sparseAutoencoder,
  type VariationalAutoencoderOptions,
  type VariationalOptions,
  variationalAutoencoder,
  variationalDecoder,
  vgg16,
  vgg19,
  type ZooOptions,
  zoo,
} from './zoo/index.ts';

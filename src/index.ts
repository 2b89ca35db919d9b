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
export {
  type ArrayDataset,
  type ArrayDatasetInit,
  arrayDataset,
  type DataArray,
  select,
  type TrainTest,
  take,
} from './data/dataset.ts';
export {
  type CategoryColumn,
  type CsvColumn,
  type CsvOptions,
  type CsvTable,
  columnOf,
  type NumberColumn,
  readCsv,
  selectRows,
} from './data/formats/csv.ts';
export { type IdxArray, readIdx } from './data/formats/idx.ts';
export { type NpyArray, type NpyType, type NpyValues, readNpy, writeNpy } from './data/formats/npy.ts';
export { type NpyDatasetOptions, npyDataset, readNpz, writeNpz } from './data/formats/npz.ts';
export { readZip, writeZip } from './data/formats/zip.ts';
export { type ImageOptions, imagesFromFiles } from './data/images.ts';
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
// Data sets.
export { CIFAR10_CLASSES, type CifarFile, cifar10FromBytes } from './data/sets/cifar.ts';
export { type DigitsOptions, digits } from './data/sets/digits.ts';
export {
  type ByteCache,
  type DownloadOptions,
  type DownloadProgress,
  downloadFile,
  type RemoteFile,
} from './data/sets/download.ts';
export {
  type MnistBytes,
  type MnistDownloadOptions,
  type MnistName,
  mnistFromBytes,
  mnistFromUrl,
} from './data/sets/mnist.ts';
export { type PlaygroundName, type PlaygroundOptions, playground } from './data/sets/playground.ts';
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
export { inputSymbol as input } from './nn/layers/core/input.ts';
export { registerFunction } from './nn/layers/core/lambda.ts';
export { layers } from './nn/layers/index.ts';
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
export { type Conv2dOptions, conv2d, conv2dInputGrad, conv2dWeightGrad } from './ops/convolution/conv.ts';
export { conv1d, conv2dTranspose, conv3d, groupedConv2d } from './ops/convolution/conv-forms.ts';
export { depthwiseConv2d } from './ops/convolution/depthwise.ts';
export { col2im, im2col } from './ops/convolution/im2col.ts';
export { full, iota, ones, onesLike, scalar, zeros, zerosLike } from './ops/create.ts';
export {
  elu,
  hardSigmoid,
  leakyRelu,
  relu,
  selu,
  sigmoid,
  softplus,
  softsign,
  tanh,
} from './ops/elementwise/activations.ts';
export { add, div, maximum, minimum, mod, mul, pow, squaredDifference, sub } from './ops/elementwise/binary.ts';
export { cast } from './ops/elementwise/cast.ts';
export {
  equal,
  greater,
  greaterEqual,
  less,
  lessEqual,
  logicalAnd,
  logicalOr,
  notEqual,
} from './ops/elementwise/compare.ts';
export { erf, gelu, mish, silu } from './ops/elementwise/gated.ts';
export { ceil, floor, isFinite, isNaN, logicalNot, round, stopGradient } from './ops/elementwise/rounding.ts';
export { clip, where } from './ops/elementwise/select.ts';
export {
  abs,
  cos,
  exp,
  expm1,
  log,
  log1p,
  neg,
  reciprocal,
  rsqrt,
  sign,
  sin,
  sqrt,
  square,
} from './ops/elementwise/unary.ts';
export type { FillMode, Interpolation } from './ops/image/affine-geometry.ts';
export { type AffineTransformOptions, affineTransform } from './ops/image/affine-transform.ts';
export { resizeBilinear } from './ops/image/resize.ts';
export { allOps } from './ops/index.ts';
export { broadcastTo } from './ops/layout/broadcast-to.ts';
export { concat, split as splitTensor, stack } from './ops/layout/concat.ts';
export { gather, oneHot } from './ops/layout/gather.ts';
export { type Paddings, pad } from './ops/layout/pad.ts';
export { type PadMode, padMirrored } from './ops/layout/pad-mirrored.ts';
export { expandDims, flatten, reshape, squeeze } from './ops/layout/shape.ts';
export { slice } from './ops/layout/slice.ts';
export { flip, transpose } from './ops/layout/transpose.ts';
export { type MatmulOptions, matmul } from './ops/matmul/matmul.ts';
export { averagePool2d, maxPool2d } from './ops/pooling/pool.ts';
export { randomBernoulli, randomBits, randomNormal, randomUniform, shuffleIndices } from './ops/random/random.ts';
export { argMax, argMin } from './ops/reduction/arg-reduce.ts';
export { sigmoidCrossEntropy, softmaxCrossEntropy, softmaxCrossEntropyDense } from './ops/reduction/cross-entropy.ts';
export { batchNorm, type NormalizeOptions, standardize } from './ops/reduction/normalize.ts';
export { max, mean, min, prod, sum } from './ops/reduction/reduce.ts';
export { logSumExp, variance } from './ops/reduction/reduce-composite.ts';
export { logSoftmax, softmax } from './ops/reduction/softmax.ts';
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
export type { ClassWeight, SampleWeight } from './train/data/example-weights.ts';
export type { ModelData } from './train/data/labelled-data.ts';
export type { LayerOutput } from './train/data/single-batches.ts';
export type { DataInput, NestedNumbers, ShapedData } from './train/data/table.ts';
export type { History, TrainingFacts } from './train/loop/history.ts';
export {
  type FindableModel,
  type LearningRateCurve,
  type LearningRateFinderOptions,
  learningRateFinder,
} from './train/loop/learning-rate-finder.ts';
export type { TrainingSnapshot } from './train/loop/snapshot.ts';
export {
  type Position,
  Trainer,
  type TrainerEvent,
  type TrainerOptions,
  type TrainerState,
} from './train/loop/trainer.ts';
export type {
  BatchOptions,
  EvaluateOptions,
  FitOptions,
  PredictOptions,
  TrainOnBatchOptions,
  ValidationData,
} from './train/loop/training-options.ts';
export { type TuneModelOptions, tune } from './train/loop/tune.ts';
export { Functional, type FunctionalOptions, model } from './train/model/functional.ts';
export { type LoadOptions, loadModelFiles, modelFromJSON } from './train/model/load-model.ts';
export { Model, type TuningData } from './train/model/model.ts';
export type { ModelJson } from './train/model/model-json.ts';
export type { CompileOptions, SavedModel, SequentialOptions } from './train/model/model-options.ts';
export { Sequential, sequential } from './train/model/sequential.ts';
export { type EventTime, histogramEvent, scalarEvent, versionEvent } from './train/tensorboard/events.ts';
export {
  readSafetensors,
  type SafetensorsEntry,
  type SafetensorsFile,
  type SafetensorsInput,
  writeSafetensors,
} from './train/weights/safetensors.ts';
export type { WeightValue } from './train/weights/weight-store.ts';
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
export { zoo } from './zoo/index.ts';
export * from './zoo/models.ts';

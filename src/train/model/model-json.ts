/**
 * A model as JSON: its layers by class name and options, and what it was compiled with. Weights are not part of it.
 *
 * Invariant: `checkModelJson` and `modelFromJSON` accept nothing but what `toJSON` writes, plus registered layers;
 * unknown names are refused with the nearest known one. Losses and metrics of the user are stored by name, `{ "custom":
 * "myLoss" }`.
 */

import { show } from '../../nn/check-options.ts';
import { type CustomJson, isCustomJson } from '../../nn/custom-objects.ts';
import type { Layer } from '../../nn/layer.ts';
import { customLoss, type Loss, lossJson, resolveLoss } from '../../nn/losses/index.ts';
import { customMetric, type MetricJson, type MetricLike, metricJson } from '../../nn/metrics/index.ts';
import { resolveOptimizer } from '../../nn/optimizers/index.ts';
import { DownhillError, unknownName } from '../../util/errors.ts';
import { checkDepth, parseJson } from '../../util/json.ts';
import type { Shape } from '../../util/shape.ts';
import { compileLosses, type MetricLists } from '../step/compile-losses.ts';
import { checkMultipliers, type LearningRateMultipliers } from '../step/parameter-groups.ts';
import type { CompileOptions, CompileState } from './model-options.ts';

export const MODEL_FORMAT = 'downhill-model';
export const MODEL_VERSION = 1;

/** The plain data of a model. */
export interface ModelJson {
  readonly format: typeof MODEL_FORMAT;
  readonly version: number;
  readonly className: 'Sequential' | 'Functional';
  readonly name: string;
  readonly seed: number;
  /** Of a file: of the rest of it, as it was saved. The weights of the same save name it, too. */
  readonly saveId?: string;
  /** Sequential: shape of one example; null while the model is not built, and for functional models. */
  readonly inputShape: Shape | null;
  readonly layers: readonly { readonly className: string; readonly config: Readonly<Record<string, unknown>> }[];
  /** Functional: how values flow through the layers. */
  readonly graph?: GraphJson;
  /** The paths of layers that are used in several places (shared-layers.ts); left out when there are none. */
  readonly shared?: readonly (readonly string[])[];
  /** What `compile` was given; null before. */
  readonly compiled: CompiledJson | null;
}

/** Values are numbered; layers are named. */
export interface GraphJson {
  /** The model's inputs: the input layers and the numbers of their values. */
  readonly inputs: readonly { readonly layer: string; readonly value: number }[];
  /** In the order in which they can run. */
  readonly calls: readonly {
    readonly layer: string;
    readonly inputs: readonly number[];
    readonly outputs: readonly number[];
  }[];
  readonly outputs: readonly number[];
}

/** Something with a name and the options that make it again. */
export interface NamedJson {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

export interface CompiledJson {
  readonly optimizer: NamedJson;
  /** One for each output, in an array where there are several. */
  readonly loss: JsonLoss | readonly JsonLoss[];
  /** Left out where every weight is 1. */
  readonly lossWeights?: readonly number[];
  /** A list for each output, in an array where there are several. */
  readonly metrics: JsonMetrics;
  /** Left out when there are none. */
  readonly weightedMetrics?: JsonMetrics;
  /** Left out when there are none. */
  readonly learningRateMultipliers?: LearningRateMultipliers;
}

type JsonLoss = NamedJson | CustomJson;
type JsonMetric = string | MetricJson | CustomJson;
type JsonMetrics = readonly JsonMetric[] | readonly (readonly JsonMetric[])[];

/** A layer's entry, its name among the options. */
export function layerJson(layer: Layer): ModelJson['layers'][number] {
  const frozen = layer.trainable ? {} : { trainable: false };
  return { className: layer.className, config: { name: layer.name, ...frozen, ...layer.config } };
}

/** What `compile` was given, as plain data. */
export function compiledJson({ optimizer, rate, losses: given, multipliers }: CompileState): CompiledJson {
  const { override } = rate;
  const losses = given.map(({ loss }) => lossJson(loss));
  const metrics = given.map((output) => output.metrics.map(metricJson));
  const weighted = given.map((output) => output.weightedMetrics.map(metricJson));
  const weights = given.map(({ weight }) => weight);
  return {
    optimizer: {
      name: optimizer.name,
      config: { ...optimizer.config, ...(override !== undefined && { learningRate: override }) },
    },
    loss: given.length === 1 ? losses[0] : losses,
    ...(weights.some((weight) => weight !== 1) && { lossWeights: weights }),
    metrics: given.length === 1 ? metrics[0] : metrics,
    ...(weighted.some((list) => list.length > 0) && { weightedMetrics: given.length === 1 ? weighted[0] : weighted }),
    ...(Object.keys(multipliers).length > 0 && { learningRateMultipliers: multipliers }),
  };
}

/** What a file says of `compile`, as far as those who read it know the user's functions. */
export interface KnownOptions {
  /** Undefined when a loss is missing: the model cannot be compiled without. */
  readonly options: CompileOptions | undefined;
  /** Names of the losses and of the metrics of the user that nobody handed in. */
  readonly missing: readonly string[];
}

/**
 * The options of `compile` that a model's JSON holds. @throws DownhillError `argument` for unknown names or options.
 */
export function compileOptions(compiled: CompiledJson): KnownOptions {
  const { optimizer, loss, lossWeights, metrics, weightedMetrics, learningRateMultipliers } = compiled;
  const missing: string[] = [];
  const known = <T>(name: string, own: T | undefined): T | undefined => {
    if (own === undefined) missing.push(name);
    return own;
  };
  const losses = [loss].flat().map((entry) => {
    if (isCustomJson(entry)) return known(`loss "${entry.custom}"`, customLoss(entry));
    const { name, config } = entry as NamedJson;
    return resolveLoss(name, config);
  });
  const metricList = (list: readonly JsonMetric[]) =>
    list.flatMap((entry) => {
      if (!isCustomJson(entry)) return [entry as MetricLike];
      return known(`metric "${entry.custom}"`, customMetric(entry)) ?? [];
    });
  const isList = (entry: unknown): entry is readonly JsonMetric[] => Array.isArray(entry);
  const lists = (given: JsonMetrics): MetricLists =>
    given.some(isList)
      ? (given as readonly (readonly JsonMetric[])[]).map(metricList)
      : metricList(given as readonly JsonMetric[]);
  const rest = {
    metrics: lists(metrics),
    ...(weightedMetrics !== undefined && { weightedMetrics: lists(weightedMetrics) }),
  };
  if (losses.includes(undefined)) return { options: undefined, missing };
  const options: CompileOptions = {
    optimizer: resolveOptimizer(optimizer.name, optimizer.config),
    loss: Array.isArray(loss) ? (losses as Loss[]) : (losses[0] as Loss),
    ...(lossWeights !== undefined && { lossWeights }),
    ...rest,
    ...(learningRateMultipliers !== undefined && {
      learningRateMultipliers: checkMultipliers(learningRateMultipliers),
    }),
  };
  return { options, missing };
}

/** JSON (text or parsed) as model data with names and layers. @throws DownhillError `file` for what is not a model. */
export function checkModelJson(json: unknown, file: string): ModelJson {
  const data = parsed(json, file);
  if (!isRecord(data) || data.format !== MODEL_FORMAT) {
    throw new DownhillError('file', `${file}: expected a model with "format": "${MODEL_FORMAT}", found ${show(data)}`);
  }
  if (data.version !== MODEL_VERSION) {
    throw new DownhillError(
      'file',
      `${file}: model version ${show(data.version)}; this downhill reads ${MODEL_VERSION}`,
    );
  }
  const known = data.className === 'Sequential' || data.className === 'Functional';
  if (!known || typeof data.name !== 'string' || !Array.isArray(data.layers)) {
    throw new DownhillError(
      'file',
      `${file}: expected a Sequential or Functional with a name and layers, found ${show(data)}`,
    );
  }
  checkKeys(data, ROOT_KEYS, file);
  data.layers.forEach((entry: unknown, k) => {
    if (!isRecord(entry) || !isRecord(entry.config)) {
      throw new DownhillError('file', `${file}: layer ${k} is ${show(entry)}; expected className and config`);
    }
    checkKeys(entry, ['className', 'config'], `${file}: layer ${k}`);
  });
  if (data.className === 'Functional') checkGraph(data.graph, file);
  if (data.compiled !== null) checkCompiled(data.compiled, file);
  return data as unknown as ModelJson;
}

const ROOT_KEYS = [
  'format',
  'version',
  'className',
  'name',
  'seed',
  'inputShape',
  'layers',
  'graph',
  'shared',
  'compiled',
  'saveId',
];

/** @throws DownhillError `argument` for a key that is not one of `known`, with the nearest. */
function checkKeys(record: object, known: readonly string[], where: string): void {
  const unknown = Object.keys(record).find((key) => !known.includes(key));
  if (unknown !== undefined) throw unknownName(`key in ${where}:`, unknown, known);
}

function checkGraph(graph: unknown, file: string): void {
  const whole = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  const list = (value: unknown) => Array.isArray(value) && value.every(whole);
  const isCall = (call: unknown) =>
    isRecord(call) && typeof call.layer === 'string' && list(call.inputs) && list(call.outputs);
  const isInput = (entry: unknown) => isRecord(entry) && typeof entry.layer === 'string' && whole(entry.value);
  if (isRecord(graph)) {
    const { inputs, calls, outputs } = graph;
    const lists = Array.isArray(inputs) && inputs.every(isInput) && Array.isArray(calls) && calls.every(isCall);
    if (lists && list(outputs)) return;
  }
  throw new DownhillError('file', `${file}: "graph" is ${show(graph)}; expected inputs, calls and outputs`);
}

/** @throws DownhillError `file` or `argument` for what `compile` would not take. */
function checkCompiled(compiled: unknown, file: string): void {
  if (!isRecord(compiled)) {
    throw new DownhillError(
      'file',
      `${file}: "compiled" is ${show(compiled)}; expected null or what compile was given`,
    );
  }
  const { optimizer, loss, metrics } = compiled;
  const losses = Array.isArray(loss) ? loss : [loss];
  for (const [key, entry] of [['optimizer', optimizer], ...losses.map((one) => ['loss', one] as const)] as const) {
    if (isRecord(entry) && typeof entry.name === 'string' && isRecord(entry.config)) continue;
    if (key === 'loss' && isCustomJson(entry)) continue;
    throw new DownhillError('file', `${file}: "compiled.${key}" is ${show(entry)}; expected a name and a config`);
  }
  const isMetricJson = (metric: unknown): boolean =>
    typeof metric === 'string' ||
    isCustomJson(metric) ||
    (isRecord(metric) && typeof metric.name === 'string' && isRecord(metric.config));
  const { weightedMetrics = [] } = compiled;
  for (const list of [metrics, weightedMetrics]) {
    if (Array.isArray(list) && list.flat().every(isMetricJson)) continue;
    const expected = 'expected a list of names, or of names with their config';
    throw new DownhillError('file', `${file}: "compiled.metrics" is ${show(list)}; ${expected}`);
  }
  naming(file, () => {
    const { options } = compileOptions(compiled as unknown as CompiledJson);
    if (options === undefined) return;
    compileLosses(
      options,
      losses.map((_, k) => `${k}`),
    );
  });
}

/** Runs `work`; its refusals name `file`. */
export function naming<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof DownhillError)) throw error;
    throw new DownhillError(error.code, `${file}: ${error.message}`, { cause: error });
  }
}

function parsed(json: unknown, file: string): unknown {
  try {
    if (typeof json === 'string') return parseJson(json);
    checkDepth(json);
    return json;
  } catch (cause) {
    throw new DownhillError('file', `${file}: not JSON (${(cause as Error).message})`, { cause });
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

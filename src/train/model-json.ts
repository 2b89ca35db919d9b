/**
 * A model as JSON: its layers by class name and options, and what it was compiled with. Weights are not part of it.
 *
 * Invariant: `parseModelJson` accepts nothing but what `modelJson` writes, plus registered layers; unknown names are
 * refused with the nearest known one.
 */

import { show } from '../nn/check-options.ts';
import type { Layer } from '../nn/layer.ts';
import { makeLayer } from '../nn/layers/index.ts';
import { type Loss, resolveLoss } from '../nn/losses/index.ts';
import { type CheckedMetric, checkMetrics, type MetricJson, metricJson } from '../nn/metrics/index.ts';
import { resolveOptimizer } from '../nn/optimizers/index.ts';
import type { Optimizer } from '../nn/optimizers/optimizer.ts';
import { DownhillError } from '../util/errors.ts';
import type { Shape } from '../util/shape.ts';
import { checkMultipliers } from './treatments.ts';

export const MODEL_FORMAT = 'downhill-model';
export const MODEL_VERSION = 1;

/** The plain data of a model. */
export interface ModelJson {
  readonly format: typeof MODEL_FORMAT;
  readonly version: number;
  readonly className: 'Sequential';
  readonly name: string;
  readonly seed: number;
  /** Shape of one example; null while the model is not built. */
  readonly inputShape: Shape | null;
  readonly layers: readonly { readonly className: string; readonly config: Readonly<Record<string, unknown>> }[];
  /** What `compile` was given; null before. */
  readonly compiled: CompiledJson | null;
}

export interface CompiledJson {
  readonly optimizer: { readonly name: string; readonly config: Readonly<Record<string, unknown>> };
  readonly loss: { readonly name: string; readonly config: Readonly<Record<string, unknown>> };
  readonly metrics: readonly (string | MetricJson)[];
  /** Left out when there are none. */
  readonly learningRateMultipliers?: Readonly<Record<string, number>>;
}

/** A layer's entry, its name among the options. */
export function layerJson(layer: Layer): ModelJson['layers'][number] {
  const frozen = layer.trainable ? {} : { trainable: false };
  return { className: layer.className, config: { name: layer.name, ...frozen, ...layer.config } };
}

/** @throws DownhillError `argument` when the loss or a metric is a function of the user, which JSON cannot hold. */
export function compiledJson(
  optimizer: Optimizer,
  loss: Loss,
  metrics: readonly CheckedMetric[],
  multipliers: Readonly<Record<string, number>> = {},
): CompiledJson {
  if (loss.custom) {
    throw new DownhillError('argument', `toJSON: the loss "${loss.name}" is a function, which JSON cannot hold`);
  }
  return {
    optimizer: { name: optimizer.name, config: optimizer.config },
    loss: { name: loss.name, config: loss.config },
    metrics: metrics.map(metricJson),
    ...(Object.keys(multipliers).length > 0 && { learningRateMultipliers: multipliers }),
  };
}

/**
 * JSON (text or parsed) as checked model data with its layers.
 * @param file what errors call it. @throws DownhillError `file` for text that is no model, `argument` for unknown
 *   layers, optimizers, losses and options; each names `file`.
 */
export function parseModelJson(json: unknown, file = 'model JSON'): { data: ModelJson; layers: Layer[] } {
  const data = typeof json === 'string' ? parseText(json, file) : json;
  if (!isRecord(data) || data.format !== MODEL_FORMAT) {
    throw new DownhillError('file', `${file}: expected a model with "format": "${MODEL_FORMAT}", found ${show(data)}`);
  }
  if (data.version !== MODEL_VERSION) {
    throw new DownhillError(
      'file',
      `${file}: model version ${show(data.version)}; this downhill reads ${MODEL_VERSION}`,
    );
  }
  if (data.className !== 'Sequential' || typeof data.name !== 'string' || !Array.isArray(data.layers)) {
    throw new DownhillError('file', `${file}: expected a Sequential with a name and layers, found ${show(data)}`);
  }
  const layers = data.layers.map((entry: unknown, k) => {
    if (!isRecord(entry) || !isRecord(entry.config)) {
      throw new DownhillError('file', `${file}: layer ${k} is ${show(entry)}; expected className and config`);
    }
    const { className, config } = entry;
    return naming(file, () => makeLayer(className, config));
  });
  if (data.compiled !== null) checkCompiled(data.compiled, file);
  return { data: data as unknown as ModelJson, layers };
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
  for (const [key, entry] of Object.entries({ optimizer, loss })) {
    if (isRecord(entry) && typeof entry.name === 'string' && isRecord(entry.config)) continue;
    throw new DownhillError('file', `${file}: "compiled.${key}" is ${show(entry)}; expected a name and a config`);
  }
  const isMetricJson = (metric: unknown): boolean =>
    typeof metric === 'string' || (isRecord(metric) && typeof metric.name === 'string' && isRecord(metric.config));
  if (!Array.isArray(metrics) || !metrics.every(isMetricJson)) {
    const expected = 'expected a list of names, or of names with their config';
    throw new DownhillError('file', `${file}: "compiled.metrics" is ${show(metrics)}; ${expected}`);
  }
  if (compiled.learningRateMultipliers !== undefined) {
    naming(file, () => checkMultipliers(compiled.learningRateMultipliers));
  }
  const { optimizer: rule, loss: goal } = compiled as unknown as CompiledJson;
  naming(file, () => {
    resolveOptimizer(rule.name, rule.config);
    resolveLoss(goal.name, goal.config);
    checkMetrics(metrics);
  });
}

/** Runs `work`; its refusals name `file`. */
function naming<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof DownhillError)) throw error;
    throw new DownhillError(error.code, `${file}: ${error.message}`, { cause: error });
  }
}

function parseText(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DownhillError('file', `${file}: not JSON (${(cause as Error).message})`, { cause });
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

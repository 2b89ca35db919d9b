/**
 * The capsule network: a convolution, a convolution cut into capsules, and a capsule a class that the others agree on.
 * Outputs are the lengths of the class capsules; the loss is `sparseCategoricalMargin` (or `categoricalMargin`).
 *
 * Published are 6,804,224 parameters (9·9·256 + 256, 9·9·256·256 + 256, 1152·8·10·16) and, with the decoder that gives
 * the image back from the capsule of its class, 8,215,568 (82,432 + 525,312 + 803,600 more): the paper's 6.8 and 8.2
 * million.
 * Source: Sabour, Frosst, Hinton, "Dynamic routing between capsules", NeurIPS 2017, sections 4 and 5.
 */

import { checkKnownOptions, show, trueOrFalse, wholeNumber } from '../nn/check-options.ts';
import type { SymbolicTensor } from '../nn/layer.ts';
import { inputSymbol } from '../nn/layers/core/input.ts';
import { layers } from '../nn/layers/index.ts';
import { type Functional, model } from '../train/model/functional.ts';
import { DownhillError } from '../util/errors.ts';
import { type Shape, sizeOf } from '../util/shape.ts';
import type { ZooOptions } from './options.ts';

export interface CapsuleNetworkOptions extends ZooOptions {
  /** Count of class capsules; 10 when left out. */
  readonly classes?: number;
  /** Maps of the first convolution; 256 when left out. */
  readonly filters?: number;
  /** Kinds of primary capsules; 32 when left out. */
  readonly channels?: number;
  /** Side of both convolutions' kernels; 9 when left out. */
  readonly kernelSize?: number;
  /** Rounds of routing; 3 when left out. */
  readonly routings?: number;
  /**
   * True for the decoder: a second input `label` (one-hot rows [classes]), which counts in training only, and a second
   * output `reconstruction`, the image. False when left out.
   */
  readonly reconstruction?: boolean;
  /** Units of the decoder's hidden layers; [512, 1024] when left out. */
  readonly decoderUnits?: readonly number[];
}

/** Values of a primary capsule and of a class capsule. */
const PRIMARY = 8;
const CLASS = 16;

const KNOWN = ['inputShape', 'seed', 'classes', 'filters', 'channels', 'kernelSize', 'routings'];

/**
 * Capsules for images of at least 17×17 pixels (twice the kernel's side less one); [28, 28, 1] and ten classes when
 * left out: 6,804,224 parameters, 8,215,568 with `reconstruction`. The paper weighs the sum of squared differences of
 * the reconstruction by 0.0005: `lossWeights: { lengths: 1, reconstruction: 0.0005 * 784 }` with `meanSquaredError`.
 * Not yet compiled.
 */
export function capsuleNetwork(options: CapsuleNetworkOptions = {}): Functional {
  return build('capsuleNetwork', options, { filters: 256, channels: 32 }, 'capsule_network');
}

/** The same with an eighth of the maps and of the capsules, for small data: 269,920 parameters. Not yet compiled. */
export function smallCapsuleNetwork(options: CapsuleNetworkOptions = {}): Functional {
  return build('smallCapsuleNetwork', options, { filters: 32, channels: 4 }, 'small_capsule_network');
}

function build(
  owner: string,
  options: CapsuleNetworkOptions,
  defaults: Required<Pick<CapsuleNetworkOptions, 'filters' | 'channels'>>,
  name: string,
): Functional {
  checkKnownOptions(owner, options, [...KNOWN, 'reconstruction', 'decoderUnits']);
  const { inputShape = [28, 28, 1], seed = 0, decoderUnits = [512, 1024] } = options;
  const count = (option: keyof CapsuleNetworkOptions, fallback: number, least = 1) =>
    wholeNumber(owner, option, options[option] ?? fallback, least);
  const classes = count('classes', 10, 2);
  const kernelSize = count('kernelSize', 9);
  const x = inputSymbol({ shape: inputShape, name: 'image' });
  const filters = count('filters', defaults.filters);
  const features = layers.conv2d({ filters, kernelSize, activation: 'relu', name: 'features' })(x);
  const primary = layers.primaryCapsules({
    ...{ channels: count('channels', defaults.channels), dimension: PRIMARY },
    ...{ kernelSize, strides: 2, name: 'primary_capsules' },
  })(features);
  const routings = count('routings', 3);
  const v = layers.capsule({ capsules: classes, dimension: CLASS, routings, name: 'class_capsules' })(primary);
  const lengths = layers.capsuleLength({ name: 'lengths' })(v);
  if (!trueOrFalse(owner, 'reconstruction', options.reconstruction ?? false)) {
    return model({ inputs: x, outputs: lengths, name, seed });
  }
  const label = inputSymbol({ shape: [classes], name: 'label' });
  const masked = layers.capsuleMask({ name: 'mask' })([v, label]);
  const image = decode(masked, inputShape, checkUnits(owner, decoderUnits));
  return model({ inputs: [x, label], outputs: [lengths, image], name, seed });
}

function decode(masked: SymbolicTensor, inputShape: Shape, units: readonly number[]): SymbolicTensor {
  const hidden = units.reduce((y, count, k) => {
    const name = k === 0 ? 'decoder_hidden' : `decoder_hidden_${k + 1}`;
    return layers.dense({ units: count, activation: 'relu', name })(y);
  }, masked);
  const logits = layers.dense({ units: sizeOf(inputShape), name: 'decoder_output' })(hidden);
  const image = layers.reshape({ targetShape: inputShape })(logits);
  return layers.activation({ activation: 'sigmoid', name: 'reconstruction' })(image);
}

/** @throws DownhillError `argument` unless it is a list of counts. */
function checkUnits(owner: string, units: unknown): readonly number[] {
  if (Array.isArray(units) && units.every((count) => Number.isSafeInteger(count) && count >= 1)) return units;
  throw new DownhillError(
    'argument',
    `${owner}: decoderUnits must be a list of whole numbers such as [512, 1024], found ${show(units)}`,
  );
}

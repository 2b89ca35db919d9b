/**
 * The CIFAR-10 experiments: one VGG-style network, and what each addition does to it.
 *
 * | variant | is | multiply-adds an image |
 * |---|---|---|
 * | I | three blocks of two 3×3 convolutions (16, 32, 64 maps) with pooling, 128 units, ten classes | 10.0 million |
 * | II | I with dropout: 0.2, 0.3, 0.4 behind the blocks, 0.5 behind the units | 10.0 million |
 * | III | II with batch normalisation before each relu | 10.0 million |
 * | IV | III with an L2 penalty of 1e-4 on every kernel | 10.0 million |
 * | V | IV with one more convolution in the last block | 12.4 million |
 * | VI | V with twice the maps and units | 49 million |
 * | VII | VI with mirrored images in training | 49 million |
 *
 * Sources: Simonyan and Zisserman 2015 for the blocks, Srivastava et al. 2014 (dropout), Ioffe and Szegedy 2015 (batch
 * normalisation).
 */

import { checkKnownOptions, oneOf, trueOrFalse } from '../nn/check-options.ts';
import type { Layer } from '../nn/layer.ts';
import { layers } from '../nn/layers/index.ts';
import { l2 } from '../nn/regularizers.ts';
import type { Sequential } from '../train/model/sequential.ts';
import { sequential } from '../train/model/stack.ts';
import { CLASSIFIER_OPTIONS, type ClassifierOptions, classifier } from './options.ts';

/** What a variant is made of. */
interface Parts {
  readonly dropout: boolean;
  readonly batchNorm: boolean;
  readonly deeper: boolean;
  readonly wider: boolean;
  readonly flips: boolean;
  readonly penalty: boolean;
}

const PLAIN: Parts = {
  dropout: false,
  batchNorm: false,
  penalty: false,
  deeper: false,
  wider: false,
  flips: false,
};
const II: Parts = { ...PLAIN, dropout: true };
const III: Parts = { ...II, batchNorm: true };
const IV: Parts = { ...III, penalty: true };
const V: Parts = { ...IV, deeper: true };
const VI: Parts = { ...V, wider: true };
const VII: Parts = { ...VI, flips: true };

export const CIFAR_VARIANTS = {
  I: PLAIN,
  II,
  III,
  IV,
  V,
  VI,
  VII,
} as const satisfies Record<string, Parts>;

export type CifarVariant = keyof typeof CIFAR_VARIANTS;

export interface CifarVggOptions extends ClassifierOptions, Partial<Parts> {
  /** `I` when left out. The other switches add a part to the variant or take it away. */
  readonly variant?: CifarVariant;
}

/** Shares that are dropped behind the blocks and behind the dense layer. */
const DROPOUT = [0.2, 0.3, 0.4, 0.5];
/** Factor of the sum of squares. */
const PENALTY = 1e-4;
const PART_NAMES = Object.keys(PLAIN) as (keyof Parts)[];

/**
 * One of the experiments, for images of at least 8×8 pixels; [32, 32, 3] and ten classes when left out.
 * `cifarVgg({ variant: 'III', flips: true })` is the third with mirrored images. Not yet compiled.
 */
export function cifarVgg(options: CifarVggOptions = {}): Sequential {
  checkKnownOptions('cifarVgg', options, [...CLASSIFIER_OPTIONS, 'variant', ...PART_NAMES]);
  const { variant = 'I', dropout, batchNorm, penalty, deeper, wider, flips, ...common } = options;
  const published: Parts =
    CIFAR_VARIANTS[oneOf('cifarVgg', 'variant', variant, Object.keys(CIFAR_VARIANTS) as CifarVariant[])];
  const given = { dropout, batchNorm, penalty, deeper, wider, flips };
  const parts = Object.fromEntries(
    PART_NAMES.map((name) => [name, trueOrFalse('cifarVgg', name, given[name] ?? published[name])]),
  ) as unknown as Parts;
  const { inputShape, classes, seed, head } = classifier('cifarVgg', common, { inputShape: [32, 32, 3] });
  const maps = [16, 32, 64].map((count) => (parts.wider ? 2 * count : count));
  return sequential(
    [
      ...(parts.flips ? [layers.randomFlip({ mode: 'horizontal' })] : []),
      ...maps.flatMap((filters, block) => [
        ...Array.from({ length: parts.deeper && block === 2 ? 3 : 2 }, () => convolution(filters, parts)).flat(),
        layers.maxPooling2d({ poolSize: 2 }),
        ...(parts.dropout ? [layers.dropout({ rate: DROPOUT[block] })] : []),
      ]),
      layers.flatten(),
      ...withRelu(layers.dense({ units: parts.wider ? 256 : 128, ...kernelOf(parts) }), parts),
      ...(parts.dropout ? [layers.dropout({ rate: DROPOUT[3] })] : []),
      layers.dense({ units: classes, activation: head }),
    ],
    { name: `cifar_vgg_${variant}`, inputShape, seed },
  );
}

function convolution(filters: number, parts: Parts): readonly Layer[] {
  return withRelu(layers.conv2d({ filters, kernelSize: 3, padding: 'same', ...kernelOf(parts) }), parts);
}

/** How kernels start, and what they cost. */
function kernelOf({ penalty }: Parts) {
  return { kernelInitializer: 'heNormal', ...(penalty && { kernelRegularizer: l2({ l2: PENALTY }) }) } as const;
}

function withRelu(layer: Layer, { batchNorm }: Parts): readonly Layer[] {
  const relu = layers.activation({ activation: 'relu' });
  return batchNorm ? [layer, layers.batchNormalization(), relu] : [layer, relu];
}

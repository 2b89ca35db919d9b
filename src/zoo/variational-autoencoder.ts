/**
 * The variational autoencoder: an encoder that gives a normal distribution over a code for each image, a draw from it,
 * and a decoder back to an image. Trained with the images as their own targets and `binaryCrossentropy`.
 *
 * Invariant: cross-entropy and divergence are both per pixel, so that the loss is the negative evidence lower bound (of
 * Kingma and Welling's equation 10, with one draw) in nats over the count of pixels.
 * Source: Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014, appendix C: one hidden layer of 500 tanh
 * units on either side, Bernoulli outputs, codes of 3 to 200 values.
 */

import { checkKnownOptions, trueOrFalse, wholeNumber } from '../nn/check-options.ts';
import { inputSymbol } from '../nn/layers/core/input.ts';
import { layers } from '../nn/layers/index.ts';
import type { SymbolicTensor } from '../nn/symbol.ts';
import { type Functional, model } from '../train/model/functional.ts';
import { sizeOf } from '../util/shape.ts';
import type { ZooOptions } from './options.ts';

export interface VariationalOptions extends ZooOptions {
  /** Values of a code; 20 when left out. */
  readonly latent?: number;
  /** Units of the hidden layers; 500 when left out. */
  readonly units?: number;
}

export interface VariationalAutoencoderOptions extends VariationalOptions {
  /** True for a second input [latent], the noise of the draw, in training and outside of it; false when left out. */
  readonly noiseInput?: boolean;
}

const KNOWN = ['inputShape', 'seed', 'latent', 'units'];

/**
 * 784 → 500 → a code of 20 → 500 → 784: 815,824 parameters on 28×28 grey images. Outside of training the code is the
 * mean of its distribution. Not yet compiled.
 */
export function variationalAutoencoder(options: VariationalAutoencoderOptions = {}): Functional {
  const owner = 'variationalAutoencoder';
  checkKnownOptions(owner, options, [...KNOWN, 'noiseInput']);
  const { inputShape, seed, latent, units } = checked(owner, options);
  const x = inputSymbol({ shape: inputShape, name: 'image' });
  const noise = trueOrFalse(owner, 'noiseInput', options.noiseInput ?? false)
    ? [inputSymbol({ shape: [latent], name: 'noise' })]
    : [];
  const hidden = layers.dense({ units, activation: 'tanh', name: 'encoder_hidden' })(layers.flatten()(x));
  const mean = layers.dense({ units: latent, name: 'mean' })(hidden);
  const logVariance = layers.dense({ units: latent, name: 'log_variance' })(hidden);
  const klWeight = 1 / sizeOf(inputShape);
  const code = layers.sampling({ klWeight, name: 'code' })([mean, logVariance, ...noise]);
  const outputs = decode(code, { inputShape, units });
  return model({ inputs: [x, ...noise], outputs, name: 'variational_autoencoder', seed });
}

/**
 * The decoder alone, from codes [latent] to images, for draws from the standard normal distribution: made with the same
 * options, it takes a trained autoencoder's weights by `await decoder.copyWeightsFrom(autoencoder)`.
 */
export function variationalDecoder(options: VariationalOptions = {}): Functional {
  checkKnownOptions('variationalDecoder', options, KNOWN);
  const { inputShape, seed, latent, units } = checked('variationalDecoder', options);
  const code = inputSymbol({ shape: [latent], name: 'code' });
  return model({ inputs: code, outputs: decode(code, { inputShape, units }), name: 'variational_decoder', seed });
}

type Checked = Required<VariationalOptions>;

function checked(owner: string, options: VariationalOptions): Checked {
  const { inputShape = [28, 28, 1], seed = 0, latent = 20, units = 500 } = options;
  return {
    inputShape,
    seed,
    latent: wholeNumber(owner, 'latent', latent),
    units: wholeNumber(owner, 'units', units),
  };
}

/** The sigmoid comes last, so that the loss sees the logits. */
function decode(code: SymbolicTensor, { inputShape, units }: Pick<Checked, 'inputShape' | 'units'>): SymbolicTensor {
  const hidden = layers.dense({ units, activation: 'tanh', name: 'decoder_hidden' })(code);
  const logits = layers.dense({ units: sizeOf(inputShape), name: 'decoder_output' })(hidden);
  const image = layers.reshape({ targetShape: inputShape })(logits);
  return layers.activation({ activation: 'sigmoid', name: 'reconstruction' })(image);
}

/** Models of the benches that are not in the zoo. */

import type { Layer } from '../../src/nn/layer.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { Sequential } from '../../src/train/sequential.ts';

export interface VggSmallOptions {
  readonly seed?: number;
  /**
   * False leaves the three dropouts out. True when left out. Engines draw other random numbers, so their losses could not
   * be compared with it.
   */
  readonly dropout?: boolean;
}

/** Shares that are dropped behind the blocks. */
const DROPOUT = [0.2, 0.3, 0.4];

/**
 * VGG-small for 32×32 images in ten classes: twice a 3×3 convolution, batch normalisation and relu at 32, 64 and 128 maps,
 * pooling behind each pair; a dense layer at the end. 308,394 trainable parameters.
 */
export function vggSmall({ seed = 0, dropout = true }: VggSmallOptions = {}): Sequential {
  const convolution = (filters: number): Layer[] => [
    layers.conv2d({ filters, kernelSize: 3, padding: 'same' }),
    layers.batchNormalization(),
    layers.activation({ activation: 'relu' }),
  ];
  return new Sequential(
    [
      ...[32, 64, 128].flatMap((filters, block) => [
        ...convolution(filters),
        ...convolution(filters),
        layers.maxPooling2d({ poolSize: 2 }),
        ...(dropout ? [layers.dropout({ rate: DROPOUT[block] })] : []),
      ]),
      layers.flatten(),
      layers.dense({ units: 10, activation: 'softmax' }),
    ],
    { name: 'vgg_small', inputShape: [32, 32, 3], seed },
  );
}

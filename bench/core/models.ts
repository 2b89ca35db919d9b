/** Models of the benches that are not in the zoo. */

import { initializers } from '../../src/nn/initializers.ts';
import type { Layer } from '../../src/nn/layer.ts';
import { layers } from '../../src/nn/layers/index.ts';
import { Sequential } from '../../src/train/model/sequential.ts';

export interface VggSmallOptions {
  readonly seed?: number;
  /**
   * False leaves the three dropouts out. True when left out. Engines draw other random numbers, so their losses could
   * not be compared with it.
   */
  readonly dropout?: boolean;
}

/** Of its range, thus a hundredth of its variance. */
const TENTH_OF_GLOROT = initializers.varianceScaling({ scale: 0.01, mode: 'fanAvg', distribution: 'uniform' });

/** Shares that are dropped behind the blocks. */
const DROPOUT = [0.2, 0.3, 0.4];

/**
 * VGG-small for 32×32 images in ten classes: twice a 3×3 convolution, batch normalisation and relu at 32, 64 and 128
 * maps, pooling behind each pair; a dense layer at the end. 308,394 trainable parameters.
 *
 * The dense layer begins at a tenth of Glorot's range. Its 2048 inputs are all positive: at the whole range the first
 * losses are well above those of guessing, and a change of the weights by 1e-5 grows to 8e-3 of the tenth loss; so does
 * what engines round differently. From here it stays below 2e-5 (batch 32, MOMENTUM of workloads.ts), while losses
 * fall.
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
      layers.dense({ units: 10, activation: 'softmax', kernelInitializer: TENTH_OF_GLOROT }),
    ],
    { name: 'vgg_small', inputShape: [32, 32, 3], seed },
  );
}

/**
 * A page that trains a CNN with batch normalization and dropout on digits: what the library's core is measured by
 * (scripts/check-browser-bundle.ts). Only its size is taken; tests train such nets.
 */

import { digits, layers, sequential, useBackend } from '../../../src/index.ts';

async function main(): Promise<void> {
  await useBackend();
  const { train, test } = digits({ train: 2000, test: 500 });
  const net = sequential([
    layers.input({ shape: [28, 28, 1] }),
    layers.conv2d({ filters: 16, kernelSize: 3, padding: 'same', useBias: false }),
    layers.batchNormalization(),
    layers.relu(),
    layers.maxPooling2d(),
    layers.conv2d({ filters: 32, kernelSize: 3, padding: 'same', activation: 'relu' }),
    layers.maxPooling2d(),
    layers.flatten(),
    layers.dropout({ rate: 0.3 }),
    layers.dense({ units: 10 }),
  ]);
  net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  const { history } = await net.fit(train, { epochs: 2, validationData: test });
  document.body.textContent = JSON.stringify(history);
}

void main();

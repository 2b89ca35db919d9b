/**
 * A page that builds LeNet-5 and trains it with Adam on the embedded digits, and nothing else: the whole of its script
 * has a budget (scripts/check-browser-bundle.ts).
 */

import { digits, layers, sequential, useBackend } from '../../../src/index.ts';

async function main(): Promise<void> {
  await useBackend();
  const { train, test } = digits({ train: 2000, test: 500 });
  const net = sequential([
    layers.input({ shape: [28, 28, 1] }),
    layers.conv2d({ filters: 6, kernelSize: 5, padding: 'same', activation: 'tanh' }),
    layers.averagePooling2d(),
    layers.conv2d({ filters: 16, kernelSize: 5, activation: 'tanh' }),
    layers.averagePooling2d(),
    layers.flatten(),
    layers.dense({ units: 120, activation: 'tanh' }),
    layers.dense({ units: 84, activation: 'tanh' }),
    layers.dense({ units: 10 }),
  ]);
  net.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  const { history } = await net.fit(train, { epochs: 2, validationData: test });
  document.body.textContent = JSON.stringify(history);
}

void main();

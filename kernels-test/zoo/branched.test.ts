/**
 * Networks for ImageNet and CIFAR: published counts, and one training step of a narrow one on small images.
 */

import { afterEach, expect, test as testOfBoth } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { setBackend } from '../../src/runtime/index.ts';
import type { Model } from '../../src/train/model/model.ts';
import { sizeOf } from '../../src/util/shape.ts';
import { alexNet } from '../../src/zoo/alexnet.ts';
import { cifarVgg } from '../../src/zoo/cifar-vgg.ts';
import { googLeNet } from '../../src/zoo/googlenet.ts';
import { resNet18, resNet20, resNet34, resNet50, resNet101, resNet152 } from '../../src/zoo/resnet.ts';
import { vgg16, vgg19 } from '../../src/zoo/vgg.ts';
import { byPart, shortTest as test } from '../support/part.ts';

afterEach(() => setBackend(undefined));

/** Parameters that training changes. */
function trainable(model: Model): number {
  const line = /Trainable params: ([\d,]+)/.exec(model.summary());
  return Number(line?.[1].replaceAll(',', ''));
}

test.each([
  ['ResNet-50', resNet50, 25_636_712, 'keras.applications.ResNet50'],
  ['ResNet-101', resNet101, 44_707_176, 'keras.applications.ResNet101'],
  ['ResNet-152', resNet152, 60_419_944, 'keras.applications.ResNet152'],
  ['GoogLeNet', googLeNet, 6_998_552, 'Szegedy et al. 2015, table 1 with biases'],
] as const)('%s has the published count', (_name, make, count, source) => {
  using model = make();
  expect(model.countParams(), source).toBe(count);
});

test.each([
  ['ResNet-18', resNet18, 11_689_512, 'torchvision resnet18'],
  ['ResNet-34', resNet34, 21_797_672, 'torchvision resnet34'],
  ['ResNet-20', resNet20, 272_474, 'He et al.: 0.27 million (269,722 and the projections)'],
] as const)('%s has the published count of trainable parameters', (_name, make, count, source) => {
  using model = make();
  expect(trainable(model), source).toBe(count);
});

test('GoogLeNet with its auxiliary heads has 13,378,280 parameters and three outputs', () => {
  using model = googLeNet({ auxiliary: true });
  expect(model.countParams()).toBe(13_378_280);
  expect(model.outputShapes).toEqual([[1000], [1000], [1000]]);
});

/** One of each kind first; the others are larger, or like them. */
const STEPS = [
  ['ResNet-18', () => resNet18({ inputShape: [32, 32, 3], classes: 3, width: 0.05 })],
  ['AlexNet', () => alexNet({ inputShape: [67, 67, 3], classes: 3, width: 0.02 })],
  ['AlexNet in two groups', () => alexNet({ inputShape: [67, 67, 3], classes: 3, width: 0.02, groups: 2 })],
  ['ResNet-20', () => resNet20({ inputShape: [16, 16, 3], classes: 3 })],
  ['VGG-16', () => vgg16({ inputShape: [32, 32, 3], classes: 3, width: 0.05 })],
  ['VGG-19', () => vgg19({ inputShape: [32, 32, 3], classes: 3, width: 0.05 })],
  ['ResNet-34', () => resNet34({ inputShape: [32, 32, 3], classes: 3, width: 0.05 })],
  ['ResNet-101', () => resNet101({ inputShape: [32, 32, 3], classes: 3, width: 0.02 })],
  ['ResNet-152', () => resNet152({ inputShape: [32, 32, 3], classes: 3, width: 0.02 })],
  ['CIFAR experiment VII', () => cifarVgg({ variant: 'VII', inputShape: [8, 8, 3], classes: 3 })],
  ['ResNet-50', () => resNet50({ inputShape: [32, 32, 3], classes: 3, width: 0.05 })],
  ['GoogLeNet', () => googLeNet({ inputShape: [32, 32, 3], classes: 3, width: 0.25 })],
] as const;
testOfBoth.each(byPart(STEPS.slice(0, 4), STEPS.slice(4)))('%s trains a step', async (_name, make) => {
  setBackend(createCpuBackend());
  using model = make().compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' });
  const shape = [2, ...model.inputShapes![0]];
  const x = { data: Float32Array.from({ length: sizeOf(shape) }, (_, k) => Math.sin(k)), shape };
  const before = await model.getWeights();
  const { loss } = await model.trainOnBatch(x, [0, 2]);
  expect(loss).toBeGreaterThan(0);
  const after = await model.getWeights();
  const still = before.filter(({ data }, k) => data.every((value, i) => value === after[k].data[i]));
  // Biases in front of a normalisation have no gradient to speak of; kernels all have one.
  expect(still.filter(({ name }) => name.endsWith('/kernel'))).toEqual([]);
});

/**
 * The zoo's parameter counts against published figures, counted without a weight being drawn or a device being asked;
 * and each model is the same again after JSON.
 */
import { describe, expect, test } from 'vitest';
import { modelFromJSON } from '../../src/train/model/load-model.ts';
import { alexNet, capsuleNetwork, ZOO_NAMES, type ZooName, zooEntry, zooModel } from '../../src/zoo/index.ts';

/** Count and where it comes from. */
const PUBLISHED: Readonly<Record<ZooName, readonly [count: number, source: string]>> = {
  perceptron: [3, 'two coordinates and a bias'],
  linear: [9, 'eight features of California housing and a bias'],
  logistic: [31, 'thirty features of the breast cancer data and a bias'],
  softmax: [7850, '784·10 + 10'],
  'mlp-sigmoid': [468_874, '784·512 + 512 + 512·128 + 128 + 128·10 + 10'],
  mlp: [468_874, 'as mlp-sigmoid'],
  'mlp-batch-norm': [471_434, 'as mlp-sigmoid, and 4 × (512 + 128) of the normalisations'],
  'mlp-dropout': [468_874, 'as mlp-sigmoid'],
  lenet: [61_706, 'LeCun et al. 1998, every map connected: 156 + 2416 + 48,120 + 10,164 + 850'],
  'cifar-vgg': [204_570, 'variant I: 72,080 of the six convolutions, 132,490 of the dense layers'],
  'conv-autoencoder': [28_353, 'keras.io/examples/vision/autoencoder: 320 + 3 · 9248 + 289'],
  'dense-autoencoder': [222_384, '784·128 + 128·64 + 64·32 + 32·64 + 64·128 + 128·784, and 1200 biases'],
  'sparse-autoencoder': [201_616, '2 · 784·128 + 128 + 784'],
  'denoising-autoencoder': [222_384, 'as dense-autoencoder'],
  vae: [
    815_824,
    'Kingma and Welling 2014, 500 units, a code of 20: 784·500 + 500 + 2 · (500·20 + 20) + 20·500 + 500 + 500·784 + 784',
  ],
  capsnet: [6_804_224, 'Sabour et al. 2017: 6.8 million; 81·256 + 256 + 81·256·256 + 256 + 1152·8·10·16'],
  'capsnet-small': [269_920, 'as capsnet with 32 maps and 4 kinds of capsules: 2624 + 82,976 + 144·8·10·16'],
  googlenet: [6_998_552, 'Szegedy et al. 2015, table 1 with biases'],
  resnet18: [11_699_112, 'torchvision 11,689,512, and 9600 moving averages'],
  resnet34: [21_814_696, 'torchvision 21,797,672, and 17,024 moving averages'],
  resnet50: [25_636_712, 'keras.applications.ResNet50'],
  resnet101: [44_707_176, 'keras.applications.ResNet101'],
  resnet152: [60_419_944, 'keras.applications.ResNet152'],
  resnet20: [274_042, 'He et al.: 0.27 million; 272,474 trained, 1568 moving averages'],
  alexnet: [62_378_344, 'Krizhevsky et al. 2012, its layers in one tower'],
  vgg16: [138_357_544, 'keras.applications.VGG16; Simonyan and Zisserman: 138 million'],
  vgg19: [143_667_240, 'keras.applications.VGG19; Simonyan and Zisserman: 144 million'],
};

test('every model of the zoo has a published count', () => {
  expect(Object.keys(PUBLISHED).sort()).toEqual([...ZOO_NAMES].sort());
});

describe.each(ZOO_NAMES)('%s', (name) => {
  test('has the published count of parameters, and counting draws none', () => {
    const before = process.memoryUsage().arrayBuffers;
    using model = zooModel(name);
    const [count, source] = PUBLISHED[name];
    expect(model.countParams(), source).toBe(count);
    expect(zooEntry(name).parameters).toBe(count);
    // VGG-16's weights are 553 MB.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16e6);
  });

  test('is the same model again after JSON', () => {
    using model = zooModel(name, { seed: 3 });
    const json = JSON.parse(JSON.stringify(model.toJSON()));
    using again = modelFromJSON(json);
    expect(again.toJSON()).toEqual(json);
    expect(again.seed).toBe(3);
    expect(again.countParams()).toBe(model.countParams());
    expect(again.summary()).toBe(model.summary());
  });

  test('refuses an option that it does not know', () => {
    expect(() => zooModel(name, { inputShap: [28, 28, 1] })).toThrow(/unknown option "inputShap".*"inputShape"/);
  });
});

test('AlexNet in two groups has the paper’s 60 million parameters', () => {
  using model = alexNet({ groups: 2 });
  expect(model.countParams()).toBe(60_965_224);
});

test('the capsule network has the paper’s 8.2 million parameters with its reconstruction', () => {
  using model = capsuleNetwork({ reconstruction: true });
  expect(model.countParams()).toBe(8_215_568);
  expect(model.outputShapes).toEqual([[10], [28, 28, 1]]);
  using again = modelFromJSON(JSON.parse(JSON.stringify(model.toJSON())));
  expect(again.toJSON()).toEqual(model.toJSON());
});

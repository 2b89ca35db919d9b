/**
 * Everything that can be wrong with a command line and the files it names, through the real command: exit status 1, no
 * stack trace, a message that names the input, what was found and what would fit.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MnistBytes } from '../../src/data/sets/mnist.ts';
import { saveModel } from '../../src/train/weights/files.node.ts';
import { zooModel } from '../../src/zoo/index.ts';
import { idxBytes, tinyMnist } from '../data/idx-bytes.ts';
import { expectCliRefusal, runCli, tinyDataFolder } from './run-cli.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'downhill-cli-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A data folder of tiny images, with some of the files replaced. */
const dataFolder = (name: string, change: Partial<MnistBytes> = {}) => tinyDataFolder(join(folder, name), change);

/** A saved softmax regression on 2 × 2 images, with its model.json or its weights changed. */
async function savedModel(
  name: string,
  change: { json?: (text: string) => string; weights?: (bytes: Uint8Array) => Uint8Array } = {},
): Promise<string> {
  const path = join(folder, name);
  using model = zooModel('softmax', { inputShape: [2, 2, 1] });
  model.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  await saveModel(model, path);
  const [json, weights] = [join(path, 'model.json'), join(path, 'weights.safetensors')];
  if (change.json) await writeFile(json, change.json(await readFile(json, 'utf8')));
  if (change.weights) await writeFile(weights, change.weights(await readFile(weights)));
  return path;
}

const train = (...words: string[]) => ['train', '--backend', 'cpu', '--model', 'softmax', ...words];

describe.concurrent('the command line', () => {
  test.each([
    [
      ['trian'],
      [
        /unknown command "trian"; did you mean "train"\? Known: train, evaluate, profile, compare, gradcheck, /,
        /gradcheck, tune, self-test, info/,
      ],
    ],
    [['help', 'evalute'], [/unknown command "evalute"; did you mean "evaluate"/]],
    [['train', '--epoch', '3'], [/train: unknown option --epoch; did you mean --epochs\?/]],
    [['train', '--epochs', '-2'], [/--epochs takes a whole number of at least 1, found "-2"/]],
    [['train', '--batch-size', '0'], [/--batch-size takes a whole number of at least 1, found "0"/]],
    [['train', '--learning-rate', 'NaN'], [/--learning-rate takes a finite number above 0, found "NaN"/]],
    [['train', '--model', 'lennet'], [/unknown value of --model: "lennet"; did you mean "lenet"/]],
    [['train', '--backend', 'gpu'], [/unknown value of --backend: "gpu".* Known: webgpu, cpu/]],
    [['train', '--data', 'x'], [/--data x: the digits are drawn, not read/]],
    [['evaluate', '--model', 'x'], [/evaluate: unknown option --model; did you mean --model-dir\?/]],
    [['evaluate', '--load', 'x'], [/evaluate: unknown option --load; did you mean --model-dir\?/]],
    [['evaluate'], [/--model-dir DIR is needed/]],
    [['profile', '--epochs', '2'], [/profile: unknown option --epochs/]],
    [['profile', '--runs', '0'], [/--runs takes a whole number of at least 1, found "0"/]],
    [['profile', '--top', 'all'], [/--top takes a whole number of at least 1, found "all"/]],
    [['profile', '--trace'], [/--trace needs a value: --trace FILE/]],
    [['profile', '--backend', 'cpu'], [/profile: --backend cpu has no GPU time to show; leave it out/]],
    [['profile', '--batch-size', '99999'], [/profile: --batch-size 99999: digits has \d+ training examples/]],
    [['gradcheck', '--op', 'matmull'], [/unknown op "matmull"; did you mean "matmul"/]],
  ])('refuses %j', (words, messages) => expectCliRefusal(words, messages));
});

describe.concurrent('data', () => {
  const tiny = tinyMnist();
  test.each<[string, Partial<MnistBytes>, RegExp]>([
    ['a truncated file', { testImages: tiny.testImages.subarray(0, 17) }, /t10k-images-idx3-ubyte: found 17 bytes/],
    ['a wrong magic number', { trainLabels: Uint8Array.of(1, 2, 3, 4) }, /train-labels-idx1-ubyte: found magic/],
    [
      'other counts of images and labels',
      { trainLabels: idxBytes(8, [2], [1, 2]) },
      /holds 3 images, .* 2 labels; expected as many/,
    ],
    ['labels out of range', { testLabels: idxBytes(8, [2], [1, 10]) }, /label 10 of example 1 is out of range/],
    [
      'an empty set',
      { trainImages: idxBytes(8, [0, 2, 2], []), trainLabels: idxBytes(8, [0], []) },
      /train-images-idx3-ubyte: no image in it/,
    ],
  ])('refuses %s', async (name, change, message) => {
    const data = await dataFolder(name.replaceAll(' ', '-'), change);
    await expectCliRefusal(train('--dataset', 'mnist', '--data', data), [message]);
  });

  test('refuses a missing folder', () =>
    expectCliRefusal(train('--dataset', 'mnist', '--data', join(folder, 'nowhere')), [
      /mnist: cannot read folder .*nowhere: no such file or folder; expected a folder with train-images/,
    ]));

  test('says what to do without network', () =>
    expectCliRefusal(
      train('--dataset', 'fashion-mnist'),
      [
        /cannot download fashion-mnist\/train-images.*gz:/,
        /https:.*fetch failed \(offline\)/,
        /give a folder .* --data DIR/,
      ],
      {
        env: {
          DOWNHILL_CACHE: join(folder, 'cache'),
          NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(
            "globalThis.fetch = async () => { throw new TypeError('fetch failed', { cause: new Error('offline') }); };",
          )}`,
        },
      },
    ));

  test('refuses images that are too small for the model', async () => {
    const data = await dataFolder('small');
    await expectCliRefusal(
      ['train', '--backend', 'cpu', '--model', 'lenet', '--dataset', 'mnist', '--data', data],
      [
        /model "lenet" takes images .* at least 12×12 pixels; data set "mnist\/train" has images \[2,2,1\]/,
        /Models that fit: softmax, /,
      ],
    );
  });
});

describe.concurrent('saved models', () => {
  // Written once: a test that wrote it again would pull the files from under another one's process.
  let whole: string;
  beforeAll(async () => {
    whole = await dataFolder('whole');
  });
  const evaluate = (modelDir: string) => [
    ...['evaluate', '--backend', 'cpu', '--model-dir', modelDir],
    ...['--dataset', 'mnist', '--data', whole],
  ];

  test('refuses a missing folder', async () =>
    expectCliRefusal(evaluate(join(folder, 'no-model')), [
      /cannot read model .*no-model\/model.json: no such file or folder/,
    ]));

  test.each<[string, Parameters<typeof savedModel>[1], RegExp]>([
    ['truncated weights', { weights: (bytes) => bytes.subarray(0, bytes.length - 3) }, /weights.safetensors: /],
    ['weights that are none', { weights: () => Uint8Array.of(1, 2, 3) }, /weights.safetensors: /],
    ['a model that is not JSON', { json: (text) => text.slice(1) }, /model.json: not JSON/],
    [
      'an unknown layer',
      { json: (text) => text.replace('"Dense"', '"Densse"') },
      /model.json: unknown layer "Densse"; did you mean "Dense"/,
    ],
    [
      'an unknown loss',
      { json: (text) => text.replace('sparseCateg', 'sparceCateg') },
      /model.json: unknown loss "sparceCateg.*did you mean/,
    ],
    [
      'a compiled state that is empty',
      { json: (text) => JSON.stringify({ ...JSON.parse(text), compiled: {} }) },
      /model.json: "compiled.optimizer" is undefined; expected a name and a config/,
    ],
    [
      'a loss that is none',
      { json: (text) => text.replace(/"loss": \{[^}]*\{[^}]*\}[^}]*\}/, '"loss": null') },
      /model.json: "compiled.loss" is null; expected a name and a config/,
    ],
    [
      'an unknown activation',
      { json: (text) => text.replace('"softmax"', '"softmux"') },
      /model.json: unknown activation of dense.* "softmux"; did you mean "softmax"/,
    ],
    [
      'a model of another width',
      { json: (text) => text.replace('"units": 10', '"units": 9') },
      /"dense\/bias" is \[10\].* the model has \[9\]/,
    ],
  ])('refuses %s', async (name, change, message) => {
    const path = await savedModel(name.replaceAll(' ', '-'), change);
    await expectCliRefusal(evaluate(path), [message]);
  });

  test('refuses data of another shape', async () => {
    const path = await savedModel('for-small-images');
    await expectCliRefusal(
      ['evaluate', '--backend', 'cpu', '--model-dir', path],
      [/digits\/test/, /\[28,28,1\]/, /\[2,2,1\]/],
    );
  });
});

describe.concurrent('places to write', () => {
  test('refuses a path that leads through a file, before it trains', async () => {
    const file = join(folder, 'file');
    await writeFile(file, 'kept');
    for (const out of [file, join(file, 'deeper')]) {
      await expectCliRefusal(train('--out', out), [`--out ${out}: cannot write there: `, /is a file, not a folder/]);
    }
    expect(await readFile(file, 'utf8')).toBe('kept');
  });

  test.runIf(existsSync('/proc'))('refuses a place where the system makes no folders', async () => {
    for (const out of ['/proc/foo', '/proc/foo/deeper']) {
      await expectCliRefusal(train('--out', out), [`--out ${out}: cannot write there: no folder can be made in /proc`]);
    }
    using model = zooModel('softmax', { inputShape: [2, 2, 1] });
    await expect(saveModel(model, '/proc/foo')).rejects.toThrow(
      'cannot write /proc/foo/weights.safetensors: no folder can be made in /proc',
    );
  });

  test('leaves no folder behind when the training fails', async () => {
    const out = join(folder, 'diverged');
    const words = ['--limit', '640', '--learning-rate', '1e38', '--optimizer', 'sgd', '--epochs', '3', '--out', out];
    await expectCliRefusal(train(...words, '--json'), [
      /training diverged: the loss is .* at initial learning rate 1e\+38; .* --learning-rate/,
    ]);
    expect(existsSync(out)).toBe(false);
  });

  test('says that there is no adapter when WebGPU was asked for', () =>
    expectCliRefusal(['train', '--backend', 'webgpu', '--limit', '64'], [/WebGPU found no adapter/, /--backend cpu/], {
      env: { VK_DRIVER_FILES: '/dev/null' },
    }));

  test('tells where an error came from with DEBUG=1', async () => {
    const { status, stderr } = await runCli(['trian'], { env: { DEBUG: '1' } });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: DownhillError: unknown command "trian"/);
    expect(stderr).toMatch(/^ {4}at /m);
  });
});

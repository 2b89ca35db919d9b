/** What a network has learned, as plain numbers: its mistakes, its filters, what its layers see in one image. */

import type { ArrayDataset, Model } from '../../../src/index.ts';
import { take } from '../../../src/index.ts';
import type { Insight, Mistake, Planes } from './protocol.ts';

/** Held-out examples that are looked at; more would hold the training up. */
const EXAMINED = 1000;
const MISTAKES = 24;

/** Confusion matrix and mistakes over the first examples of `test`. */
export async function insightOf(model: Model, test: ArrayDataset, classes: number): Promise<Insight> {
  const part = test.size > EXAMINED ? take(test, EXAMINED) : test;
  const x = { data: part.x, shape: [part.size, ...part.xShape] };
  const values = await (await model.predict(x, { batchSize: 200 })).data();
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  const mistakes: Mistake[] = [];
  let right = 0;
  for (let example = 0; example < part.size; example++) {
    const row = values.subarray(example * classes, (example + 1) * classes);
    let answer = 0;
    for (let k = 1; k < classes; k++) if (row[k] > row[answer]) answer = k;
    const truth = part.y[example];
    // Of what is not a number, none is the largest: such an example has no answer.
    if (!row.every(Number.isFinite)) continue;
    confusion[truth][answer]++;
    if (answer === truth) right++;
    else mistakes.push({ example, truth, answer, probability: row[answer] });
  }
  mistakes.sort((a, b) => b.probability - a.probability);
  return { examples: part.size, confusion, accuracy: right / part.size, mistakes: mistakes.slice(0, MISTAKES) };
}

/** What every layer with maps gives for one image: planes of values, most layers of more channels than can be shown. */
export async function featureMaps(model: Model, image: Float32Array, shape: readonly number[]): Promise<Planes[]> {
  const outputs = await model.activationsOnBatch({ data: image, shape: [1, ...shape] });
  return outputs
    .filter((output) => output.shape.length === 4 && output.layer.className !== 'InputLayer')
    .map(({ name, shape: [, height, width, channels], data }) => planes(name, height, width, channels, data));
}

/** The kernels of the convolutions: one plane for each map, the mean over its input channels. */
export async function filtersOf(model: Model): Promise<Planes[]> {
  const weights = await model.getWeights();
  return weights
    .filter(({ name, shape }) => name.endsWith('/kernel') && shape.length === 4)
    .map(({ name, shape: [height, width, inputs, maps], data }) => {
      const mean = new Float32Array(height * width * maps);
      for (let k = 0; k < height * width; k++) {
        for (let map = 0; map < maps; map++) {
          let sum = 0;
          for (let input = 0; input < inputs; input++) sum += data[(k * inputs + input) * maps + map];
          mean[k * maps + map] = sum / inputs;
        }
      }
      return planes(name.replace(/\/kernel$/, ''), height, width, maps, mean);
    });
}

/** From channels last to one plane after the other. */
function planes(name: string, height: number, width: number, channels: number, values: ArrayLike<number>): Planes {
  const data = new Float32Array(height * width * channels);
  for (let pixel = 0; pixel < height * width; pixel++) {
    for (let channel = 0; channel < channels; channel++) {
      data[channel * height * width + pixel] = values[pixel * channels + channel];
    }
  }
  return { name, height, width, channels, data };
}

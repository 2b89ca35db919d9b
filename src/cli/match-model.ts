/**
 * What a model is to learn from a data set: which of the two fit, what the outputs mean, which loss and metric go with
 * them, and the data set's targets in the form that the loss takes.
 *
 * Invariant: a pair that does not fit is refused before anything is built, with what would fit.
 */

import type { ArrayDataset } from '../data/dataset.ts';
import type { TargetKind } from '../nn/losses/index.ts';
import { binaryAccuracy } from '../nn/metrics/accuracy.ts';
import { BYTE_RANGE, bytesAreImages, isBytes } from '../util/bytes.ts';
import { DownhillError } from '../util/errors.ts';
import { formatShape, type Shape, sameShape, sizeOf } from '../util/shape.ts';
import { type Answer, ZOO_NAMES, type ZooEntry, type ZooName, zooEntry } from '../zoo/index.ts';

/** Loss and metric of each kind of answer, unless others are asked for. */
const OBJECTIVES = {
  classes: { loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] },
  yesOrNo: { loss: 'binaryCrossentropy', metrics: ['accuracy'] },
  numbers: { loss: 'meanSquaredError', metrics: ['meanAbsoluteError'] },
  input: { loss: 'binaryCrossentropy', metrics: ['meanSquaredError'] },
} as const satisfies Record<Answer, object>;

/** Loss and metric of outputs that are scores: yes is above 0. */
const SCORES = { loss: 'hinge', metrics: [binaryAccuracy({ name: 'accuracy', threshold: 0 })] } as const;

/** The loss and the metric of a model whose outputs mean `answer`. @param entry of a model of the zoo. */
export function objectiveOf(answer: Answer, entry?: ZooEntry) {
  const objective = entry?.scores === true ? SCORES : OBJECTIVES[answer];
  return entry?.loss === undefined ? objective : { ...objective, loss: entry.loss };
}

/** What the outputs of a model with `outputShape` (of one example) must mean for the examples of `set`. */
export function answerFor(outputShape: Shape, set: ArrayDataset): Answer {
  if (set.xShape.length === 3 && sameShape(outputShape, set.xShape)) return 'input';
  if (set.classNames === undefined) return 'numbers';
  return sizeOf(outputShape) === 1 ? 'yesOrNo' : 'classes';
}

/**
 * The options that make a model of the zoo for `set`.
 * @throws DownhillError `argument` when the two do not fit: what the model takes, what there is, which models fit.
 */
export function optionsFor(name: ZooName, set: ArrayDataset): Readonly<Record<string, unknown>> {
  const entry = zooEntry(name);
  const wanted = misfit(entry, set);
  if (wanted !== undefined) {
    const fitting = ZOO_NAMES.filter((other) => misfit(zooEntry(other), set) === undefined).join(', ');
    throw new DownhillError(
      'argument',
      `model "${name}" takes ${wanted}; data set "${set.name}" has ${describeSet(set)}. Models that fit: ${fitting}`,
    );
  }
  const inputShape = set.xShape;
  if (entry.answers === 'numbers') return { inputShape, outputs: sizeOf(set.yShape) };
  if (entry.answers !== 'classes') return { inputShape };
  return set.classNames === undefined
    ? { inputShape, classes: sizeOf(set.yShape), head: 'linear' }
    : { inputShape, classes: set.classNames.length };
}

/** `set` with the targets that a loss of kind `targets` takes for outputs of `outputShape` that mean `answer`. */
export function withTargets(set: ArrayDataset, answer: Answer, targets: TargetKind, outputShape: Shape): ArrayDataset {
  if (answer === 'input') {
    const y = Float32Array.from(set.x);
    // Bytes that are an image as x are the same image as targets.
    if (isBytes(set.x) && bytesAreImages(set.name, set.x, set.xShape, set.scaleBytes?.x)) {
      for (let k = 0; k < y.length; k++) y[k] /= BYTE_RANGE;
    }
    return valued(set, y, set.xShape);
  }
  if (answer === 'numbers' || targets === 'classes') return set;
  if (answer === 'yesOrNo') return valued(set, Float32Array.from(set.y), [1]);
  const classes = sizeOf(outputShape);
  const y = new Float32Array(set.size * classes);
  for (let row = 0; row < set.size; row++) y[row * classes + set.y[row]] = 1;
  return valued(set, y, [classes]);
}

function valued({ classNames: _, ...set }: ArrayDataset, y: Float32Array, yShape: Shape): ArrayDataset {
  return { ...set, y, yShape };
}

/** What the model takes, when `set` is something else. */
function misfit({ answers, classesOnly, leastSide, sides = 1, loss }: ZooEntry, set: ArrayDataset): string | undefined {
  const { xShape, classNames } = set;
  if (leastSide !== undefined) {
    const [height, width] = xShape;
    const large = xShape.length === 3 && height >= leastSide && width >= leastSide;
    if (!large) return `images [height, width, channels] of at least ${leastSide}×${leastSide} pixels`;
    if (height % sides !== 0 || width % sides !== 0) return `images whose sides are multiples of ${sides}`;
  }
  if (answers === 'yesOrNo' && classNames?.length !== 2) return 'two classes';
  // Any other classifier can have linear outputs instead.
  const telling = classesOnly || (answers === 'classes' && loss !== undefined);
  if (telling && classNames === undefined) return 'classes to tell apart';
  if (answers === 'numbers' && classNames !== undefined) return 'numbers to predict';
  if (answers === 'input' && xShape.length !== 3) return 'images, which it gives back';
  return undefined;
}

function describeSet({ xShape, yShape, classNames }: ArrayDataset): string {
  const examples = xShape.length === 3 ? `images ${formatShape(xShape)}` : `examples of shape ${formatShape(xShape)}`;
  if (classNames !== undefined) return `${examples} of ${classNames.length} classes`;
  return `${examples} with ${sizeOf(yShape) === 1 ? 'a number' : `${sizeOf(yShape)} numbers`} to predict`;
}

/**
 * What a model is to learn from a data set: which of the two fit, what the outputs mean, which loss and metric go with
 * them, and the data set's targets in the form that the loss takes.
 *
 * Invariant: a pair that does not fit is refused before anything is built, with what would fit.
 */

import type { ArrayDataset } from '../data/dataset.ts';
import type { Loss } from '../nn/losses/index.ts';
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

/** Loss and metric of outputs that are scores: above 0 means the second class. */
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

/** Losses of classes whose targets are numbers by their form. */
const OF_CLASSES = /^categorical/;

/**
 * Whether a model with outputs of `outputShape` that mean `answer` can learn from `set` by `loss`.
 * @throws DownhillError `argument` for fewer outputs than classes, and for a loss of classes where there are none.
 */
export function checkOutputs({ name, classNames }: ArrayDataset, answer: Answer, loss: Loss, outputShape: Shape): void {
  // The outputs of a loss that takes any class say nothing about the classes.
  if (answer === 'input' || loss.anyClass) return;
  if (classNames === undefined) {
    if (loss.targets !== 'classes' && !OF_CLASSES.test(loss.name)) return;
    const found = `loss "${loss.name}" tells classes apart; data set "${name}" has numbers to predict`;
    throw new DownhillError('argument', `${found}: meanSquaredError or huber fits`);
  }
  const classes = classNames.length;
  const outputs = outputShape.at(-1) ?? 1;
  // One output tells two classes apart.
  if (outputs >= classes || (outputs === 1 && classes === 2)) return;
  const width = `${outputs} ${outputs === 1 ? 'output' : 'outputs'}`;
  const found = `data set "${name}" has ${classes} classes; the model has ${width}`;
  throw new DownhillError('argument', `${found}: its last layer needs ${classes} units, one for each class`);
}

/**
 * `set` with the targets that `loss` takes for outputs of `outputShape` that mean `answer`.
 * @throws DownhillError as `checkOutputs`, `data` for a class id that has no output.
 */
export function withTargets(set: ArrayDataset, answer: Answer, loss: Loss, outputShape: Shape): ArrayDataset {
  checkOutputs(set, answer, loss, outputShape);
  if (answer === 'input') {
    const y = Float32Array.from(set.x);
    // Bytes that are an image as x are the same image as targets.
    if (isBytes(set.x) && bytesAreImages(set.name, set.x, set.xShape, set.scaleBytes?.x)) {
      for (let k = 0; k < y.length; k++) y[k] /= BYTE_RANGE;
    }
    return valued(set, y, set.xShape);
  }
  if (answer === 'numbers' || loss.targets === 'classes') return set;
  if (answer === 'yesOrNo') return valued(set, Float32Array.from(set.y), [1]);
  const classes = sizeOf(outputShape);
  const y = new Float32Array(set.size * classes);
  set.y.forEach((id, row) => {
    if (!Number.isInteger(id) || id < 0 || id >= classes) {
      const found = `data set "${set.name}": label ${id} of example ${row} has no output`;
      throw new DownhillError('data', `${found}; expected 0 to ${classes - 1} (the model has ${classes} outputs)`);
    }
    y[row * classes + id] = 1;
  });
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
  if (answers === 'input' && xShape.length !== 3) return 'images, which it reproduces';
  return undefined;
}

function describeSet({ xShape, yShape, classNames }: ArrayDataset): string {
  const examples = xShape.length === 3 ? `images ${formatShape(xShape)}` : `examples of shape ${formatShape(xShape)}`;
  if (classNames !== undefined) return `${examples} of ${classNames.length} classes`;
  return `${examples} with ${sizeOf(yShape) === 1 ? 'a number' : `${sizeOf(yShape)} numbers`} to predict`;
}

/**
 * LeNet-5 on embedded digits: it learns, it takes the reference's first steps, a steady step is one submit, and its
 * weights survive being saved.
 */

import {
  type Backend,
  type Callback,
  digits,
  type History,
  lenet5,
  optimizers,
  Sequential,
  setBackend,
  type WebGPUBackend,
} from '../../../src/index.ts';
import { type CallCounts, callsOf, countCalls } from './call-counts.ts';
import { type Check, expect } from './check.ts';

const TRAIN = 512;
const BATCH = 64;
const EPOCHS = 2;
const COMPARED_STEPS = 3;
/** Relative; 2e-7 was measured with SwiftShader. */
const TOLERANCE = 1e-5;

export const { train, test } = digits({ train: TRAIN, test: 100 });

/** LeNet-5, ready to train; the same weights every time. */
export function compiledLenet(): Sequential {
  return lenet5({ seed: 7 }).compile({
    optimizer: optimizers.adam({ learningRate: 0.004 }),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  });
}

export async function checkTraining(check: Check, backend: WebGPUBackend, reference: Backend): Promise<void> {
  setBackend(backend);
  using model = compiledLenet();
  const steps: CallCounts[] = [];
  let history: History | undefined;
  await check(`LeNet-5 learns: ${TRAIN} digits, ${EPOCHS} epochs, batch ${BATCH}`, async () => {
    const callbacks = [countSteps(backend, steps)];
    history = await model.fit(train, { batchSize: BATCH, epochs: EPOCHS, verbose: 0, callbacks });
    const { loss, accuracy } = history.history;
    expect(history.lossHistory.length === (EPOCHS * TRAIN) / BATCH, `${history.lossHistory.length} steps`);
    expect(loss[1] < 0.9 * loss[0], `the loss does not fall: ${loss}`);
    expect(accuracy[1] > accuracy[0], `the accuracy does not rise: ${accuracy}`);
    const { firstStepMs, stepMsMedian } = history.facts;
    const speed = `first step ${firstStepMs.toFixed()} ms, then ${stepMsMedian.toFixed()} ms`;
    return `loss ${loss.map((value) => value.toFixed(4)).join(' → ')}; ${speed}; digest ${history.digest}`;
  });

  await check(`its first ${COMPARED_STEPS} losses are those of the CPU in f64`, async () => {
    expect(history !== undefined, 'there was no training');
    const expected = await firstLosses(reference);
    const errors = Array.from(expected, (value, k) => Math.abs(history!.lossHistory[k] - value) / Math.abs(value));
    expect(errors.length === COMPARED_STEPS, `${errors.length} steps were taken`);
    expect(Math.max(...errors) <= TOLERANCE, `relative errors ${errors}`);
    return `largest relative error ${Math.max(...errors).toPrecision(2)}`;
  });

  await check('a steady step is 1 submit and 1 pass, and makes nothing new', () => {
    expect(history !== undefined, 'there was no training');
    const steady = steps.slice(-4);
    expect(steady.length === 4, `${steps.length} steps were counted`);
    const dispatches = history.facts.dispatchesPerStep;
    expect(dispatches <= 24, `${dispatches} dispatches a step`);
    for (const { calls, counters } of steady) {
      const found = JSON.stringify({ calls, counters });
      // Losses are read back every few steps; each such read is a submit of its own.
      expect(calls.submit === 1 + calls.mapAsync && counters.submits === calls.submit, found);
      expect(counters.passes === 1 && calls.dispatchWorkgroups === dispatches, found);
      expect(counters.dispatches === dispatches && calls.create === 0, found);
      expect(counters.buffersCreated + counters.bindGroupsCreated + counters.pipelinesCreated === 0, found);
    }
    expect(history.facts.submitsPerStep === 1, `${history.facts.submitsPerStep} submits a step`);
    return `${dispatches} dispatches`;
  });

  await check('saved to bytes and loaded again, it predicts the same bits', async () => {
    setBackend(backend);
    const saved = await model.save();
    using loaded = Sequential.load({ json: saved.json, weights: saved.weights.slice() });
    const [expected, found] = [await predictTest(model), await predictTest(loaded)];
    expect(expected.length === test.size * 10, `${expected.length} values`);
    const different = expected.findIndex((value, k) => !Object.is(value, found[k]));
    expect(different < 0, `value ${different}: ${found[different]}, expected ${expected[different]}`);
    expect(new Set(expected).size > test.size, 'the predictions are all alike');
    return `${saved.weights.length} bytes of weights`;
  });
}

/** Probabilities for the held-out digits. */
export async function predictTest(model: Sequential): Promise<Float32Array> {
  const x = { data: test.x, shape: [test.size, ...test.xShape] };
  return (await (await model.predict(x, { batchSize: 50 })).data()) as Float32Array;
}

/** The losses of the first steps of the same training on `backend`. */
async function firstLosses(backend: Backend): Promise<Float32Array> {
  setBackend(backend);
  using model = compiledLenet();
  const stop: Callback = {
    onBatchBegin(batch) {
      if (batch === COMPARED_STEPS - 1) model.stopTraining = true;
    },
  };
  const options = { batchSize: BATCH, epochs: EPOCHS, verbose: 0, callbacks: [stop] } as const;
  return (await model.fit(train, options)).lossHistory;
}

/** Appends to `steps` what was called between the beginning of a step and that of the next. */
function countSteps(backend: WebGPUBackend, steps: CallCounts[]): Callback {
  const count = countCalls(backend);
  let before: CallCounts | undefined;
  return {
    onBatchBegin() {
      const now = count();
      if (before !== undefined) steps.push(callsOf(before, now));
      before = now;
    },
  };
}

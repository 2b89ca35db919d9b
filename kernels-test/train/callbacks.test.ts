/** Callbacks by themselves: what the progress bar writes, when early stopping and the NaN guard act, in which order. */
import { describe, expect, test } from 'vitest';
import {
  type Callback,
  CallbackList,
  type TrainedModel,
  type TrainingParams,
} from '../../src/train/callbacks/callback.ts';
import { EarlyStopping } from '../../src/train/callbacks/early-stopping.ts';
import { lambdaCallback } from '../../src/train/callbacks/lambda-callback.ts';
import { ProgressBar } from '../../src/train/callbacks/progress-bar.ts';
import { TerminateOnNaN } from '../../src/train/callbacks/terminate-on-nan.ts';
import { expectRefusal } from '../data/refusal.ts';

const params: TrainingParams = {
  epochs: 2,
  initialEpoch: 0,
  steps: 4,
  batchSize: 10,
  samples: 35,
  metrics: ['loss', 'accuracy', 'valLoss', 'valAccuracy'],
};

function fakeModel(): TrainedModel {
  const unused = () => Promise.reject(new Error('no such model'));
  return {
    name: 'fake',
    stopTraining: false,
    learningRate: 0.1,
    getWeights: async () => [],
    restoreWeights: () => {},
    ...{ save: unused, gradientsOnBatch: unused, activationsOnBatch: unused },
  };
}

describe('ProgressBar', () => {
  function write(isTTY: boolean, columns = 200): string {
    let text = '';
    let clock = 0;
    const bar = new ProgressBar({ isTTY, columns, write: (part) => (text += part) }, () => clock);
    bar.onTrainBegin(params);
    for (let epoch = 0; epoch < 2; epoch++) {
      bar.onEpochBegin(epoch);
      for (let batch = 0; batch < 4; batch++) {
        clock += 500;
        bar.onBatchEnd(batch, { loss: 4 - batch, accuracy: 0.1 }, { loss: 4 - batch / 2, accuracy: 0.5 });
      }
      bar.onEpochEnd(epoch, { loss: 2.7143, accuracy: 0.5, valLoss: 1e-4 });
    }
    return text;
  }

  test('on a terminal it writes one line again and again and ends it with the epoch', () => {
    const lines = write(true).split('\n');
    expect(lines).toHaveLength(3);
    const states = lines[0].split('\r\u001b[2K').slice(1);
    expect(states).toEqual([
      `epoch 1/2 1/4 ${'━'.repeat(5)}${'╌'.repeat(15)} · 2.00 steps/s · ETA 0:02 · loss 4.0000 · accuracy 0.5000`,
      `epoch 1/2 2/4 ${'━'.repeat(10)}${'╌'.repeat(10)} · 2.00 steps/s · ETA 0:01 · loss 3.5000 · accuracy 0.5000`,
      `epoch 1/2 3/4 ${'━'.repeat(15)}${'╌'.repeat(5)} · 2.00 steps/s · ETA 0:01 · loss 3.0000 · accuracy 0.5000`,
      `epoch 1/2 4/4 ${'━'.repeat(20)} · 0:02 · 2.00 steps/s · loss 2.7143 · accuracy 0.5000 · valLoss 1.000e-4`,
    ]);
  });

  test('a line never wraps while it is written again', () => {
    const [line] = write(true, 40).split('\n');
    const states = line.split('\r\u001b[2K').slice(1);
    expect(states.slice(0, -1).every((state) => state.length < 40)).toBe(true);
  });

  test('elsewhere it writes plain lines', () => {
    expect(write(false)).toBe(
      'epoch 1/2 4/4 · 0:02 · 2.00 steps/s · loss 2.7143 · accuracy 0.5000 · valLoss 1.000e-4\n' +
        'epoch 2/2 4/4 · 0:02 · 2.00 steps/s · loss 2.7143 · accuracy 0.5000 · valLoss 1.000e-4\n',
    );
  });
});

describe('EarlyStopping', () => {
  function epochsUntilStop(callback: EarlyStopping, monitor: string, values: readonly number[]): number {
    const model = fakeModel();
    callback.onTrainBegin(params, model);
    for (const [epoch, value] of values.entries()) {
      callback.onEpochEnd(epoch, { [monitor]: value });
      if (model.stopTraining) return epoch + 1;
    }
    return Number.POSITIVE_INFINITY;
  }

  // The counts are those of keras.callbacks.EarlyStopping on the same values.
  test.each([
    [{}, [3, 2, 2.5, 1], 3],
    [{ patience: 1 }, [3, 2, 2.5, 1], 3],
    [{ patience: 2 }, [3, 2, 2.5, 1, 1.5, 1.2], 6],
    [{ minDelta: 0.6, patience: 2 }, [3, 2.5, 2.45, 2.2], 3],
    [{ mode: 'max' as const }, [1, 2, 3, 3], 4],
    [{}, [Number.NaN, 1, 2], 3],
  ])('%j on %j stops after %i epochs', (options, values, expected) => {
    // Keras keeps a first NaN for ever; here the first real number replaces it.
    expect(epochsUntilStop(new EarlyStopping(options), 'valLoss', values)).toBe(expected);
  });

  test('accuracies are better when they are larger', () => {
    const callback = new EarlyStopping({ monitor: 'valAccuracy' });
    expect(epochsUntilStop(callback, 'valAccuracy', [0.5, 0.6, 0.55])).toBe(3);
    expect([callback.best, callback.bestEpoch, callback.stoppedEpoch]).toEqual([0.6, 1, 2]);
  });

  test('refuses what is not there to monitor', async () => {
    const start = (monitor: string, metrics = params.metrics) =>
      new EarlyStopping({ monitor }).onTrainBegin({ ...params, metrics }, fakeModel());
    await expectRefusal(
      () => start('valAcuracy'),
      'argument',
      /no "valAcuracy" to monitor; did you mean "valAccuracy"/,
    );
    await expectRefusal(() => start('valLoss', ['loss']), 'argument', /val… needs validation data/);
    await expectRefusal(() => new EarlyStopping({ patience: -1 }), 'argument', /patience/);
    await expectRefusal(
      () => new EarlyStopping({ mode: 'maximum' as 'max' }),
      'argument',
      /unknown mode of earlyStopping/,
    );
  });
});

test('TerminateOnNaN ends training at the first loss that is no finite number', () => {
  const model = fakeModel();
  const callback = new TerminateOnNaN();
  callback.onTrainBegin(params, model);
  callback.onBatchEnd(0, { loss: 1 });
  expect(model.stopTraining).toBe(false);
  callback.onBatchEnd(1, { loss: Number.NaN });
  callback.onBatchEnd(2, { loss: Number.POSITIVE_INFINITY });
  expect(model.stopTraining).toBe(true);
  expect(callback.stoppedBatch).toBe(1);
});

describe('CallbackList', () => {
  test('calls each in turn and awaits those that ask for it', async () => {
    const seen: string[] = [];
    const slow: Callback = {
      onBatchEnd: async (batch) => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        seen.push(`slow ${batch}`);
      },
    };
    const fast = lambdaCallback({ onBatchEnd: (batch) => void seen.push(`fast ${batch}`) });
    await new CallbackList([slow, fast]).onBatchEnd(0, {}, {});
    expect(seen).toEqual(['slow 0', 'fast 0']);
  });

  test('a batch hook that returns nothing costs no promise', () => {
    const list = new CallbackList([lambdaCallback({ onBatchEnd: () => {} }), {}]);
    expect(list.onBatchEnd(0, {}, {})).toBeUndefined();
    expect(list.onBatchBegin(0)).toBeUndefined();
  });

  test('refuses hooks that are none', async () => {
    await expectRefusal(
      () => lambdaCallback({ onEpochsEnd: () => {} } as Callback),
      'argument',
      /"onEpochsEnd"; did you mean "onEpochEnd"/,
    );
    await expectRefusal(
      () => lambdaCallback({ onEpochEnd: 3 } as unknown as Callback),
      'argument',
      /onEpochEnd must be a function, found 3/,
    );
  });
});

/** Callbacks by themselves: what the progress bar writes, when early stopping and the NaN guard act, in which order. */
import { describe, expect, test } from 'vitest';
import { type Callback, CallbackList } from '../../src/train/callbacks/callback.ts';
import { EarlyStopping } from '../../src/train/callbacks/early-stopping.ts';
import { lambdaCallback } from '../../src/train/callbacks/lambda-callback.ts';
import { learningRateScheduler } from '../../src/train/callbacks/learning-rate-scheduler.ts';
import { modelCheckpoint } from '../../src/train/callbacks/model-checkpoint.ts';
import { ProgressBar } from '../../src/train/callbacks/progress-bar.ts';
import { reduceLROnPlateau } from '../../src/train/callbacks/reduce-lr-on-plateau.ts';
import { TerminateOnNaN } from '../../src/train/callbacks/terminate-on-nan.ts';
import { expectRefusal } from '../data/refusal.ts';
import { fakeModel, drivenParams as params } from './fake-model.ts';

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

  test('a terminal that says it has 0 columns has an unknown number of them', () => {
    expect(write(true, 0)).toBe(write(true, 100));
    expect(write(true, 0)).not.toBe(write(true, 20));
  });

  test('it shows how far a long validation is, on a terminal and elsewhere', () => {
    const written = (isTTY: boolean, wait: number): string => {
      let text = '';
      let clock = 0;
      const bar = new ProgressBar({ isTTY, write: (part) => (text += part) }, () => clock);
      bar.onTrainBegin(params);
      bar.onEpochBegin(0);
      bar.onBatchEnd(3, { loss: 1 }, { loss: 1 });
      for (let batch = 0; batch < 3; batch++) {
        clock += wait;
        bar.onValidationBatchEnd(batch, batch === 2 ? undefined : 9);
      }
      return text;
    };
    expect(written(true, 200)).toMatch(/4\/4 ━{20} · validating 1\/9.*validating 2\/9.*validating 3$/s);
    expect(written(true, 10)).toBe('');
    expect(written(false, 12_000)).toBe(
      'epoch 1/2 4/4 · validating 1/9\nepoch 1/2 4/4 · validating 2/9\nepoch 1/2 4/4 · validating 3\n',
    );
    expect(written(false, 200)).toBe('');
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

describe('monitored values', () => {
  const start = (monitor: string, metrics = params.metrics) =>
    new EarlyStopping({ monitor }).onTrainBegin({ ...params, metrics }, fakeModel());

  test('what is not there to monitor is refused, by every callback that monitors', async () => {
    await expectRefusal(
      () => start('valAcuracy'),
      'argument',
      /^earlyStopping: there is no "valAcuracy" to monitor; did you mean "valAccuracy"/,
    );
    await expectRefusal(() => start('valLoss', ['loss']), 'argument', /val… needs validation data/);
    await expectRefusal(
      () => reduceLROnPlateau({ monitor: 'los' }).onTrainBegin(params, fakeModel()),
      'argument',
      'reduceLROnPlateau: there is no "los" to monitor; did you mean "loss"',
    );
    await expectRefusal(
      () =>
        modelCheckpoint({
          path: 'best',
          save: () => {},
          saveBestOnly: true,
          monitor: 'accurcy',
          mode: 'max',
        }).onTrainBegin(params, fakeModel()),
      'argument',
      'modelCheckpoint: there is no "accurcy" to monitor; did you mean "accuracy"',
    );
  });

  test('options that are not accepted are refused', async () => {
    await expectRefusal(() => new EarlyStopping({ patience: -1 }), 'argument', /patience/);
    await expectRefusal(() => new EarlyStopping({ baseline: Number.NaN }), 'argument', /earlyStopping: baseline/);
    await expectRefusal(() => new EarlyStopping({ restoreBestWeight: true } as object), 'argument', /did you mean/);
    await expectRefusal(
      () => new EarlyStopping({ mode: 'maximum' as 'max' }),
      'argument',
      /unknown mode of earlyStopping/,
    );
    await expectRefusal(() => reduceLROnPlateau({ factor: 1 }), 'argument', /factor .* below 1, found 1/);
    await expectRefusal(() => reduceLROnPlateau({ minLr: -1 }), 'argument', /minLr/);
    await expectRefusal(() => learningRateScheduler(0.1 as never), 'argument', /takes a function/);
  });

  test.each([
    ['valAccuracy', [0.5, 0.6, 0.55]],
    ['recall', [0.5, 0.6, 0.55]],
    ['valAuc', [0.5, 0.6, 0.55]],
    ['head_topKCategoricalAccuracy', [0.5, 0.6, 0.55]],
    ['valMae', [3, 2, 2.5]],
    ['valMeanSquaredError', [3, 2, 2.5]],
    ['accuracyHead_loss', [3, 2, 2.5]],
  ])('the direction of %s is known', (monitor, values) => {
    const callback = new EarlyStopping({ monitor });
    callback.onTrainBegin({ ...params, metrics: [monitor] }, fakeModel());
    for (const [epoch, value] of values.entries()) callback.onEpochEnd(epoch, { [monitor]: value });
    expect([callback.best, callback.bestEpoch, callback.stoppedEpoch]).toEqual([values[1], 1, 2]);
  });

  test('a name of unknown direction needs a mode', async () => {
    await expectRefusal(() => start('valMine', ['valMine']), 'argument', /say mode: 'min' or mode: 'max'/);
    const told = new EarlyStopping({ monitor: 'valMine', mode: 'max' });
    told.onTrainBegin({ ...params, metrics: ['valMine'] }, fakeModel());
    for (const [epoch, value] of [1, 2].entries()) await told.onEpochEnd(epoch, { valMine: value });
    expect(told.best).toBe(2);
  });

  test('NaN is never the best value, first or later', async () => {
    const callback = new EarlyStopping({ patience: 3, restoreBestWeights: true });
    const read: number[] = [];
    let epoch = 0;
    const restored: unknown[] = [];
    callback.onTrainBegin(params, {
      ...fakeModel(),
      getWeights: async () => {
        read.push(epoch);
        return [{ name: String(epoch), shape: [], data: Float32Array.of(epoch) }];
      },
      restoreWeights: (values) => void restored.push((values as readonly { name: string }[])[0].name),
    });
    for (const value of [Number.NaN, 2, Number.NaN, 1, Number.NaN]) {
      await callback.onEpochEnd(epoch, { valLoss: value });
      epoch++;
    }
    callback.onTrainEnd();
    expect([callback.best, callback.bestEpoch]).toEqual([1, 3]);
    expect(read).toEqual([1, 3]);
    expect(restored).toEqual(['3']);
  });

  test('nothing but NaN is no improvement', async () => {
    const model = fakeModel();
    const callback = new EarlyStopping({ patience: 2 });
    callback.onTrainBegin(params, model);
    await callback.onEpochEnd(0, { valLoss: Number.NaN });
    expect(model.stopTraining).toBe(false);
    await callback.onEpochEnd(1, { valLoss: Number.NaN });
    expect([model.stopTraining, callback.stoppedEpoch, callback.best]).toEqual([true, 1, undefined]);
  });

  test('a schedule function is held to its promise', async () => {
    const scheduler = learningRateScheduler(() => Number.NaN);
    scheduler.onTrainBegin(params, fakeModel());
    await expectRefusal(() => scheduler.onEpochBegin(4), 'argument', /it gave NaN for epoch 4/);
  });
});

test('TerminateOnNaN ends training at the first loss that is not a finite number', () => {
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

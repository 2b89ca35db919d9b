/** Test helper: a training for callbacks that are driven by hand. */

import type { TrainedModel, TrainingParams } from '../../src/train/callbacks/callback.ts';

/** A training of 35 examples in four steps, twice. */
export const drivenParams: TrainingParams = {
  epochs: 2,
  initialEpoch: 0,
  steps: 4,
  batchSize: 10,
  samples: 35,
  metrics: ['loss', 'accuracy', 'valLoss', 'valAccuracy'],
};

/** A model that can be told of, and does nothing. */
export function fakeModel(): TrainedModel {
  const unused = () => Promise.reject(new Error('no such model'));
  return {
    name: 'fake',
    stopTraining: false,
    learningRate: 0.1,
    followsSchedule: false,
    iterations: 0,
    getWeights: async () => [],
    restoreWeights: () => {},
    toJSON: () => ({}),
    ...{ save: unused, gradientsOnBatch: unused, activationsOnBatch: unused },
  };
}

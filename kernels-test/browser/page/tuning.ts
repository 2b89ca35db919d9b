/**
 * Tuning in a page: a model is tuned, what was found lies in IndexedDB, and a second backend takes it from there and plans
 * with it; the losses stay what they were.
 */

import {
  layers,
  loadTuning,
  requestWebGPUBackend,
  type Sequential,
  saveTuning,
  sequential,
  setBackend,
  type Tuning,
  tune,
  type WebGPUBackend,
} from '../../../src/index.ts';
import { type Check, expect } from './check.ts';
import { train } from './training.ts';

const BATCH = 32;
const BUDGET_MS = 8000;
/** Relative; sums in another order. */
const TOLERANCE = 1e-4;

function model(): Sequential {
  return sequential(
    [
      layers.flatten(),
      layers.dense({ units: 24, activation: 'relu' }),
      layers.dense({ units: 10, activation: 'softmax' }),
    ],
    {
      seed: 5,
    },
  ).compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' });
}

async function losses(backend: WebGPUBackend): Promise<Float32Array | readonly number[]> {
  setBackend(backend);
  using trained = model();
  return (await trained.fit(train, { batchSize: BATCH, epochs: 1, verbose: 0 })).lossHistory;
}

export async function checkTuning(check: Check, backend: WebGPUBackend): Promise<void> {
  let tuning: Tuning | undefined;
  let before: ArrayLike<number> = [];
  await check('a model is tuned in a page', async () => {
    before = await losses(backend);
    expect((await loadTuning(backend)) === undefined, 'a fresh profile has a tuning');
    using tuned = model();
    const report = await tune(tuned, train, { batchSize: BATCH, budgetMs: BUDGET_MS });
    expect(report.kernels.length > 0, 'no kernel was tuned');
    ({ tuning } = report);
    return `${report.kernels.length} of ${report.total} kernels in ${report.seconds.toFixed(1)} s`;
  });

  await check('its tuning is kept in IndexedDB, and a second backend uses it', async () => {
    expect(tuning !== undefined, 'there is none');
    const place = await saveTuning(tuning);
    const second = await requestWebGPUBackend(navigator.gpu);
    const loaded = await loadTuning(second);
    expect(JSON.stringify(loaded) === JSON.stringify(tuning), 'another tuning came back');
    for (const [key, { tile }] of Object.entries(tuning.entries)) {
      expect(JSON.stringify(second.target.tiles?.get(key)) === JSON.stringify(tile), `${key} is planned otherwise`);
    }
    const after = await losses(second);
    const errors = Array.from(before, (value, k) => Math.abs(after[k] - value) / Math.abs(value));
    expect(errors.length > 0 && Math.max(...errors) <= TOLERANCE, `the losses differ: ${errors}`);
    await second.dispose();
    return place;
  });
  setBackend(backend);
}

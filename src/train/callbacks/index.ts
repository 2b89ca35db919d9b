/**
 * The callbacks that downhill brings, as factory functions. Those that write files are in `index.node.ts`.
 */

import { activationStatistics } from './activation-statistics.ts';
import { deadUnitMonitor } from './dead-unit-monitor.ts';
import { earlyStopping } from './early-stopping.ts';
import { gradientStatistics } from './gradient-statistics.ts';
import { lambdaCallback } from './lambda-callback.ts';
import { learningRateScheduler } from './learning-rate-scheduler.ts';
import { modelCheckpoint } from './model-checkpoint.ts';
import { progressBar } from './progress-bar.ts';
import { reduceLROnPlateau } from './reduce-lr-on-plateau.ts';
import { terminateOnNaN } from './terminate-on-nan.ts';

export const callbacks = {
  progressBar,
  earlyStopping,
  reduceLROnPlateau,
  learningRateScheduler,
  terminateOnNaN,
  modelCheckpoint,
  gradientStatistics,
  activationStatistics,
  deadUnitMonitor,
  lambdaCallback,
};

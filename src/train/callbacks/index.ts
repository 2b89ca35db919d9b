/**
 * The callbacks that downhill brings, as factory functions.
 */

import { earlyStopping } from './early-stopping.ts';
import { lambdaCallback } from './lambda-callback.ts';
import { progressBar } from './progress-bar.ts';
import { terminateOnNaN } from './terminate-on-nan.ts';

export const callbacks = { progressBar, earlyStopping, terminateOnNaN, lambdaCallback };

/**
 * LambdaCallback: functions in place of a class, as in Keras.
 */

import { checkKnownOptions, show } from '../../nn/check-options.ts';
import { DownhillError } from '../../util/errors.ts';
import type { Callback } from './callback.ts';

/** All there are; a test compares them with the type. */
export const HOOKS = [
  ...['onCheck', 'onResume', 'onTrainBegin', 'onCompile', 'onEpochBegin', 'onBatchBegin', 'onBatchEnd'],
  ...['onValidationBatchEnd', 'onEpochEnd', 'onTrainEnd'],
];

/**
 * A callback of the given functions: `lambdaCallback({ onEpochEnd: (epoch, logs) => … })`.
 * @throws DownhillError `argument` for an unknown hook or a hook that is not a function.
 */
export function lambdaCallback(hooks: Callback): Callback {
  checkKnownOptions('lambdaCallback', hooks, HOOKS);
  for (const [name, hook] of Object.entries(hooks)) {
    if (typeof hook === 'function') continue;
    throw new DownhillError('argument', `lambdaCallback: ${name} must be a function, found ${show(hook)}`);
  }
  return { ...hooks };
}

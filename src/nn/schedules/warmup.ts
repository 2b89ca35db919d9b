/**
 * A warm-up before any schedule or constant rate: the rate rises in a straight line to where the schedule starts, which
 * then begins at its own step 0. The line is that of Keras' `CosineDecay` with `warmup_target` (from 0: `from`).
 * Source: Goyal et al., "Accurate, Large Minibatch SGD", arXiv:1706.02677, section 2.2.
 */

import { DownhillError } from '../../util/errors.ts';
import { numberBetween, show, wholeNumber } from '../check-options.ts';
import { isSchedule, type LearningRateSchedule, type ScheduleConfig } from './schedule.ts';

/**
 * `schedule` after `steps` steps of warm-up from rate `from` (0): `warmup(cosineDecay({ … }), 500)`,
 * `warmup(0.1, 500)`.
 * @throws DownhillError `argument` for anything that is not accepted.
 */
export function warmup(schedule: LearningRateSchedule | number, steps: number, from = 0): LearningRateSchedule {
  if (!isSchedule(schedule) && !(typeof schedule === 'number' && Number.isFinite(schedule) && schedule >= 0)) {
    const wanted = 'a schedule or a finite rate of at least 0';
    throw new DownhillError('argument', `warmup: expected ${wanted}, found ${show(schedule)}`);
  }
  const length = wholeNumber('warmup', 'steps', steps);
  const start = numberBetween('warmup', 'from', from, 0);
  const after = (step: number): number => (typeof schedule === 'number' ? schedule : schedule.at(step));
  const inner: number | ScheduleConfig =
    typeof schedule === 'number' ? schedule : { schedule: schedule.name, config: schedule.config };
  return {
    name: 'warmup',
    config: { schedule: inner, steps: length, from: start },
    at: (step) => (step < length ? start + (after(0) - start) * (step / length) : after(step - length)),
  };
}

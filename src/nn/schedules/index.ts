/**
 * The schedules by name, and the one place that turns saved JSON into a schedule.
 */

import { unknownName } from '../../util/errors.ts';
import { checkKnownOptions } from '../check-options.ts';
import { customObject } from '../custom-objects.ts';
import { cosineDecay } from './cosine-decay.ts';
import { cosineDecayRestarts } from './cosine-decay-restarts.ts';
import { exponentialDecay, inverseTimeDecay, piecewiseConstantDecay, polynomialDecay } from './decays.ts';
import { oneCycle } from './one-cycle.ts';
import { isSchedule, isScheduleConfig, type LearningRateSchedule, type ScheduleConfig } from './schedule.ts';
import { warmup } from './warmup.ts';

export { CosineDecay, type CosineDecayOptions, cosineDecay } from './cosine-decay.ts';
export { type CosineDecayRestartsOptions, cosineDecayRestarts } from './cosine-decay-restarts.ts';
export {
  type DecayOptions,
  exponentialDecay,
  inverseTimeDecay,
  type PiecewiseConstantDecayOptions,
  type PolynomialDecayOptions,
  piecewiseConstantDecay,
  polynomialDecay,
} from './decays.ts';
export { type OneCycleOptions, oneCycle } from './one-cycle.ts';
export { isSchedule, isScheduleConfig, type LearningRateSchedule, type ScheduleConfig } from './schedule.ts';
export { warmup } from './warmup.ts';

/** All schedules by name. */
export const schedules = {
  cosineDecay,
  cosineDecayRestarts,
  exponentialDecay,
  inverseTimeDecay,
  polynomialDecay,
  piecewiseConstantDecay,
  oneCycle,
  warmup,
};

type Make = (config: ScheduleConfig['config']) => LearningRateSchedule;

/** @throws DownhillError `argument` for an unknown name or option. */
export function resolveSchedule({ schedule, config }: ScheduleConfig): LearningRateSchedule {
  const own = customObject(schedule);
  const made = typeof own === 'function' ? own(config) : own;
  if (isSchedule(made)) return made;
  if (!Object.hasOwn(schedules, schedule)) throw unknownName('schedule', schedule, Object.keys(schedules));
  if (schedule === 'warmup') {
    checkKnownOptions('warmup', config, ['schedule', 'steps', 'from']);
    const inner = isScheduleConfig(config.schedule) ? resolveSchedule(config.schedule) : config.schedule;
    return warmup(inner as LearningRateSchedule | number, config.steps as number, config.from as number | undefined);
  }
  return (schedules[schedule as keyof typeof schedules] as unknown as Make)(config);
}

/**
 * Learning-rate schedules: the step size as a function of the step. Evaluated on the host and uploaded with the step's
 * scalars, so a schedule costs no dispatch and no compilation.
 */

/** Plain JSON data: numbers, switches, lists of numbers, and the schedule inside of another. */
export type ScheduleValue = number | boolean | readonly number[] | ScheduleConfig;

/** A schedule as JSON holds it. */
export interface ScheduleConfig {
  readonly schedule: string;
  readonly config: Readonly<Record<string, ScheduleValue>>;
}

/** A rate for every step. */
export interface LearningRateSchedule {
  /** `cosineDecay`: the name in JSON. */
  readonly name: string;
  /** The options that make this schedule again. */
  readonly config: Readonly<Record<string, ScheduleValue>>;
  /** The rate of update `step`; the first is 0, as in Keras. */
  at(step: number): number;
}

export function isSchedule(value: unknown): value is LearningRateSchedule {
  return typeof value === 'object' && value !== null && 'at' in value && typeof value.at === 'function';
}

export function isScheduleConfig(value: unknown): value is ScheduleConfig {
  return typeof value === 'object' && value !== null && 'schedule' in value;
}

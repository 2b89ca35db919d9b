/**
 * The schedules by name, and the one place that turns saved JSON into a schedule.
 */

import { unknownName } from '../../util/errors.ts';
import { type CosineDecayOptions, cosineDecay } from './cosine-decay.ts';
import type { LearningRateSchedule } from './schedule.ts';

export { CosineDecay, type CosineDecayOptions, cosineDecay } from './cosine-decay.ts';
export type { LearningRateSchedule } from './schedule.ts';

const schedules = { cosineDecay };

/** A schedule as it stands in JSON. */
export interface ScheduleConfig {
  readonly schedule: string;
  readonly config: Readonly<Record<string, number>>;
}

/** @throws DownhillError `argument` for an unknown name or option. */
export function resolveSchedule({ schedule, config }: ScheduleConfig): LearningRateSchedule {
  if (!Object.hasOwn(schedules, schedule)) throw unknownName('schedule', schedule, Object.keys(schedules));
  return schedules[schedule as keyof typeof schedules](config as unknown as CosineDecayOptions);
}

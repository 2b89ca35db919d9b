/**
 * Learning-rate schedules: the step size as a function of the step. Evaluated on the host and uploaded with the step's
 * scalars, so a schedule costs no dispatch and no compilation.
 */

/** A rate for every step. */
export interface LearningRateSchedule {
  /** `cosineDecay`: the name in JSON. */
  readonly name: string;
  /** The options that make this schedule again. */
  readonly config: Readonly<Record<string, number>>;
  /** The rate of update `step`; the first is 0, as in Keras. */
  at(step: number): number;
}

/**
 * The environment table: every switch that downhill reads, typed, in one place; docs/environment.md is generated from
 * it. In a browser there is no environment, and every switch has its default.
 */

export interface Environment {
  /** 1 devices and plans loaded · 2 the dispatches of each plan · 3 what was not fused · 4 WGSL · 5 the graph. */
  readonly debug: number;
  /** Every plan step compared with the CPU; stops at the first divergence. */
  readonly validate: boolean;
  /** A kernel a node. */
  readonly noFuse: boolean;
  /** A buffer a value. */
  readonly noPlan: boolean;
  /** Folder for the repros of VALIDATE, or undefined. */
  readonly dump: string | undefined;
  /** False ignores stored tunings. */
  readonly tuning: boolean;
}

export const ENVIRONMENT_TABLE = [
  {
    name: 'DEBUG',
    meaning:
      '1 devices and plans loaded (and stack traces in the command line), 2 the dispatches of each plan, ' +
      '3 what was not fused and why, 4 WGSL, 5 the graph after each pass',
  },
  { name: 'VALIDATE', meaning: '1: compares every dispatch with the CPU reference and stops at the first divergence' },
  { name: 'NOFUSE', meaning: '1: every node gets its own kernel' },
  { name: 'NOPLAN', meaning: '1: every value gets its own buffer' },
  { name: 'DUMP', meaning: 'folder for the repros of VALIDATE; runs/validate when left out' },
  { name: 'DOWNHILL_CACHE', meaning: 'folder for downloaded data sets and tunings; ~/.cache/downhill when left out' },
  { name: 'DOWNHILL_TUNING', meaning: 'off: ignores the tiles that `downhill tune` has stored' },
] as const;

/** The switches as they are now. */
export function environment(): Environment {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  const variables = process?.env ?? {};
  return {
    debug: Number.parseInt(variables.DEBUG ?? '0', 10) || 0,
    validate: isSet(variables.VALIDATE),
    noFuse: isSet(variables.NOFUSE),
    noPlan: isSet(variables.NOPLAN),
    dump: variables.DUMP || undefined,
    tuning: variables.DOWNHILL_TUNING !== 'off' && variables.DOWNHILL_TUNING !== '0',
  };
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0';
}

/** What the page asks of its worker. */

import type { SelfTestProgress, SelfTestReport } from '../../src/self-test.ts';

export interface Tester {
  /** Opens the adapter. @returns its description, and the names of the ops that can be tested. */
  open(cpu: boolean): Promise<{ readonly adapter: string; readonly ops: readonly string[] }>;
  /** Tests `ops`. To stop it, end the worker. */
  run(ops: readonly string[], seed: number, onProgress: (progress: SelfTestProgress) => void): Promise<SelfTestReport>;
}

/**
 * Checks without a test framework: a name, and a body that throws when the check fails and may return a word on what it
 * found. Each result is reported as soon as it is known; one failure does not stop the checks after it.
 */

export interface CheckResult {
  readonly name: string;
  readonly passed: boolean;
  /** What was found, or why it failed. */
  readonly detail: string;
  readonly ms: number;
}

export type Report = (result: CheckResult) => void | Promise<void>;

/** Runs `body`, which may return a word on what it found, and reports what came of it. */
export type Check = (name: string, body: () => unknown) => Promise<void>;

export function checker(report: Report): Check {
  return async (name, body) => {
    const started = performance.now();
    const result = (passed: boolean, detail: string) => ({ name, passed, detail, ms: performance.now() - started });
    try {
      const found = await body();
      await report(result(true, typeof found === 'string' ? found : ''));
    } catch (error) {
      await report(result(false, error instanceof Error ? (error.stack ?? error.message) : String(error)));
    }
  };
}

/** @throws Error saying `message` unless `condition` holds. */
export function expect(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** Test helper: that a call is refused with a DownhillError of a given code whose message names what it should. */
import { expect } from 'vitest';
import { DownhillError, type ErrorCode } from '../../src/util/errors.ts';

/** Awaits `call`, expects a DownhillError of `code` whose message matches all of `messages`, and returns it. */
export async function expectRefusal(
  call: () => unknown,
  code: ErrorCode,
  ...messages: readonly (string | RegExp)[]
): Promise<DownhillError> {
  let error: unknown;
  try {
    await call();
  } catch (thrown) {
    error = thrown;
  }
  expect(error, 'expected a refusal').toBeInstanceOf(DownhillError);
  const refusal = error as DownhillError;
  expect(refusal.code, refusal.message).toBe(code);
  for (const message of messages) expect(refusal.message).toMatch(message);
  return refusal;
}

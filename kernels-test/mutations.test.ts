/** The list of scripts/mutate.ts does not rot: each line that it would break still stands where it says. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { applyMutation } from '../scripts/mutate.ts';
import { mutations } from '../scripts/mutations.ts';

test.each(mutations.map((mutation) => [mutation.name, mutation] as const))('%s', (_name, mutation) => {
  const text = readFileSync(new URL(`../${mutation.file}`, import.meta.url), 'utf8');
  expect(applyMutation(mutation, text)).not.toBe(text);
  const [file] = mutation.tests;
  expect(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')).toContain('test');
});

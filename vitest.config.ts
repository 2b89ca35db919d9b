/**
 * How tests run: one process a file (Dawn's native state dies with it), two at a time (the software adapter uses every
 * core by itself), files that take longest first, long limits (the adapter is slow, and its first pipelines compile for
 * seconds; a shared machine is slower still). `npm test` first sees to the adapter; types are tested by `npm run typecheck`.
 */

import { defineConfig } from 'vitest/config';
import { LongestFirst } from './scripts/test-durations.ts';
import { patternsOf, TEST_SET_VARIABLE } from './scripts/test-sets.ts';
import { viteShaders } from './scripts/vite-shaders.ts';

export default defineConfig({
  plugins: [viteShaders()],
  test: {
    ...patternsOf(process.env[TEST_SET_VARIABLE]),
    environment: 'node',
    // What somebody has tuned on this machine must not decide which kernels are tested.
    env: { DOWNHILL_TUNING: 'off' },
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    reporters: ['default', './scripts/slowest-tests.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    teardownTimeout: 60_000,
    // A focused test left behind would silently switch the others off.
    allowOnly: false,
  },
});

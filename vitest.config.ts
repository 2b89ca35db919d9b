/**
 * How tests run: one process a file (Dawn's native state dies with it), two at a time (the software adapter uses every
 * core by itself), long limits (it is slow, and its first pipelines compile for seconds). `npm test` first sees to the
 * adapter; types are tested by `npm run typecheck`.
 */

import { defineConfig } from 'vitest/config';
import { viteShaders } from './scripts/vite-shaders.ts';

export default defineConfig({
  plugins: [viteShaders()],
  test: {
    include: ['kernels-test/**/*.test.ts'],
    environment: 'node',
    // What somebody has tuned on this machine must not decide which kernels are tested.
    env: { DOWNHILL_TUNING: 'off' },
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
    // A focused test left behind would silently switch the others off.
    allowOnly: false,
  },
});

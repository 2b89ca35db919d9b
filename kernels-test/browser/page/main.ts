/**
 * The page: puts a watch on `navigator.gpu`, and only then loads the library and the checks. What runs the test calls
 * `runBrowserChecks`, which the page leaves on its window.
 */

import type { Report } from './check.ts';

const native = navigator.gpu;
let reads = 0;
Object.defineProperty(navigator, 'gpu', {
  configurable: true,
  get() {
    reads++;
    return native;
  },
});

window.runBrowserChecks = async (report) => {
  const { runChecks } = await import('./checks.ts');
  await runChecks(report, reads);
};

declare global {
  interface Window {
    runBrowserChecks(report: Report): Promise<void>;
  }
}

/**
 * Kernels broken on purpose, to see that a page notices: the script of a page's worker gets a prologue that changes the
 * WGSL on its way to the device. The engine and the page stay as they are built.
 */

import type { Page } from 'playwright-core';

export interface Breakage {
  /** Part of the worker script's name. */
  readonly worker: string;
  /** Pattern in a kernel's WGSL, and what takes its place. */
  readonly pattern: RegExp;
  readonly replacement: string;
}

/** From now on, workers that `page` starts hand changed kernels to the device. */
export async function breakKernels(page: Page, { worker, pattern, replacement }: Breakage): Promise<void> {
  const prologue = `{
  const create = GPUDevice.prototype.createShaderModule;
  GPUDevice.prototype.createShaderModule = function (descriptor) {
    const code = descriptor.code.replace(${pattern}, ${JSON.stringify(replacement)});
    return create.call(this, { ...descriptor, code });
  };
}\n`;
  await page.route(`**/${worker}*.js`, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: prologue + (await response.text()) });
  });
}

/**
 * Is there WebGPU? Asked on the page, before the engine is fetched, so that the answer comes at once; and what to do
 * where there is none, with the CPU backend as an offer, never as a silent substitute.
 */

import { button } from './shell.ts';

/** What the user may do where WebGPU is missing. */
export interface MissingWebGPU {
  readonly reason: string;
  readonly advice: readonly string[];
}

/** Undefined when there is an adapter. */
export async function missingWebGPU(): Promise<MissingWebGPU | undefined> {
  if (!isSecureContext) {
    return {
      reason: 'This page was not loaded securely, and browsers give WebGPU to secure pages only.',
      advice: ['Open it over https, or from localhost or 127.0.0.1.'],
    };
  }
  if (navigator.gpu === undefined) {
    return { reason: 'This browser does not offer WebGPU.', advice: browserAdvice(navigator.userAgent) };
  }
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  if (adapter !== null) return undefined;
  return {
    reason: 'The browser offers WebGPU but finds no graphics adapter for it.',
    advice: [
      'Turn on hardware acceleration in the settings of the browser (System), then restart it.',
      'Update the graphics driver; chrome://gpu says why WebGPU is off.',
      'On Linux, Chrome needs Vulkan: start it with --enable-unsafe-webgpu --enable-features=Vulkan.',
    ],
  };
}

function browserAdvice(agent: string): string[] {
  if (/Firefox\//.test(agent)) {
    return [
      'Firefox has WebGPU on Windows (141 and later) and on macOS with Apple chips (145 and later).',
      'Elsewhere: open about:config, set dom.webgpu.enabled to true, and restart it; or use Chrome or Edge.',
    ];
  }
  if (/Safari\//.test(agent) && !/Chrom(e|ium)\//.test(agent)) {
    return ['Safari has WebGPU from version 26 on; before that, switch it on under Develop › Feature Flags › WebGPU.'];
  }
  return ['Use Chrome or Edge 113 or later (Android: 121), Safari 26, or Firefox 141 on Windows.'];
}

/** Puts the answer into `host`: the reason, what may be done, and `after`. @returns the panel. */
export function explainMissing(host: HTMLElement, missing: MissingWebGPU, after: string): HTMLElement {
  const panel = document.createElement('section');
  panel.className = 'panel wide';
  panel.id = 'no-webgpu';
  const title = document.createElement('h2');
  title.textContent = missing.reason;
  const list = document.createElement('ul');
  for (const advice of missing.advice)
    list.append(Object.assign(document.createElement('li'), { textContent: advice }));
  const words = document.createElement('p');
  words.textContent = after;
  panel.append(title, list, words);
  host.prepend(panel);
  return panel;
}

/** The same with a button that goes on with the CPU. Resolves when it was pressed. */
export function offerCpu(host: HTMLElement, missing: MissingWebGPU): Promise<void> {
  return new Promise((resolve) => {
    const after = 'Or continue on the CPU: the same results. Small networks train well there, large ones slowly.';
    const panel = explainMissing(host, missing, after);
    const accept = () => {
      panel.remove();
      runsOnCpu();
      resolve();
    };
    panel.append(button('Continue on the CPU', accept, 'primary'));
  });
}

/** From now on the page computes on the CPU: it hides what only a device has (`.gpu-only`). */
export function runsOnCpu(): void {
  document.documentElement.dataset.backend = 'cpu';
}

/** What is to be said before the first step: on the CPU nothing is compiled. */
export function preparing(built = 0, total = 0, backend = document.documentElement.dataset.backend): string {
  if (backend === 'cpu') return 'Getting ready …';
  return total === 0 ? 'Compiling …' : `Compiling: ${built} of ${total} kernels`;
}

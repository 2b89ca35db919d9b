/** The start page says whether this browser can run the demos on a GPU. Its cards are HTML; no engine is loaded here. */

import './start.css';
import { PAGES } from './pages.ts';
import { element, showDevice, startPage } from './shared/shell.ts';
import { missingWebGPU } from './shared/webgpu-check.ts';

startPage();

const missing = await missingWebGPU();
if (missing === undefined) {
  const info = (await navigator.gpu.requestAdapter())?.info;
  const parts = [info?.vendor, info?.architecture, info?.description].filter(Boolean);
  showDevice(`WebGPU is here: ${parts.join(', ') || 'the browser keeps the name of the adapter to itself'}`);
} else {
  showDevice('No WebGPU here');
  const panel = document.createElement('section');
  panel.className = 'panel wide';
  const list = document.createElement('ul');
  for (const advice of missing.advice)
    list.append(Object.assign(document.createElement('li'), { textContent: advice }));
  const without = PAGES.filter(({ needsWebGPU }) => needsWebGPU).map(({ title }) => title);
  const after = `Every demo but ${without.join(' and ')} runs on the CPU instead: the same results. Small networks train well there, large ones slowly.`;
  panel.append(
    Object.assign(document.createElement('h2'), { textContent: missing.reason }),
    list,
    Object.assign(document.createElement('p'), { textContent: after }),
  );
  element('status').append(panel);
}

/**
 * The start page says whether this browser can run the demos on a GPU. Its cards are HTML; no engine is loaded here.
 */

import './start.css';
import { PAGES } from './pages.ts';
import { element, showDevice, startPage } from './shared/shell.ts';
import { explainMissing, missingWebGPU } from './shared/webgpu-check.ts';

startPage();

const missing = await missingWebGPU();
if (missing === undefined) {
  const info = (await navigator.gpu.requestAdapter())?.info;
  const parts = [info?.vendor, info?.architecture, info?.description].filter(Boolean);
  showDevice(`WebGPU is here: ${parts.join(', ') || 'the browser keeps the name of the adapter to itself'}`);
} else {
  showDevice('No WebGPU here');
  const without = PAGES.filter(({ needsWebGPU }) => needsWebGPU).map(({ title }) => title);
  const after =
    `Every demo except ${without.join(' and ')} also runs on the CPU, with the same results. ` +
    'Small networks train well there, large ones slowly.';
  explainMissing(element('status'), missing, after);
}

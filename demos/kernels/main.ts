/**
 * The Kernels page: the adapter, its ceilings, a row per kernel, a training step next to other libraries; all as JSON.
 */

import './kernels.css';
import { adapterReport, binaryBytes } from '../shared/adapter.ts';
import { exportJson } from '../shared/export-json.ts';
import { element, showDevice, startPage } from '../shared/shell.ts';
import { explainMissing, missingWebGPU } from '../shared/webgpu-check.ts';
import { kernelView } from './kernel-view.ts';
import { stepView } from './step-view.ts';

startPage();

const missing = await missingWebGPU();
if (missing === undefined) await start();
else {
  const words = 'Nothing can be measured without it: the CPU backend is written to be read, not to be fast.';
  explainMissing(element('status'), missing, words);
  showDevice('No WebGPU here');
  for (const button of document.querySelectorAll<HTMLButtonElement>('main form button')) button.disabled = true;
}

async function start(): Promise<void> {
  const adapter = await adapterReport();
  const { name, limits, features } = adapter;
  const has = (feature: string): string => (features.includes(feature) ? 'yes' : 'no');
  const figures = {
    name,
    buffer: binaryBytes(limits.maxStorageBufferBindingSize),
    bindings: String(limits.maxStorageBuffersPerShaderStage),
    threads: String(limits.maxComputeInvocationsPerWorkgroup),
    shared: binaryBytes(limits.maxComputeWorkgroupStorageSize),
    timestamps: has('timestamp-query'),
    subgroups: has('subgroups'),
  };
  for (const [key, text] of Object.entries(figures)) element(`adapter-${key}`).textContent = text;
  showDevice(name);

  const results = exportJson(element('export'), 'downhill-kernels', () => ({
    date: new Date().toISOString(),
    adapter,
    ...kernels.result(),
    steps: steps.result(),
  }));
  const kernels = kernelView(() => results.enable(true));
  const steps = stepView(() => results.enable(true));
}

/** The Self-test page: starts the worker, shows each op as it is done, and gives the report. */

import './self-test.css';
import { proxy, wrap } from 'comlink';
import type { OpSelfTest, SelfTestReport } from '../../src/self-test.ts';
import { type AdapterReport, adapterReport } from '../shared/adapter.ts';
import { exportJson } from '../shared/export-json.ts';
import { element, messageOf, notify, showDevice, startPage } from '../shared/shell.ts';
import { SortableTable } from '../shared/sortable-table.ts';
import { missingWebGPU, offerCpu } from '../shared/webgpu-check.ts';
import type { Tester } from './tester.ts';

startPage();

const form = element<HTMLFormElement>('settings');
const run = element<HTMLButtonElement>('run');
const stop = element<HTMLButtonElement>('stop');
const progress = element<HTMLProgressElement>('progress');
const seed = element<HTMLInputElement>('seed');
const error = (value: number | null, compared: number): string =>
  compared === 0 ? '' : value === null ? 'NaN or ∞' : value.toExponential(1);

const table = new SortableTable<OpSelfTest>(element<HTMLTableElement>('ops'), [
  { title: 'op', value: ({ name }) => name },
  {
    title: 'result',
    value: ({ pass }) => (pass ? 'pass' : 'FAIL'),
    className: ({ pass }) => (pass ? 'pass' : 'fail'),
  },
  { title: 'calls', numeric: true, value: ({ samples }) => samples },
  {
    title: 'worst error',
    numeric: true,
    value: ({ worstError, samples }) => (samples === 0 ? Number.NaN : (worstError ?? Number.POSITIVE_INFINITY)),
    text: ({ worstError, samples }) => error(worstError, samples),
  },
  {
    title: 'tolerance',
    numeric: true,
    value: ({ tolerance }) => tolerance,
    text: ({ tolerance }) => (tolerance === 0 ? 'exact' : tolerance.toExponential(1)),
  },
  { title: 'gradients', numeric: true, value: ({ gradients }) => gradients },
  {
    title: 'worst gradient error',
    numeric: true,
    value: (op) => (op.gradients === 0 ? Number.NaN : (op.worstGradientError ?? Number.POSITIVE_INFINITY)),
    text: (op) => error(op.worstGradientError, op.gradients),
  },
  { title: 'what is wrong', value: ({ message }) => message, className: () => 'message' },
]);

let report: SelfTestReport | undefined;
let adapter: AdapterReport | undefined;
let cpu = false;
let cancel: (why: Stopped) => void = () => {};

const results = exportJson(element('export'), 'downhill-self-test', () => ({
  date: new Date().toISOString(),
  browser: navigator.userAgent,
  complete: report !== undefined,
  ...(report ?? { ops: table.rows }),
  adapter: adapter ?? 'CPU backend, f32',
}));

class Stopped extends Error {}

const missing = await missingWebGPU();
if (missing === undefined) {
  adapter = await adapterReport();
  show('adapter', adapter.name);
  showDevice(adapter.name);
} else {
  run.disabled = true;
  showDevice('No WebGPU here');
  await offerCpu(element('status'), missing);
  cpu = true;
  run.disabled = false;
  show('adapter', 'CPU backend, f32');
  showDevice('CPU backend, f32: no WebGPU here');
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  if (run.disabled) return;
  run.disabled = true;
  stop.disabled = false;
  verdict('Starting…');
  await test();
  run.disabled = false;
  stop.disabled = true;
});
stop.addEventListener('click', () => cancel(new Stopped()));
element<HTMLInputElement>('only-failed').addEventListener('change', ({ target }) => {
  const only = (target as HTMLInputElement).checked;
  table.filter(({ pass }) => !only || !pass);
});

async function test(): Promise<void> {
  const worker = new Worker(new URL('./self-test.worker.ts', import.meta.url), { type: 'module' });
  const ended = new Promise<never>((_, reject) => {
    cancel = reject;
    worker.onerror = ({ message }) => reject(new Error(message || 'the worker could not be loaded'));
  });
  const tester = wrap<Tester>(worker);
  try {
    const opened = await Promise.race([tester.open(cpu), ended]);
    const filter = element<HTMLInputElement>('filter').value.trim().toLowerCase();
    const ops = opened.ops.filter((name) => name.toLowerCase().includes(filter));
    if (ops.length === 0) {
      verdict(`No op has a name that contains “${filter}”; relu, matmul and conv2d have.`);
      return;
    }
    table.clear();
    report = undefined;
    progress.value = 0;
    showSums();
    verdict(`Testing ${ops[0]}, 1 of ${ops.length}…`);
    const onProgress = proxy(({ op, done, total }: { op: OpSelfTest; done: number; total: number }) => {
      table.add(op);
      progress.value = done / total;
      showSums();
      results.enable(true);
      if (done < total) verdict(`Testing ${ops[done]}, ${done + 1} of ${total}…`);
    });
    report = await Promise.race([tester.run(ops, Number(seed.value), onProgress), ended]);
    const { pass, failed, milliseconds } = report;
    const seconds = (milliseconds / 1000).toFixed(1);
    if (pass) verdict(`All ${report.ops.length} ops pass, in ${seconds} s.`, 'pass');
    else verdict(`${failed.length} of ${report.ops.length} ops fail: ${failed.join(', ')}.`, 'fail');
  } catch (problem) {
    if (problem instanceof Stopped) verdict(`Stopped after ${table.rows.length} ops.`);
    else {
      verdict('Stopped by an error.', 'fail');
      notify(`The self-test stopped: ${messageOf(problem)}`, { kind: 'error', key: 'self-test' });
    }
  } finally {
    worker.terminate();
  }
}

function showSums(): void {
  const { rows } = table;
  const sum = (of: (op: OpSelfTest) => number): string => String(rows.reduce((total, op) => total + of(op), 0));
  const worst = rows.reduce((most, { worstError }) => Math.max(most, worstError ?? 0), 0);
  show('tested', String(rows.length));
  show(
    'passed',
    sum(({ pass }) => Number(pass)),
  );
  show(
    'failed',
    sum(({ pass }) => Number(!pass)),
  );
  show(
    'samples',
    sum(({ samples }) => samples),
  );
  show(
    'gradients',
    sum(({ gradients }) => gradients),
  );
  show('worst', rows.length === 0 ? '–' : worst.toExponential(1));
}

function verdict(text: string, kind: 'pass' | 'fail' | '' = ''): void {
  element('state').className = `verdict ${kind}`;
  show('state', text);
}

function show(id: string, text: string): void {
  element(id).textContent = text;
}

/** The Self-test page: starts the worker, shows each op as it is done, and gives the report. */

import './self-test.css';
import { proxy } from 'comlink';
import type { OpSelfTest, SelfTestProgress, SelfTestReport } from '../../src/self-test.ts';
import { type AdapterReport, adapterReport } from '../shared/adapter.ts';
import { switchControls } from '../shared/controls.ts';
import { exportJson } from '../shared/export-json.ts';
import { element, messageOf, notify, showDevice, startPage } from '../shared/shell.ts';
import { SortableTable } from '../shared/sortable-table.ts';
import { missingWebGPU, offerCpu } from '../shared/webgpu-check.ts';
import { Job, Stopped } from '../shared/worker/start.ts';

startPage();

const form = element<HTMLFormElement>('settings');
const run = element<HTMLButtonElement>('run');
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
const job = new Job('self-test');

const results = exportJson(element('export'), 'downhill-self-test', () => ({
  date: new Date().toISOString(),
  browser: navigator.userAgent,
  complete: report !== undefined,
  ...(report ?? { ops: table.rows }),
  adapter: adapter ?? 'CPU backend, f32',
}));

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
  switchRunning(true);
  verdict('Starting…');
  await test();
  switchRunning(false);
});
element('stop').addEventListener('click', () => job.stop());
element<HTMLInputElement>('only-failed').addEventListener('change', ({ target }) => {
  const only = (target as HTMLInputElement).checked;
  table.filter(({ pass }) => !only || !pass);
});

function switchRunning(running: boolean): void {
  switchControls({ run: !running, stop: running }, ['run', 'stop']);
}

async function test(): Promise<void> {
  try {
    report = await job.run(async (tester, during) => {
      const opened = await tester.open(cpu);
      const filter = element<HTMLInputElement>('filter').value.trim().toLowerCase();
      const ops = opened.ops.filter((name) => name.toLowerCase().includes(filter));
      if (ops.length === 0) {
        verdict(`No op has a name that contains “${filter}”; relu, matmul and conv2d have.`);
        return report;
      }
      table.clear();
      report = undefined;
      progress.value = 0;
      showSums();
      verdict(`Testing ${ops[0]}, 1 of ${ops.length}…`);
      const onProgress = during(({ op, done, total }: SelfTestProgress) => {
        table.add(op);
        progress.value = done / total;
        showSums();
        results.enable(true);
        if (done < total) verdict(`Testing ${ops[done]}, ${done + 1} of ${total}…`);
      });
      const found = await tester.run(ops, Number(seed.value), proxy(onProgress));
      showReport(found);
      return found;
    });
  } catch (problem) {
    if (problem instanceof Stopped) verdict(`Stopped after ${table.rows.length} ops.`);
    else {
      verdict('Stopped by an error.', 'fail');
      notify(`The self-test stopped: ${messageOf(problem)}`, { kind: 'error', key: 'self-test' });
    }
  }
}

function showReport({ pass, failed, milliseconds, ops }: SelfTestReport): void {
  const seconds = (milliseconds / 1000).toFixed(1);
  if (pass) verdict(`All ${ops.length} ops pass, in ${seconds} s.`, 'pass');
  else verdict(`${failed.length} of ${ops.length} ops fail: ${failed.join(', ')}.`, 'fail');
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

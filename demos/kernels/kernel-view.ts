/** The ceilings of the adapter and a row for each kernel, measured in a worker that Stop ends. */

import { proxy } from 'comlink';
import type { Ceilings } from '../../bench/core/ceilings.ts';
import type { KernelRow } from '../../bench/core/kernel-rows.ts';
import { formatNumber } from '../../bench/core/table.ts';
import { switchControls } from '../shared/controls.ts';
import { element, messageOf, notify } from '../shared/shell.ts';
import { SortableTable } from '../shared/sortable-table.ts';
import { type During, Job, Stopped } from '../shared/worker/start.ts';
import type { KernelEvents } from './workers.ts';

export interface KernelResult {
  readonly ceilings: Ceilings | undefined;
  readonly rows: readonly KernelRow[];
}

/** Probes of the ceilings, about: for the progress bar only. */
const PROBES = 25;

/** @param onResult is called when there is something to export. */
export function kernelView(onResult: () => void): { result(): KernelResult } {
  const measure = element<HTMLButtonElement>('measure');
  const progress = element<HTMLProgressElement>('progress');
  const table = new SortableTable<KernelRow>(element<HTMLTableElement>('rows'), [
    { title: 'op', value: ({ op }) => op },
    { title: 'sample', value: ({ shapes }) => shapes },
    { title: 'ms', numeric: true, value: ({ ms }) => ms, text: ({ ms }) => formatNumber(ms) },
    { title: 'GFLOP/s', numeric: true, value: ({ gflops }) => gflops, text: ({ gflops }) => formatNumber(gflops) },
    { title: 'GB/s', numeric: true, value: ({ gbs }) => gbs, text: ({ gbs }) => formatNumber(gbs) },
    {
      title: '% of ceiling',
      numeric: true,
      value: ({ percent }) => percent,
      text: ({ percent }) => formatNumber(percent),
    },
    { title: 'bound by', value: ({ bound }) => bound },
    { title: 'clock', value: ({ clock }) => clock },
    { title: 'note', value: ({ note }) => note },
  ]);
  let ceilings: Ceilings | undefined;
  const job = new Job('kernels');

  async function run(): Promise<void> {
    try {
      await job.run(async (bench, during) => {
        const filter = element<HTMLInputElement>('filter').value.trim();
        const names = await bench.names(filter);
        if (names.length === 0) {
          show(`No op has a name that contains “${filter}”; relu, matmul and conv2d have.`);
          return;
        }
        clear();
        await bench.measure(filter, proxy(eventsFor(names, during)));
        progress.value = 1;
        show(`Done: ${table.rows.length} kernels.`);
      });
    } catch (error) {
      if (error instanceof Stopped) show(`Stopped after ${table.rows.length} kernels.`);
      else {
        show('Stopped by an error.');
        notify(`The measurement stopped: ${messageOf(error)}`, { kind: 'error', key: 'kernels' });
      }
    }
  }

  /** Callbacks of the measurement of these ops. */
  function eventsFor(names: readonly string[], during: During): KernelEvents {
    let probes = 0;
    return {
      probe: during((label) => {
        progress.value = (0.3 * Math.min(++probes, PROBES)) / PROBES;
        show(`Ceilings: ${label}`);
      }),
      ceilings: during((found) => {
        ceilings = found;
        showCeilings(found);
        show(`Kernels: ${names[0]}`);
        onResult();
      }),
      row: during((row) => {
        table.add(row);
        progress.value = 0.3 + (0.7 * table.rows.length) / names.length;
        show(`Kernels: ${names[table.rows.length] ?? 'done'}`);
      }),
    };
  }

  function clear(): void {
    table.clear();
    ceilings = undefined;
    progress.value = 0;
    for (const id of ['read', 'write', 'copy', 'registers', 'product']) element(id).textContent = '–';
  }

  element('kernels-form').addEventListener('submit', async (event) => {
    event.preventDefault();
    if (measure.disabled) return;
    switchRunning(true);
    show('Starting…');
    await run();
    switchRunning(false);
  });
  element('stop').addEventListener('click', () => job.stop());
  return { result: () => ({ ceilings, rows: table.rows }) };
}

function switchRunning(running: boolean): void {
  switchControls({ measure: !running, stop: running }, ['measure', 'stop']);
}

function showCeilings({ readGBs, writeGBs, copyGBs, registerGFlops, gemmGFlops, gemm }: Ceilings): void {
  element('read').textContent = `${formatNumber(readGBs)} GB/s`;
  element('write').textContent = `${formatNumber(writeGBs)} GB/s`;
  element('copy').textContent = `${formatNumber(copyGBs)} GB/s`;
  element('registers').textContent = `${formatNumber(registerGFlops)} GFLOP/s`;
  element('product').textContent = `${formatNumber(gemmGFlops)} GFLOP/s`;
  element('product').title = gemm;
}

function show(text: string): void {
  element('state').textContent = text;
}

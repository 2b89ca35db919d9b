/**
 * `bench kernels`: every op's row next to the ceilings of the adapter.
 */

import { FOR_PROFILES } from '../../src/backend/webgpu.node.ts';
import { measureKernels } from '../core/kernel-rows.ts';
import { markdownTable } from '../core/table.ts';
import type { Options, Outcome } from './commands.ts';
import { openBackend } from './gpu.ts';

export async function runKernels({ filter, say }: Options): Promise<Outcome> {
  const backend = await openBackend(FOR_PROFILES);
  say('ceilings');
  const report = await measureKernels(backend, { filter, onRow: ({ op }) => say(op) });
  await backend.dispose();
  const { ceilings, rows } = report;
  const ceilingTable = markdownTable(
    ['ceiling', 'measured', 'unit'],
    [
      ...ceilings.memory.map(({ label, gbs }) => [label, gbs, 'GB/s']),
      ['multiply-adds in registers', ceilings.registerGFlops, 'GFLOP/s'],
      ...ceilings.products.map(({ label, gflops }) => [
        label === ceilings.gemm ? `**${label}**, the best product` : label,
        gflops,
        'GFLOP/s',
      ]),
    ],
  );
  const rowTable = markdownTable(
    ['op', 'sample', 'ms', 'fastest', 'GFLOP/s', 'GB/s', '% of ceiling', 'bound by', 'dispatches', 'note'],
    rows.map((r) => [r.op, r.shapes, r.ms, r.bestMs, r.gflops, r.gbs, r.percent, r.bound, r.dispatches, r.note]),
  );
  const clocks = new Set(rows.map(({ clock }) => clock));
  const note =
    `Clock: ${[...clocks].join(', ')}. Rates are those of the fastest run, ms is the median. Per cent: the time that ` +
    'the best probes would need to read and write the op’s bytes, or for its flops (the best product for products ' +
    'and convolutions, multiply-adds in registers for others), the longer of the two, divided by its own.';
  return { data: report, markdown: [ceilingTable, rowTable, note].join('\n\n') };
}

/**
 * `bench profile`: device time of each dispatch of a training step, the slowest first, by timestamps.
 */

import { FOR_PROFILES } from '../../src/backend/webgpu.node.ts';
import { DownhillEngine } from '../core/downhill-engine.ts';
import { markdownTable } from '../core/table.ts';
import { makeWorkload, WORKLOADS, type WorkloadName } from '../core/workloads.ts';
import type { Options, Outcome } from './commands.ts';
import { openBackend } from './gpu.ts';

const RUNS = 15;

export async function runProfile(options: Options): Promise<Outcome> {
  const data: Record<string, unknown> = {};
  const parts: string[] = [];
  for (const name of options.models) {
    options.say(name);
    const times = await profileModel(name);
    const total = times.reduce((sum, { ns }) => sum + ns, 0);
    data[name] = times;
    const rows = times
      .map((time, k) => ({ ...time, k }))
      .sort((a, b) => b.ns - a.ns)
      .map(({ label, ns, share, gflops, gbs, k }) => [k, label, ns / 1e6, 100 * share, gflops, gbs]);
    const { title, batch } = WORKLOADS[name];
    parts.push(
      `### ${title}, batch ${batch}: ${(total / 1e6).toFixed(1)} ms in ${times.length} dispatches`,
      markdownTable(['nr', 'dispatch', 'ms', '% of step', 'GFLOP/s', 'GB/s'], rows),
    );
  }
  const note =
    `Medians of ${RUNS} runs, each dispatch in its own pass, timestamps not quantised. ` +
    'GB/s count the bytes that must move at least.';
  return { data, markdown: [...parts, note].join('\n\n') };
}

async function profileModel(name: WorkloadName): ReturnType<DownhillEngine['profile']> {
  const backend = await openBackend(FOR_PROFILES);
  const engine = new DownhillEngine(backend, '');
  await engine.prepare(await makeWorkload(name));
  const times = await engine.profile(RUNS);
  engine.dispose();
  await backend.dispose();
  return times;
}

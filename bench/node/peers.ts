/**
 * `bench peers`: the same steps in downhill, TensorFlow.js and jax-js, one after the other, each in its own process. No
 * time is shown unless the losses of the first ten steps agree, which needs the same weights, data, gradients and
 * updates.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportTuning } from '../../src/tune/tuning.ts';
import { formatBytes } from '../../src/util/text.ts';
import { type Comparison, compareEngines, PARITY } from '../core/compare-engines.ts';
import type { EngineReport } from '../core/engine.ts';
import { median, together } from '../core/statistics.ts';
import { formatMs, formatRatio, markdownTable } from '../core/table.ts';
import { WORKLOADS } from '../core/workloads.ts';
import { runChild } from './child.ts';
import type { StepTuning } from './child-tune.ts';
import type { Options, Outcome } from './commands.ts';
import { installPeers } from './install-peers.ts';

/** Engines in the order of the table; the second downhill uses what the tuner found in a process before. */
const ENGINES = ['node/child-downhill.ts', 'node/child-downhill.ts', 'peers/tfjs.mjs', 'peers/jax.mjs'];
const TUNED = 1;
const MAX_STEPS = 60;

export async function runPeers(options: Options): Promise<Outcome> {
  installPeers(options.say);
  const folder = mkdtempSync(join(tmpdir(), 'downhill-bench-'));
  try {
    return await compareAll(options, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @param folder for tunings. */
async function compareAll(options: Options, folder: string): Promise<Outcome> {
  const comparisons: Comparison[] = [];
  const notes: string[] = [];
  for (const name of options.models.filter((model) => WORKLOADS[model].peers)) {
    options.say(`${name}: tuning`);
    const { tuning, seconds, reached, total } = await runChild<StepTuning>('node/child-tune.ts', [name]);
    const file = join(folder, `${name}.json`);
    writeFileSync(file, exportTuning(tuning));
    notes.push(`${WORKLOADS[name].title}: ${reached} of ${total} products tuned in ${seconds.toFixed(0)} s.`);
    // Round by round, so that a busy minute does not fall on one engine alone.
    const found: EngineReport[][] = ENGINES.map(() => []);
    for (let round = 0; round < options.rounds; round++) {
      for (const [k, script] of ENGINES.entries()) {
        options.say(`${name}: ${script}${options.rounds > 1 ? `, round ${round + 1}` : ''}`);
        const args = [name, String(options.budgetMs), String(MAX_STEPS), ...(k === TUNED ? [file] : [])];
        found[k].push(await runChild<EngineReport>(script, args));
      }
    }
    comparisons.push(compareEngines(name, found.map(inOne)));
  }
  const note =
    'A step ends when its loss has been read, then the next begins, for every engine; weights and batches are on the ' +
    'device before the clock starts. Reading the loss costs each engine a submission. `first step` compiles ' +
    'everything (Mesa’s shader cache off). VGG-small runs without dropout, whose random numbers differ, and the ' +
    'peers keep no moving averages of its batch normalisation. `memory` is the largest sum of GPU buffers up to the ' +
    'tenth step, batches included. `first ×` and `step ×`: that engine’s time over downhill’s without tuning. ' +
    `Tuning ran before, in a process of its own: ${notes.join(' ')}`;
  return {
    data: comparisons,
    markdown: [...comparisons.map(describeComparison), note].join('\n\n'),
    failed: comparisons.some(({ parity }) => !parity),
  };
}

/** One engine's rounds as one report: medians of the times; counts and losses are the same in every round. */
function inOne(rounds: readonly EngineReport[]): EngineReport {
  return {
    ...rounds[0],
    firstStepMs: median(rounds.map(({ firstStepMs }) => firstStepMs)),
    step: together(rounds.map(({ step }) => step)),
  };
}

export function describeComparison({ name, reports, differences, parity }: Comparison): string {
  const { title, batch, optimizer } = WORKLOADS[name];
  const heading = `### ${title}, batch ${batch}, ${optimizer === 'adam' ? 'Adam' : 'momentum'}`;
  const [own] = reports;
  if (!parity) {
    const found = reports.map(({ engine, digest, losses }, k) => [engine, digest, differences[k], losses.join(' ')]);
    return [
      heading,
      `**No times: the losses of ten steps differ by more than ${PARITY} (relative).**`,
      markdownTable(['engine', 'data', 'difference', 'losses'], found),
    ].join('\n\n');
  }
  const rows = reports.map((r, k) => [
    `${r.engine} ${r.version}`,
    formatMs(r.firstStepMs),
    k === 0 ? '' : formatRatio(r.firstStepMs / own.firstStepMs),
    formatMs(r.step.median),
    formatMs(r.step.min),
    k === 0 ? '' : formatRatio(r.step.median / own.step.median),
    r.perStep.dispatches,
    r.perStep.submits,
    r.perStep.newObjects,
    r.pipelines,
    formatBytes(r.peakBytes),
    k === 0 ? '' : differences[k].toExponential(1),
  ]);
  return [
    heading,
    markdownTable(
      ['engine', 'first step', 'first ×', 'step', 'fastest', 'step ×', 'dispatches', 'submits', 'new objects'].concat([
        'pipelines',
        'memory',
        'loss differs by',
      ]),
      rows,
    ),
  ].join('\n\n');
}

/**
 * `bench ops`: single ops in downhill, TensorFlow.js and jax-js, one after the other, each in its own process. No time
 * is shown unless the results agree.
 */

import { unknownName } from '../../src/util/errors.ts';
import {
  compareDuel,
  DUEL_NAMES,
  DUEL_PARITY,
  type DuelComparison,
  type DuelName,
  type DuelReport,
  duelOf,
} from '../core/duels.ts';
import { median, together } from '../core/statistics.ts';
import { formatMs, formatRatio, markdownTable } from '../core/table.ts';
import { runChild } from './child.ts';
import type { Options, Outcome } from './commands.ts';
import { installPeers } from './install-peers.ts';

const ENGINES = ['node/child-downhill-op.ts', 'peers/tfjs-op.mjs', 'peers/jax-op.mjs'];

export async function runOps(options: Options): Promise<Outcome> {
  const names = DUEL_NAMES.filter((name) => name.includes(options.filter));
  if (names.length === 0) throw unknownName('op', options.filter, DUEL_NAMES);
  installPeers(options.say);
  const comparisons: DuelComparison[] = [];
  for (const name of names) comparisons.push(compareDuel(duelOf(name), await measure(name, options)));
  const note =
    'Inputs are on the device; a call ends when its queue has finished (`onSubmittedWorkDone`), then the next ' +
    'begins, for every engine. `call` is the median, GFLOP/s are the median’s, with padding counted; `first call` ' +
    'compiles (Mesa’s shader cache off). `call ×` and `first ×`: that engine’s time over downhill’s. Gradients are ' +
    'the kernels that the gradient of `tf.conv2d` runs, and the `vjp` of jax-js’ convolution in a `jit`, which drops ' +
    'the forward pass.';
  return {
    data: comparisons.map(withoutSamples),
    markdown: [...comparisons.map(describeDuel), note].join('\n\n'),
    failed: comparisons.some(({ parity }) => !parity),
  };
}

/** What is kept: samples have done their work when they have been compared. */
function withoutSamples({ reports, ...comparison }: DuelComparison): unknown {
  const kept = reports.map(({ result: { samples: _, ...result }, ...report }) => ({ ...report, result }));
  return { ...comparison, reports: kept };
}

/** A report an engine, of all rounds. */
async function measure(name: DuelName, { budgetMs, rounds, say }: Options): Promise<DuelReport[]> {
  // Round by round, so that a busy minute does not fall on one engine alone.
  const found: DuelReport[][] = ENGINES.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [k, script] of ENGINES.entries()) {
      say(`${name}: ${script}${rounds > 1 ? `, round ${round + 1}` : ''}`);
      found[k].push(await runChild<DuelReport>(script, [name, String(budgetMs)]));
    }
  }
  return found.map((reports) => ({
    ...reports[0],
    firstMs: median(reports.map(({ firstMs }) => firstMs)),
    call: together(reports.map(({ call }) => call)),
  }));
}

/** The table of a duel: times, or what differs. */
export function describeDuel({ duel, reports, differences, parity }: DuelComparison): string {
  const heading = `### ${duel.title}: ${(duel.flops / 1e9).toFixed(2)} GFLOP`;
  const [own] = reports;
  if (!parity) {
    const found = reports.map(({ engine, version, result }, k) => [
      `${engine} ${version}`,
      differences[k].toExponential(1),
      result.norm,
      result.signed,
    ]);
    return [
      heading,
      `**No times: the results differ by more than ${DUEL_PARITY} (relative).**`,
      markdownTable(['engine', 'difference', 'norm', 'signed sum'], found),
    ].join('\n\n');
  }
  const rows = reports.map((r, k) => [
    `${r.engine} ${r.version}`,
    formatMs(r.call.median),
    formatMs(r.call.min),
    k === 0 ? '' : formatRatio(r.call.median / own.call.median),
    duel.flops / 1e6 / r.call.median,
    r.call.count,
    formatMs(r.firstMs),
    k === 0 ? '' : formatRatio(r.firstMs / own.firstMs),
    k === 0 ? '' : differences[k] === 0 ? '0' : differences[k].toExponential(1),
  ]);
  return [
    heading,
    markdownTable(
      ['engine', 'call', 'fastest', 'call ×', 'GFLOP/s', 'calls', 'first call', 'first ×', 'result differs by'],
      rows,
    ),
  ].join('\n\n');
}

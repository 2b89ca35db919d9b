/**
 * Mutated files of every reader: each is a value or a DownhillError, within bounds of time and memory.
 * `MUTATED_FILES=2000` reads as many of each reader, three times with other seeds; `SEED=123` reads one of each.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { byPart } from '../support/part.ts';
import type { ReaderReport } from './mutate-files.ts';

const PROGRAM = fileURLToPath(new URL('mutate-files.ts', import.meta.url));
const MIB = 2 ** 20;
/** Readers of which there must be a report. */
const READERS = 16;
/** Nothing heard for this long is a hang: one file takes milliseconds. */
const SILENCE_MS = 60_000;

const one = process.env.SEED;
const full = process.env.MUTATED_FILES;
const rounds: readonly (readonly [first: number, count: number])[] =
  one !== undefined
    ? [[Number(one), 1]]
    : full !== undefined
      ? [0, 1, 2].map((round) => [1 + round * Number(full), Number(full)])
      : byPart([[1, 10]], [[11, 50]]);

test.each(rounds)('from seed %i, %i of each reader', { timeout: 3_600_000 }, async (first, count) => {
  const reports = await readInChild(first, count);
  for (const { reader, files, values, refused, faults, slowest, peak, growth } of reports) {
    const repro = 'SEED=… npx vitest run kernels-test/fuzz/mutate-files.test.ts';
    expect(faults, `${reader}: ${repro}`).toEqual([]);
    expect(values + refused).toBe(files);
    // Where the machine is busy a file of milliseconds takes a second; one that loops takes for ever.
    expect(slowest.ms, `${reader}, seed ${slowest.seed}`).toBeLessThan(20_000);
    expect(peak / MIB, `${reader}: peak in MiB`).toBeLessThan(700);
    expect(growth / MIB, `${reader}: growth in MiB`).toBeLessThan(40);
    if (full !== undefined) console.log(summary({ reader, files, values, refused, faults, slowest, peak, growth }));
  }
  expect(reports.length).toBe(READERS);
  // Some files come through, most do not: otherwise the mutations would test nothing.
  const total = (key: 'values' | 'refused') => reports.reduce((sum, report) => sum + report[key], 0);
  if (count >= 10) {
    expect(total('values')).toBeGreaterThan(count);
    expect(total('refused')).toBeGreaterThan(5 * count);
  }
});

function summary({ reader, files, values, refused, slowest, peak, growth }: ReaderReport): string {
  const memory = `peak ${(peak / MIB).toFixed()} MiB, growth ${(growth / MIB).toFixed(1)} MiB`;
  const counts = `${files} files, ${values} values, ${refused} refused`;
  return `${reader}: ${counts}, slowest ${slowest.ms.toFixed()} ms, ${memory}`;
}

/** @throws Error that names reader and seed when the process dies or is silent. */
function readInChild(first: number, count: number): Promise<ReaderReport[]> {
  const args = ['--expose-gc', '--max-old-space-size=512', '--import', 'tsx', PROGRAM, String(first), String(count)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    const reports: ReaderReport[] = [];
    let [last, errors, rest] = ['nothing yet', '', ''];
    const hang = () => {
      child.kill('SIGKILL');
      reject(new Error(`silent for ${SILENCE_MS / 1000} s after ${last}`));
    };
    let timer = setTimeout(hang, SILENCE_MS);
    child.stderr.on('data', (data) => {
      errors = `${errors}${data}`.slice(-4000);
    });
    child.stdout.on('data', (data) => {
      clearTimeout(timer);
      timer = setTimeout(hang, SILENCE_MS);
      const lines = `${rest}${data}`.split('\n');
      rest = lines.pop()!;
      for (const line of lines) {
        const said = JSON.parse(line) as { report?: ReaderReport };
        if (said.report === undefined) last = line;
        else reports.push(said.report);
      }
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(reports);
      else reject(new Error(`the process ended with ${code ?? signal} after ${last}\n${errors}`));
    });
  });
}

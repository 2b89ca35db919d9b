/**
 * Reads mutated files in a process of its own, which `mutate-files.test.ts` starts with little memory and watches:
 *
 *     node --expose-gc --import tsx kernels-test/fuzz/mutate-files.ts FIRST COUNT [READER]
 *
 * For every reader, files FIRST to FIRST + COUNT − 1. A line of JSON says what is being read before it is read, so that
 * a crash or a hang has a name; then comes a line with what came of all. What is neither a value nor a DownhillError is
 * a fault.
 */
import { DownhillError } from '../../src/util/errors.ts';
import { Prng } from '../../src/util/prng.ts';
import { type FileReader, fileReaders } from './file-readers.ts';
import { mutateBytes } from './mutate-bytes.ts';

export interface ReaderReport {
  readonly reader: string;
  readonly files: number;
  readonly values: number;
  readonly refused: number;
  /** What must not be: `seed: error`. */
  readonly faults: readonly string[];
  readonly slowest: { readonly seed: number; readonly ms: number };
  /** Bytes. */
  readonly peak: number;
  /** Bytes that are held more after the last file than after the first quarter of them. */
  readonly growth: number;
}

/** Control characters that no message may hold. */
const COMMANDS = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;

async function run(reader: FileReader, first: number, count: number): Promise<ReaderReport> {
  const counts = { values: 0, refused: 0 };
  const faults: string[] = [];
  let slowest = { seed: 0, ms: 0 };
  let peak = 0;
  let settled = 0;
  for (const seed of reader.seeds) {
    const read = await reader.read(seed).catch((error: unknown) => error);
    // A reader that refuses its good files would pass whatever it does with others.
    if (read instanceof Error) faults.push(`a good file is refused: ${read.message}`);
  }
  for (let seed = first; seed < first + count; seed++) {
    const random = new Prng(seed, [...reader.name].reduce((sum, c) => 31 * sum + c.charCodeAt(0), 7) >>> 0);
    const chosen = reader.seeds[Math.floor(random.between(0, reader.seeds.length)) % reader.seeds.length]!;
    let bytes = mutateBytes(chosen, random);
    if (reader.mend !== undefined && random.chance(0.5)) bytes = reader.mend(bytes);
    say({ reader: reader.name, seed });
    const started = performance.now();
    try {
      await reader.read(bytes);
      counts.values++;
    } catch (error) {
      const refusal = error instanceof DownhillError && error.code !== 'internal' && reader.neverRefuses !== true;
      if (!refusal) faults.push(`${seed}: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
      else if (COMMANDS.test(error.message.replace(/[\n\t]/g, '')) || error.message.length > 5000) {
        faults.push(`${seed}: the message is not fit to be printed: ${JSON.stringify(error.message.slice(0, 200))}`);
      } else counts.refused++;
    }
    const ms = performance.now() - started;
    if (ms > slowest.ms) slowest = { seed, ms };
    peak = Math.max(peak, process.memoryUsage.rss());
    if (seed === first + Math.floor(count / 4)) settled = held();
  }
  return { reader: reader.name, files: count, ...counts, faults, slowest, peak, growth: held() - settled };
}

/** Bytes in use after a collection. */
function held(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const [first, count, only] = process.argv.slice(2);
console.warn = () => undefined;
const { readers, dispose } = await fileReaders();
try {
  for (const reader of readers) {
    if (only === undefined || only === reader.name) say({ report: await run(reader, Number(first), Number(count)) });
  }
} finally {
  await dispose();
}

/** Files that want more than they hold: memory, depth, time, names of every object, a reader's terminal. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCpuBackend } from '../../src/backend/cpu.ts';
import { readConfigSource } from '../../src/cli/config-reader.ts';
import { describeFailure } from '../../src/cli/failure.ts';
import { partTable, readCsvFile } from '../../src/data/formats/csv.node.ts';
import { columnOf, readCsv } from '../../src/data/formats/csv.ts';
import { gunzip } from '../../src/data/formats/gzip.ts';
import { readIdx } from '../../src/data/formats/idx.ts';
import { readNpy, writeNpy } from '../../src/data/formats/npy.ts';
import { npyDataset, readNpz, writeNpz } from '../../src/data/formats/npz.ts';
import { readZip, writeZip } from '../../src/data/formats/zip.ts';
import { fitTabular } from '../../src/data/tabular.ts';
import { modelFromJSON } from '../../src/train/model/load-model.ts';
import { readSafetensors } from '../../src/train/weights/safetensors.ts';
import { findStoredTuning, tuningPath } from '../../src/tune/store.node.ts';
import { makeTuning } from '../../src/tune/tuning.ts';
import { DownhillError } from '../../src/util/errors.ts';
import { readFileBytes } from '../../src/util/files.node.ts';
import { idxBytes } from './idx-bytes.ts';
import { expectRefusal } from './refusal.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'downhill-hostile-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Milliseconds of this process's own work since `started`: other programs do not count. */
function spent(started: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1000;
}

/** Most bytes that `work` made the process hold. */
async function memoryOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage.rss();
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 1);
  await work();
  clearInterval(timer);
  return Math.max(most, process.memoryUsage.rss()) - before;
}

describe('memory', () => {
  const LARGE = 300 * 2 ** 20;

  test('gzip is read no further than its IDX header says', async () => {
    const bomb = gzipSync(Buffer.concat([idxBytes(8, [1, 2, 2], [1, 2, 3, 4]), Buffer.alloc(LARGE)]), { level: 1 });
    const grown = await memoryOf(() =>
      expectRefusal(
        () => readIdx(bomb, 'x.gz'),
        'file',
        /x\.gz: found \d+ bytes of gzip that expand to more than 20, which is more than its header announces/,
      ),
    );
    expect(grown).toBeLessThan(LARGE / 4);
    // A header alone says less than it needs; a whole file is read whole.
    expect((await readIdx(gzipSync(idxBytes(8, [3000], new Uint8Array(3000))), 'y')).shape).toEqual([3000]);
  });

  test('gzip that nothing describes expands to 256 MiB or a hundredfold', async () => {
    const bomb = gzipSync(Buffer.alloc(LARGE), { level: 1 });
    await expectRefusal(() => gunzip(bomb, 't.csv.gz'), 'file', /expand to more than 268435456.*decompress it first/);
    expect((await gunzip(gzipSync(Buffer.alloc(2 ** 20)), 'fine')).length).toBe(2 ** 20);
  });

  test('an entry of a zip is read no further than the directory says', async () => {
    const archive = await writeZip(new Map([['x.npy', new Uint8Array(LARGE / 4)]]));
    const view = new DataView(archive.buffer);
    const central = archive.length - 22 - 46 - 5;
    expect(view.getUint32(central, true)).toBe(0x02014b50);
    view.setUint32(central + 24, 80, true);
    const grown = await memoryOf(() =>
      expectRefusal(
        () => readNpz(archive, 'a.npz'),
        'file',
        /entry "x\.npy": found more than 80 bytes; expected the 80/,
      ),
    );
    expect(grown).toBeLessThan(LARGE / 8);
  });
});

describe('zip directories', () => {
  const two = () =>
    writeNpz({ x: { shape: [1], values: Float32Array.of(1) }, y: { shape: [1], values: Int32Array.of(2) } });

  test('an end record that counts fewer entries loses no array', async () => {
    const archive = await two();
    expect([...(await readNpz(archive)).keys()]).toEqual(['x', 'y']);
    const end = archive.length - 22;
    for (const count of [1, 3]) {
      const other = archive.slice();
      other[end + 8] = other[end + 10] = count;
      await expectRefusal(
        () => readNpz(other, 'a.npz'),
        'file',
        `a.npz: found 2 entries in its directory, where the end record counts ${count}`,
      );
    }
  });

  test('entries over one member are refused', async () => {
    const archive = await two();
    const view = new DataView(archive.buffer);
    const start = view.getUint32(archive.length - 22 + 16, true);
    const second = start + 46 + 5;
    expect(view.getUint32(second, true)).toBe(0x02014b50);
    view.setUint32(second + 42, 0, true);
    await expectRefusal(() => readNpz(archive, 'a.npz'), 'file', /entry "y\.npy" begins at byte 0, within the entry/);
  });

  test('two entries of one name, and two that give one array, are refused', async () => {
    const archive = await two();
    const text = Buffer.from(archive).toString('latin1').replaceAll('y.npy', 'x.npy');
    await expectRefusal(() => readZip(Buffer.from(text, 'latin1'), 'a.zip'), 'file', /entry "x\.npy" comes twice/);
    const npy = writeNpy({ shape: [1], values: Float32Array.of(1) });
    const both = await writeZip(
      new Map([
        ['x', npy],
        ['x.npy', npy],
      ]),
    );
    await expectRefusal(() => readNpz(both, 'b.npz'), 'file', /two entries are named "x"/);
  });
});

describe('npyDataset', () => {
  const y = { dtype: 'i32', shape: [2], values: Int32Array.of(0, 1) } as const;

  test('refuses whole numbers that f32 does not hold, unless it may round', async () => {
    const x = { dtype: 'i64', shape: [2, 1], values: BigInt64Array.of(16_777_216n, 16_777_217n) } as const;
    await expectRefusal(
      () => npyDataset(x, y),
      'data',
      new RegExp(
        'value 1 of x is 16777217, which f32 rounds to 16777216; ' +
          'subtract a common offset, divide them, or give round: true',
      ),
    );
    expect([...npyDataset(x, y, { round: true }).x]).toEqual([16_777_216, 16_777_216]);
    // 2⁵³ + 1 is rounded by Number itself.
    const huge = { ...x, values: BigInt64Array.of(0n, 2n ** 53n + 1n) };
    await expectRefusal(() => npyDataset(huge, y), 'data', /9007199254740993, which f32 rounds to 9007199254740992/);
    const u32 = { dtype: 'u32', shape: [2, 1], values: Uint32Array.of(2 ** 31, 2 ** 31 + 1) } as const;
    // Whole numbers that a float64 array holds are counts and ids as well; measured ones are rounded to f32.
    const counts = { shape: [2, 1], dtype: 'f64', values: Float64Array.of(16_777_217, 1) } as const;
    await expectRefusal(() => npyDataset(counts, y), 'data', /value 0 of x is 16777217, which f32 rounds to 16777216/);
    const measured = { ...counts, values: Float64Array.of(6.02214076e23, 0.1) };
    expect([...npyDataset(measured, y).x]).toEqual([6.02214076e23, 0.1].map(Math.fround));
    await expectRefusal(() => npyDataset(u32, y), 'data', /2147483649/);
  });

  test('refuses f64 beyond the range of f32, in x and y', async () => {
    const x = { dtype: 'f64', shape: [2, 1], values: Float64Array.of(0.1, 1e39) } as const;
    await expectRefusal(() => npyDataset(x, y), 'data', /value 1 of x is 1e\+39; expected at most 3\.4e38/);
    const fine = { ...x, values: Float64Array.of(0.1, Number.POSITIVE_INFINITY) };
    expect([...npyDataset(fine, y).x]).toEqual([Math.fround(0.1), Number.POSITIVE_INFINITY]);
    await expectRefusal(() => npyDataset(fine, { ...x, shape: [2] }), 'data', /value 1 of y is 1e\+39/);
  });
});

test('columns may have the names that every object has', () => {
  const table = readCsv('constructor,toString,__proto__,hasOwnProperty\n1,2,a,4\n2,3,b,5\n3,5,a,7\n');
  expect(table.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
    'constructor number',
    'toString number',
    '__proto__ category',
    'hasOwnProperty number',
  ]);
  const { apply, featureNames } = fitTabular(table, { target: '__proto__', scale: 'none' });
  expect(featureNames).toEqual(['constructor', 'toString', 'hasOwnProperty']);
  expect([...apply(table).x]).toEqual([1, 2, 4, 2, 3, 5, 3, 5, 7]);
});

describe('cliffs', () => {
  test('100,000 columns take seconds', () => {
    const names = Array.from({ length: 100_000 }, (_, k) => `c${k}`);
    const row = (k: number) => names.map((_, column) => (column * k) % 7).join(',');
    const started = process.cpuUsage();
    const table = readCsv(`${names.join(',')}\n${[1, 2, 3, 4, 5].map(row).join('\n')}\n`);
    const { train } = partTable(table, 'wide', { target: 'c99999', task: 'regression' });
    expect(train.xShape).toEqual([99_999]);
    // 5 to 25 s each for names, features and rows when each was looked for among all.
    expect(spent(started)).toBeLessThan(8000);
    expect(() => columnOf(table, 'c')).toThrow(/unknown column of csv: "c"/);
  });

  test('a category for each row is refused before memory is asked for', async () => {
    const rows = Array.from({ length: 30_000 }, (_, k) => `id-${k},${k % 2}`);
    const table = readCsv(`id,y\n${rows.join('\n')}\n`);
    await expectRefusal(() => fitTabular(table, { target: 'y' }), 'data', /30000 of them of column "id"; .*"ordinal"/);
    expect(fitTabular(table, { target: 'y', categories: 'ordinal' }).apply(table).xShape).toEqual([1]);
  });

  test('a header of very many axes is read in time', () => {
    const shape = [...Array.from({ length: 200_000 }, () => 1), 3, 2];
    const bytes = writeNpy({ shape, values: Uint8Array.of(0, 1, 2, 3, 4, 5) });
    const text = Buffer.from(bytes).toString('latin1').replace("'fortran_order': False", "'fortran_order': True ");
    const started = process.cpuUsage();
    expect([...readNpy(new Uint8Array(Buffer.from(text, 'latin1'))).values]).toEqual([0, 3, 1, 4, 2, 5]);
    expect(spent(started)).toBeLessThan(3000);
  });

  test('a message quotes no more of a name of 3 MB than its ends', async () => {
    const name = 'x'.repeat(3e6);
    const { message } = await expectRefusal(
      () => readCsv(`a,${name}\n1,2\n1\n`),
      'data',
      /line 3 has 1 fields; expected 2/,
    );
    expect(message.length).toBeLessThan(4100);
    const table = readCsv(`a,${name}\n1,2\n`);
    const started = process.cpuUsage();
    expect(() => columnOf(table, `${name}y`)).toThrow(/unknown column/);
    expect(spent(started)).toBeLessThan(2000);
  });
});

describe('deep JSON', () => {
  const deep = (open: string, middle: string, close: string) => open.repeat(100_000) + middle + close.repeat(100_000);
  const arrays = deep('[', '', ']');
  const objects = deep('{"a":', '1', '}');

  test.each([
    ['arrays', arrays],
    ['objects', objects],
  ])('%s are refused by every reader of JSON', async (_, json) => {
    await expectRefusal(
      () => modelFromJSON(json, 'm.json'),
      'file',
      /m\.json: not JSON \(nested deeper than 400 levels\)/,
    );
    await expectRefusal(() => modelFromJSON(JSON.parse(json), 'm.json'), 'file', /nested deeper/);
    const header = new TextEncoder().encode(json);
    const file = new Uint8Array(8 + header.length);
    new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
    file.set(header, 8);
    await expectRefusal(() => readSafetensors(file, 'w'), 'file', /w: its header is no JSON \(nested deeper/);
    const path = join(folder, 'config.json');
    await writeFile(path, json);
    await expectRefusal(() => readConfigSource(path), 'file', /config\.json: not JSON \(nested deeper/);
  });

  test('a tuning cache of any content stops nothing', async () => {
    const backend = createCpuBackend();
    const path = tuningPath(makeTuning(backend, {}), folder);
    await mkdir(dirname(path), { recursive: true });
    for (const content of [
      arrays,
      objects,
      `{"format":"downhill tuning","formatVersion":${arrays}}`,
      '',
      '\0',
      '{}',
      'null',
    ]) {
      await writeFile(path, content);
      expect(await findStoredTuning(backend, folder)).toMatchObject({ path, state: 'corrupt' });
    }
    await rm(path);
    execFileSync('mkfifo', [path]);
    expect(await findStoredTuning(backend, folder)).toMatchObject({
      state: 'corrupt',
      reason: expect.stringMatching(/it is a pipe/),
    });
  });
});

test('a pipe without a writer is refused, one that the shell hands over is read', async () => {
  const pipe = join(folder, 'pipe.csv');
  execFileSync('mkfifo', [pipe]);
  await expectRefusal(() => readCsvFile(pipe), 'file', /cannot read table .*pipe\.csv: it is a pipe; expected a file/);
  await expectRefusal(() => readFileBytes('/dev/zero'), 'file', /\/dev\/zero: it is a device; expected a file/);
});

describe('what a file says does not reach the terminal', () => {
  const COMMANDS = /(?![\n\t])[\p{Cc}\u202e]/u;
  const command = '\u001b]0;owned\u0007\u009b2J\u202e';

  test('in the message of an error', () => {
    const { message } = new DownhillError('file', `x: found ${command}\n  second line\tend`);
    expect(message).toBe('x: found \\u001b]0;owned\\u0007\\u009b2J\\u202e\n  second line\tend');
    expect(describeFailure(new Error(command))).not.toMatch(COMMANDS);
  });

  test('from headers of each kind', async () => {
    const named = `a${command}b`;
    const messages = [
      await expectRefusal(() => readCsv(`${named},${named}\n1,2\n`), 'data', /both named/),
      await expectRefusal(() => modelFromJSON(JSON.stringify({ format: named }), 'm'), 'file', /found/),
      await expectRefusal(() => modelFromJSON(`{${command}`, 'm'), 'file', /not JSON/),
    ];
    for (const { message } of messages) expect(message).not.toMatch(COMMANDS);
  });
});

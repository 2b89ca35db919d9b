/**
 * `downhill train --out X` is killed at random moments, in every way, and goes on with `--resume`: it ends in the bits
 * of the training that nobody disturbed, and the good model that was in X is there until then. KILLS=30 makes thirty
 * kills of each kind of training, SEED another row of moments.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Prng } from '../../src/util/prng.ts';
import { builtSources } from '../support/built-sources.ts';
import { jsonOf, runCli } from './run-cli.ts';

const KILLS = Number(process.env.KILLS ?? 4);
const WAYS = ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'full'] as const;
/** What Node does when a file is written: a disk that is full from some write on. */
const FULL_DISK = fileURLToPath(new URL('full-disk.ts', import.meta.url));
const STATUS = { SIGKILL: null, SIGTERM: 143, SIGINT: 130, SIGHUP: 129, full: 1 } as const;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'downhill-kills-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Callbacks that count; early stopping keeps weights. */
const CONFIG = {
  dataset: 'spiral',
  model: {
    name: 'spiral',
    layers: [
      { className: 'Dense', config: { units: 16, activation: 'relu' } },
      { className: 'Dropout', config: { rate: 0.1 } },
      { className: 'Dense', config: { units: 2, activation: 'softmax' } },
    ],
  },
  optimizer: { name: 'adam', config: { learningRate: 0.01 } },
  callbacks: [
    { name: 'reduceLROnPlateau', config: { patience: 2 } },
    { name: 'earlyStopping', config: { patience: 20, restoreBestWeights: true } },
    'terminateOnNaN',
  ],
  ...{ epochs: 40, batchSize: 16 },
};

function fileDigests(place: string): Record<string, string> {
  const names = readdirSync(place).filter((name) => /^(model\.json|weights\.safetensors)$/.test(name));
  const digest = (name: string) => createHash('sha256').update(readFileSync(join(place, name)));
  return Object.fromEntries(names.sort().map((name) => [name, digest(name).digest('hex')]));
}

interface Cut {
  readonly status: number | null;
  readonly stderr: string;
}

/**
 * Runs a training and disturbs it `after` milliseconds of its first line, or with a disk that is full after `writes`.
 */
async function disturbed(
  words: readonly string[],
  way: (typeof WAYS)[number],
  share: number,
  ms: number,
): Promise<Cut> {
  const full = way === 'full' ? ['--import', 'tsx', '--import', FULL_DISK] : [];
  const { command } = await builtSources();
  const child = spawn(process.execPath, [...full, command, ...words], {
    env: { ...process.env, FULL_AFTER: String(Math.floor(3 + 60 * share)) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  let timer: NodeJS.Timeout | undefined;
  child.stderr.on('data', (data) => {
    stderr += data;
    if (way === 'full' || timer !== undefined || !stderr.includes('training ')) return;
    timer = setTimeout(() => child.kill(way), share * ms);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      clearTimeout(timer);
      resolve({ status, stderr });
    });
  });
}

describe.each(['cpu', 'webgpu'])('train --backend %s', (backend) => {
  test(
    `${KILLS} kills at random moments cost nothing`,
    async () => {
      const config = join(folder, 'spiral.json');
      writeFileSync(config, JSON.stringify(CONFIG));
      const settings = ['--backend', backend, '--config', config, '--seed', '3', '--backup-seconds', '0.05'];
      const words = ['train', ...settings, '--json'];
      const straight = join(folder, `straight-${backend}`);
      // A good model of another training. It comes first: where the driver compiles each kernel once and for all, the
      // training that is timed below must not be the one that waits for it.
      const good = join(folder, `good-${backend}`);
      await jsonOf(['train', ...settings, '--epochs', '2', '--seed', '9', '--out', good]);
      const goodFiles = fileDigests(good);
      const begun = performance.now();
      const whole = await jsonOf(['train', ...settings, '--out', straight]);
      const ms = Math.min(1000 * (whole.seconds as number), performance.now() - begun);
      const wanted = fileDigests(straight);
      expect(goodFiles).not.toEqual(wanted);

      const random = new Prng(Number(process.env.SEED ?? 1));
      const outcomes: string[] = [];
      for (let kill = 0; kill < KILLS; kill++) {
        const way = WAYS[kill % WAYS.length];
        const share = random.between(0, 1);
        const title = `${backend}, kill ${kill}: ${way} at ${share.toFixed(2)}`;
        const out = join(folder, `${backend}-${kill}`);
        cpSync(good, out, { recursive: true });
        const { status, stderr } = await disturbed([...words, '--out', out], way, share, ms);
        outcomes.push(`${title}: ${status}`);
        const isWhole = !existsSync(join(out, 'backup')) && isDeepStrictEqual(fileDigests(out), wanted);
        if (status === 0 || isWhole) {
          // It was done before. A process that has no more to do listens to no signal: one that comes then ends it.
          expect(fileDigests(out), title).toEqual(wanted);
          expect([0, null, STATUS[way]], title).toContain(status);
          continue;
        }
        expect(status, `${title}\n${stderr}`).toBe(STATUS[way]);
        const now = fileDigests(out);
        // The end may come after the training has ended: behind the weights, which come first and hold their model (it
        // is the one that loads), or behind the whole model.
        const ended = [{ ...goodFiles, 'weights.safetensors': wanted['weights.safetensors'] }, wanted];
        const allowed = [goodFiles, ...ended];
        if (existsSync(join(out, 'backup'))) expect(allowed, title).toContainEqual(now);
        const resumed = await jsonOf(['train', '--resume', out]);
        expect([resumed.digest, resumed.steps, resumed.epochs], title).toEqual([
          whole.digest,
          whole.steps,
          whole.epochs,
        ]);
        for (const key of ['trainLoss', 'testLoss', 'testAccuracy']) expect(resumed[key], title).toBe(whole[key]);
        expect(fileDigests(out), title).toEqual(wanted);
        expect(readdirSync(out).sort(), title).toEqual(['history.json', 'model.json', 'weights.safetensors']);
        rmSync(out, { recursive: true });
      }
      if (process.env.KILLS !== undefined) console.log(outcomes.join('\n'));
      const again = await runCli(['train', '--resume', straight]);
      expect(again.stdout).toContain(`digest ${whole.digest}`);
    },
    60_000 + 90_000 * KILLS,
  );
});

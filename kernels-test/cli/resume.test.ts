/** `train --out` and `--resume`: what an interrupted training leaves, what goes on, and what is refused. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test as testOfBoth } from 'vitest';
import { byPart, shortDescribe, shortTest as test } from '../support/part.ts';
import { expectCliRefusal, jsonOf, runCli } from './run-cli.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'downhill-resume-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Fast: a small model on drawn points. */
function configFile(name: string, more: object = {}): string {
  const path = join(folder, `${name}.json`);
  const layers = [
    { className: 'Dense', config: { units: 8, activation: 'relu' } },
    { className: 'Dense', config: { units: 2, activation: 'softmax' } },
  ];
  const optimizer = { name: 'sgd', config: { learningRate: 0.1 } };
  writeFileSync(path, JSON.stringify({ dataset: 'moons', model: { name: 'small', layers }, optimizer, ...more }));
  return path;
}

/** Every file below `place` with its digest. */
function listing(place: string): string[] {
  const files = readdirSync(place, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files
    .map(({ parentPath, name }) => join(parentPath, name))
    .map((path) => `${relative(place, path)} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`)
    .sort();
}

/** Sends `signal` when stderr has `sign`. */
function once(sign: string, signal: NodeJS.Signals) {
  let sent = false;
  return (text: string, kill: (signal: NodeJS.Signals) => void) => {
    if (sent || !text.includes(sign)) return;
    sent = true;
    kill(signal);
  };
}

const train = (...words: string[]) => ['train', '--backend', 'cpu', ...words];

describe('a training that is interrupted', () => {
  test('before its first step replaces nothing, crashes nowhere, and can go on', async () => {
    const out = join(folder, 'first-seconds');
    const config = configFile('first');
    await jsonOf(train('--config', config, '--epochs', '3', '--out', out));
    const good = listing(out);
    const long = train('--config', config, '--epochs', '100000', '--seed', '5', '--out', out);
    const { status, stdout, stderr } = await runCli([...long], {
      // The first line comes on stdout without --json; the warning of the signal on stderr.
      onStdout: once('training small', 'SIGINT'),
    });
    expect(status, stderr).toBe(130);
    expect(stderr).toMatch(/interrupted: ending after this step/);
    expect(stdout).toMatch(/keeps its earlier model|interrupted before the first step/);
    expect(stdout).toContain(`downhill train --resume ${out}`);
    expect(listing(out).filter((line) => !line.startsWith('backup'))).toEqual(good);
  });

  const signals = byPart<[NodeJS.Signals, number]>(['SIGTERM', 143], ['SIGHUP', 129]);
  testOfBoth.each([signals])('by %s saves where there was no model, and goes on to the end', async (signal, status) => {
    const out = join(folder, signal);
    const config = configFile('signals', { epochs: 400 });
    const onStderr = once('epoch 2/', signal);
    const cut = await jsonOf(train('--config', config, '--out', out), { status, onStderr });
    expect(cut.epochs).toBeLessThan(400);
    expect(readdirSync(out).sort()).toEqual(['backup', 'history.json', 'model.json', 'weights.safetensors']);
    const history = () => JSON.parse(readFileSync(join(out, 'history.json'), 'utf8'));
    expect(history().interrupted).toBe(true);
    const rest = await jsonOf(['train', '--resume', out, '--epochs', '400']);
    expect(rest).toMatchObject({ epochs: 400, steps: 400 * 13, model: 'small', dataset: 'moons', backend: 'cpu' });
    expect(rest.stderr).toMatch(/continuing at epoch \d+, step \d+/);
    expect(history()).toMatchObject({ steps: 400 * 13, digest: rest.digest });
    expect(history().losses).toHaveLength(400 * 13);
    expect(history().interrupted).toBeUndefined();
    const straight = await jsonOf(train('--config', config, '--out', join(folder, `${signal}-straight`)));
    expect(rest.digest).toBe(straight.digest);
    const files = (place: string) => listing(place).filter((line) => !line.startsWith('history'));
    expect(files(out)).toEqual(files(join(folder, `${signal}-straight`)));
  });
});

shortDescribe('--resume', () => {
  test('refuses another training and changes nothing; more epochs go on', async () => {
    const out = join(folder, 'other');
    const config = configFile('other', { epochs: 300 });
    await jsonOf(train('--config', config, '--out', out), { status: 143, onStderr: once('epoch 2/', 'SIGTERM') });
    const before = listing(out);
    const refused = async (words: readonly string[], message: RegExp) => {
      // With --json nothing but a result may stand on stdout.
      await expectCliRefusal(['train', '--resume', out, ...words, '--json'], [message]);
      expect(listing(out)).toEqual(before);
    };
    await refused(['--seed', '4'], /with seed 0, this one has 4, so it cannot go on with it; nothing was changed/);
    await refused(['--batch-size', '32'], /with batchSize 64, this one has 32/);
    await refused(['--epochs', '200'], /over 300 epochs, this one ends after 200/);
    await refused(
      ['--learning-rate', '0.2'],
      /model\.compiled\.optimizer\.config\.learningRate 0\.1, this one has 0\.2/,
    );
    await refused(['--limit', '700'], /with samples 800, this one has 700/);
    await refused(['--out', join(folder, 'elsewhere')], /continues in that folder, found --out/);
    // What was refused is not what goes on.
    const rest = await jsonOf(['train', '--resume', out, '--epochs', '310']);
    expect(rest).toMatchObject({ epochs: 310, steps: 310 * 13 });
    const straight = await jsonOf(train('--config', config, '--epochs', '310'));
    expect(rest.digest).toBe(straight.digest);
    // It has ended now.
    expect(await jsonOf(['train', '--resume', out])).toMatchObject({ epochs: 310, digest: rest.digest });
    await expectCliRefusal(['train', '--resume', out, '--seed', '4'], [/is complete; its --seed was none, found 4/]);
  });

  test('needs a backup, or options that say what to train', async () => {
    const nowhere = join(folder, 'nowhere');
    await expectCliRefusal(['train', '--resume', nowhere], [/there is no backup of a training; --out .* starts one/]);
    const begun = await jsonOf(train('--config', configFile('begun'), '--resume', nowhere));
    expect(begun.stderr).toMatch(/nowhere has no backup of a training, so this one starts from the beginning/);
    expect(readdirSync(nowhere).sort()).toEqual(['history.json', 'model.json', 'weights.safetensors']);
  });

  test('a new training puts the backup of another one aside', async () => {
    const out = join(folder, 'aside');
    const config = configFile('aside', { epochs: 300 });
    await jsonOf(train('--config', config, '--out', out), { status: 143, onStderr: once('epoch 2/', 'SIGTERM') });
    const backup = listing(join(out, 'backup'));
    const { stderr } = await jsonOf(train('--config', config, '--epochs', '2', '--out', out));
    expect(stderr).toMatch(/WARNING: .*aside has the backup of a training that is not complete; a new one starts/);
    expect(listing(join(out, 'backup-before'))).toEqual(backup);
    // A training that is refused puts nothing aside.
    await expectCliRefusal(train('--config', join(folder, 'none.json'), '--out', out), [/none\.json/]);
    expect(listing(join(out, 'backup-before'))).toEqual(backup);
  });
});

test('fewer outputs than classes are refused before a step, whatever the loss', async () => {
  const layers = [{ className: 'Flatten' }, { className: 'Dense', config: { units: 5, activation: 'softmax' } }];
  for (const loss of ['categoricalCrossentropy', 'sparseCategoricalCrossentropy', 'meanSquaredError']) {
    const config = configFile(`five-${loss}`, { dataset: 'digits', model: { name: 'five', layers }, loss, limit: 64 });
    await expectCliRefusal(train('--config', config), [
      /five-.*: model: data set "digits\/train" has 10 classes; the model has 5/,
    ]);
  }
});

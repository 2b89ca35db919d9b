/**
 * The library and its command as JavaScript, for tests that start processes: Node loads a few built files in a tenth of
 * a second, and the sources through tsx in one and a half. Built once for each state of the sources, into .cache/ (git
 * ignores it), where Node finds node_modules and `import.meta.url` lies as deep below a package.json as in dist/.
 */

import { createHash, randomUUID } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { embedShaders } from '../../scripts/embed-shaders.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cache = join(root, '.cache');
const PREFIX = 'built-';
const DAY_MS = 86_400_000;

export interface BuiltSources {
  /** `downhill` itself: `node COMMAND words…`. */
  readonly command: string;
  /** What `import 'downhill'` and `import 'downhill/node'` give. */
  readonly index: string;
  readonly node: string;
}

let built: Promise<BuiltSources> | undefined;

/** The sources as they are now, built if nobody has yet. */
export function builtSources(): Promise<BuiltSources> {
  built ??= buildOnce();
  return built;
}

async function buildOnce(): Promise<BuiltSources> {
  embedShaders();
  const folder = join(cache, PREFIX + digestOfSources());
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true });
    for (const name of readdirSync(cache)) {
      // Another process may run what was built a moment ago.
      const old = name.startsWith(PREFIX) && Date.now() - statSync(join(cache, name)).mtimeMs > DAY_MS;
      if (old) rmSync(join(cache, name), { recursive: true, force: true });
    }
    const draft = join(cache, `draft-${randomUUID()}`);
    await buildInto(join(draft, 'dist/cli'));
    cpSync(join(root, 'package.json'), join(draft, 'package.json'));
    moveUnlessThere(draft, folder);
  }
  const file = (name: string) => join(folder, 'dist/cli', `${name}.js`);
  return { command: file('main'), index: file('index'), node: file('node') };
}

/** Another worker may have been faster; what it built is the same. */
function moveUnlessThere(draft: string, folder: string): void {
  try {
    renameSync(draft, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
    rmSync(draft, { recursive: true, force: true });
  }
}

function digestOfSources(): string {
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  hash.update(readFileSync(join(root, 'package.json'))).update(readFileSync(fileURLToPath(import.meta.url)));
  const names = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.ts$/.test(name),
  );
  for (const name of names.sort()) hash.update(name).update(readFileSync(join(root, 'src', name)));
  return hash.digest('hex').slice(0, 16);
}

async function buildInto(outDir: string): Promise<void> {
  const { build } = await import('vite');
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    build: {
      ssr: true,
      outDir,
      target: 'node20',
      minify: false,
      rolldownOptions: {
        input: {
          main: join(root, 'src/cli/main.ts'),
          index: join(root, 'src/index.ts'),
          node: join(root, 'src/node.ts'),
        },
        preserveEntrySignatures: 'strict',
        external: ['webgpu'],
        output: { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
      },
    },
  });
}

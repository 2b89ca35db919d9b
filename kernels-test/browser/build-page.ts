/**
 * Builds what the browser is given, in memory: the library and its self-test, each as one minified ES module, as a user's
 * own build would make them of the package, and the page of checks, which imports these modules. Of the sources
 * themselves the page may contain only pure helpers: a second copy of anything with state would test something else.
 */

import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type InlineConfig, type Plugin, type Rolldown } from 'vite';
import { viteShaders } from '../../scripts/vite-shaders.ts';
import { viteStrip } from '../../scripts/vite-strip.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const LIBRARY = 'downhill.js';
const SELF_TEST = 'self-test.js';
/** Sources that may be in the page as well. */
const PURE = /^src\/(util\/|core\/dtype\.ts$)/;

export interface BuiltPage {
  /** By path from the server's root; `index.html` is the page. */
  readonly files: ReadonlyMap<string, string | Uint8Array>;
  readonly libraryBytes: number;
  readonly libraryGzipBytes: number;
}

export async function buildPage(): Promise<BuiltPage> {
  const library = await builtModule('src/index.ts', LIBRARY);
  const selfTest = await builtModule('src/self-test.ts', SELF_TEST);
  const page = await outputs({
    root: `${root}kernels-test/browser/page`,
    plugins: [importBuiltLibrary()],
    build: { minify: true, modulePreload: false, rolldownOptions: { output: { entryFileNames: 'assets/[name].js' } } },
  });
  checkModules(page);
  const files = new Map([...library, ...selfTest, ...page].map((file) => [file.fileName, contentOf(file)]));
  const code = Buffer.from(files.get(LIBRARY)!);
  return { files, libraryBytes: code.length, libraryGzipBytes: gzipSync(code).length };
}

function builtModule(entry: string, fileName: string): Promise<Output[]> {
  return outputs({
    root,
    plugins: [viteShaders(), viteStrip()],
    build: { minify: true, lib: { entry: root + entry, formats: ['es'], fileName: () => fileName } },
  });
}

type Output = Rolldown.OutputChunk | Rolldown.OutputAsset;

async function outputs(config: InlineConfig): Promise<Output[]> {
  const common = { configFile: false, logLevel: 'error', publicDir: false } as const;
  const result = await build({ ...common, ...config, build: { ...config.build, write: false } });
  return (Array.isArray(result) ? result : [result]).flatMap((one) => ('output' in one ? one.output : []));
}

/** Sends imports of the package's entries to the built modules. */
function importBuiltLibrary(): Plugin {
  const built: Readonly<Record<string, string>> = { 'index.ts': LIBRARY, 'self-test.ts': SELF_TEST };
  return {
    name: 'downhill:built-library',
    enforce: 'pre',
    resolveId(source) {
      const [, entry] = /\/src\/([^/]+)$/.exec(source) ?? [];
      return entry !== undefined && entry in built ? { id: `/${built[entry]}`, external: 'absolute' } : null;
    },
  };
}

function checkModules(page: readonly Output[]): void {
  const modules = page.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
  const copied = modules.map((id) => id.replace(root, '')).filter((id) => id.startsWith('src/') && !PURE.test(id));
  if (copied.length > 0) throw new Error(`the page holds copies of modules with state: ${copied.join(', ')}`);
}

function contentOf(file: Output): string | Uint8Array {
  return file.type === 'chunk' ? file.code : file.source;
}

/**
 * Builds what the browser is given, in memory: the library as one minified ES module, as a user's own build would make
 * it of src/index.ts, and the page of checks, which imports that module. Of the sources themselves the page may
 * contain only pure helpers: a second copy of anything with state would test something else than the bundle.
 */

import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type InlineConfig, type Plugin, type Rolldown } from 'vite';
import { viteShaders } from '../../scripts/vite-shaders.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const LIBRARY = 'downhill.js';
/** Sources that may be in the page as well. */
const PURE = /^src\/(util\/|core\/dtype\.ts$)/;

export interface BuiltPage {
  /** By path from the server's root; `index.html` is the page. */
  readonly files: ReadonlyMap<string, string | Uint8Array>;
  readonly libraryBytes: number;
  readonly libraryGzipBytes: number;
}

export async function buildPage(): Promise<BuiltPage> {
  const library = await outputs({
    root,
    plugins: [viteShaders()],
    build: { minify: true, lib: { entry: `${root}src/index.ts`, formats: ['es'], fileName: () => LIBRARY } },
  });
  const page = await outputs({
    root: `${root}kernels-test/browser/page`,
    plugins: [importBuiltLibrary()],
    build: { minify: true, modulePreload: false, rolldownOptions: { output: { entryFileNames: 'assets/[name].js' } } },
  });
  checkModules(page);
  const files = new Map([...library, ...page].map((file) => [file.fileName, contentOf(file)]));
  const code = Buffer.from(files.get(LIBRARY)!);
  return { files, libraryBytes: code.length, libraryGzipBytes: gzipSync(code).length };
}

type Output = Rolldown.OutputChunk | Rolldown.OutputAsset;

async function outputs(config: InlineConfig): Promise<Output[]> {
  const common = { configFile: false, logLevel: 'error', publicDir: false } as const;
  const result = await build({ ...common, ...config, build: { ...config.build, write: false } });
  return (Array.isArray(result) ? result : [result]).flatMap((one) => ('output' in one ? one.output : []));
}

/** Sends imports of src/index.ts to the built library. */
function importBuiltLibrary(): Plugin {
  return {
    name: 'downhill:built-library',
    enforce: 'pre',
    resolveId: (source) => (source.endsWith('/src/index.ts') ? { id: `/${LIBRARY}`, external: 'absolute' } : null),
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

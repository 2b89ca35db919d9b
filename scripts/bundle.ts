/**
 * Bundles of the library as a page gets them: Vite's production build, minified, in memory. On request the modules of
 * the library's core go into a chunk of their own, so that their size can be told after everything unused has been
 * dropped.
 */

import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Plugin, type Rolldown } from 'vite';
import { viteShaders } from './vite-shaders.ts';
import { viteStrip } from './vite-strip.ts';

const root = fileURLToPath(new URL('..', import.meta.url)).replaceAll('\\', '/');

/** Rooms of src/ that define, compile and run tensors; what is above them makes and trains models. */
export const CORE_ROOMS = ['util', 'core', 'kernel', 'ops', 'transform', 'compile', 'backend', 'runtime'] as const;
const CORE = new RegExp(`/src/(?:(?:${CORE_ROOMS.join('|')})/|shaders\\.gen\\.ts)`);

export interface Bundle {
  /** All script. */
  readonly code: string;
  /** The same by file name; the entry's comes first. */
  readonly files: ReadonlyMap<string, string>;
  /** Sizes in bytes. */
  readonly minified: number;
  readonly gzip: number;
  /**
   * Of what is loaded later, when it is used; not part of `gzip`. With `of`, of the files with a module of that path.
   */
  onDemandGzip(of?: RegExp): number;
  /** Of the chunk with the core; 0 unless it was asked for. */
  readonly coreGzip: number;
  /**
   * What is left of each module, in bytes before minification, by its path from the root; `?full` marks unstripped
   * ones.
   */
  readonly modules: ReadonlyMap<string, number>;
}

export interface BundleOptions {
  /** Text of an entry that no file holds; its imports are relative to the root. */
  readonly text?: string;
  readonly plugins?: readonly Plugin[];
  /** False leaves op records whole. */
  readonly strip?: boolean;
  /**
   * `strict` (when left out) leaves the entry's exports as they are, so that what it shares with later chunks lies in
   * chunks of its own; `extended` adds to them what later chunks need; `none` is for a page, whose exports nobody
   * reads.
   */
  readonly exports?: 'strict' | 'extended' | 'none';
}

/** What this module alone asks of a build. */
interface BuildOptions extends BundleOptions {
  /** Modules that go into a chunk of their own, by id. */
  readonly apart?: ReadonlySet<string>;
}

/** @param entry path from the root; with `text`, any name that ends in .ts. */
export async function bundle(entry: string, options: BundleOptions = {}): Promise<Bundle> {
  return measured(await chunksOf(entry, options));
}

/**
 * The same with the core in a chunk of its own: what of it is loaded at once. The whole is a little larger so, by the
 * names that cross the border.
 */
export async function bundleCoreApart(entry: string, options: BundleOptions = {}): Promise<Bundle> {
  const atOnce = loadedAtOnce(await chunksOf(entry, options)).flatMap(({ modules }) => Object.keys(modules));
  return measured(await chunksOf(entry, { ...options, apart: new Set(atOnce.filter((id) => CORE.test(id))) }));
}

const SIGNATURES = { strict: 'strict', extended: 'allow-extension', none: false } as const;

async function chunksOf(
  entry: string,
  { text, plugins = [], strip = true, exports = 'strict', apart }: BuildOptions,
): Promise<Rolldown.OutputChunk[]> {
  // Helpers of the bundler's that the core calls are not the core.
  const core = apart && {
    groups: [{ name: 'core', test: (id: string) => apart.has(id) }],
    includeDependenciesRecursively: false,
  };
  const result = await build({
    root,
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    plugins: [...plugins, viteShaders(), ...(strip ? [viteStrip()] : []), ...(text === undefined ? [] : [given(text)])],
    build: {
      write: false,
      minify: true,
      target: 'es2022',
      modulePreload: false,
      rolldownOptions: {
        input: root + entry,
        preserveEntrySignatures: SIGNATURES[exports],
        ...(core && { output: { codeSplitting: core } }),
      },
    },
  });
  const outputs = (Array.isArray(result) ? result : [result]).flatMap((one) => ('output' in one ? one.output : []));
  return outputs.filter((output) => output.type === 'chunk');
}

function measured(chunks: readonly Rolldown.OutputChunk[]): Bundle {
  const gzip = (some: readonly Rolldown.OutputChunk[]) =>
    some.reduce((total, { code }) => total + gzipSync(code).length, 0);
  const initial = loadedAtOnce(chunks);
  const left = chunks.flatMap(({ modules }) =>
    Object.entries(modules).filter(([, module]) => module !== undefined && module.renderedLength > 0),
  );
  return {
    code: chunks.map(({ code }) => code).join('\n'),
    files: new Map(
      [...chunks].sort((a, b) => Number(b.isEntry) - Number(a.isEntry)).map(({ fileName, code }) => [fileName, code]),
    ),
    minified: chunks.reduce((total, { code }) => total + Buffer.byteLength(code), 0),
    gzip: gzip(initial),
    onDemandGzip: (of = /./) =>
      gzip(chunks.filter((chunk) => !initial.includes(chunk) && Object.keys(chunk.modules).some((id) => of.test(id)))),
    coreGzip: gzip(chunks.filter(({ name }) => name === 'core')),
    modules: new Map(left.map(([id, module]) => [id.replace(root, ''), module!.renderedLength])),
  };
}

/** Serves `text` as the module of the entry. */
function given(text: string): Plugin {
  let entry: string | undefined;
  return {
    name: 'downhill:given-entry',
    enforce: 'pre',
    resolveId(source, importer) {
      if (importer !== undefined) return null;
      entry = source;
      return source;
    },
    load: (id) => (id === entry ? text : null),
  };
}

/** The entry's chunk and what it imports outright. */
function loadedAtOnce(chunks: readonly Rolldown.OutputChunk[]): Rolldown.OutputChunk[] {
  const found = chunks.filter(({ isEntry }) => isEntry);
  for (const chunk of found) {
    found.push(...chunks.filter((other) => chunk.imports.includes(other.fileName) && !found.includes(other)));
  }
  return found;
}

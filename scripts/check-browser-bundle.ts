/**
 * Bundles src/index.ts for the browser with Vite and refuses anything of Node's in it.
 *
 * The universal entry imports only the package's own files. Every specifier the bundler meets passes through a plugin,
 * so the answer comes from the module graph, not from searching the output; the output's size is printed beside it.
 */

import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Plugin } from 'vite';
import { runScript } from './run-script.ts';
import { viteShaders } from './vite-shaders.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Keeps what leaves the package's own files, and by which file. */
function recordForeignImports(found: string[]): Plugin {
  return {
    name: 'downhill:foreign-imports',
    enforce: 'pre',
    resolveId(source, importer) {
      if (importer === undefined || /^(\.{1,2}\/|\/|\0)/.test(source)) return null;
      found.push(`${source} (imported by ${importer.replace(root, '')})`);
      return { id: source, external: true };
    },
  };
}

async function checkBrowserBundle(): Promise<void> {
  const foreign: string[] = [];
  const result = await build({
    root,
    configFile: false,
    logLevel: 'error',
    plugins: [recordForeignImports(foreign), viteShaders()],
    build: { write: false, minify: true, lib: { entry: `${root}src/index.ts`, formats: ['es'], fileName: 'downhill' } },
  });
  if (foreign.length > 0) {
    throw new Error(`the browser bundle imports from outside of the package:\n  ${foreign.join('\n  ')}`);
  }
  const outputs = (Array.isArray(result) ? result : [result]).flatMap((one) => ('output' in one ? one.output : []));
  const code = outputs.map((output) => (output.type === 'chunk' ? output.code : '')).join('\n');
  // A second look, at what the first cannot see: Vite's stand-in for a Node module.
  if (code.includes('__vite-browser-external')) throw new Error("the browser bundle uses a module of Node's");
  const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`;
  console.log(`browser bundle: ${kib(code.length)}, ${kib(gzipSync(code).length)} gzipped, no foreign import`);
}

runScript(import.meta.url, checkBrowserBundle);

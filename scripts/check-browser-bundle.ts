/**
 * Bundles the library for the browser with Vite, as pages get it, and holds it to what is promised of it: nothing of
 * Node's in it, and the sizes of docs/adr/0014-bundle-sizes.md. It prints the sizes whatever they are.
 *
 * The universal entry imports only the package's own files. Every specifier the bundler meets passes through a plugin,
 * so the answer comes from the module graph, not from searching the output.
 */

import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { type Bundle, bundle, bundleCoreApart } from './bundle.ts';
import { runScript } from './run-script.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const IMAGES = /\/src\/data\/image\//;
const CPU = /\/src\/backend\/cpu|\?references$/;
const PAGES = 'kernels-test/browser/budget';

interface Budget {
  readonly what: string;
  /** Bytes of gzipped script. */
  readonly size: number;
  readonly most: number;
}

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
  const whole = await bundleAll('src/index.ts');
  const selfTest = await bundleAll('src/self-test.ts');
  const cnn = await bundleCoreApart(`${PAGES}/cnn.ts`, { exports: 'none' });
  const lenet = await bundle(`${PAGES}/lenet.ts`, { exports: 'none' });
  const budgets: readonly Budget[] = [
    { what: 'core of a page that trains a CNN with batch norm and dropout', size: cnn.coreGzip, most: 65_400 },
    { what: 'whole script of a page that trains LeNet with Adam', size: lenet.gzip, most: 119_700 },
    { what: 'everything that src/index.ts exports', size: whole.gzip, most: 185_300 },
    { what: 'decoders of images, loaded with the first image', size: whole.onDemandGzip(IMAGES), most: 11_000 },
    { what: 'CPU backend and references, loaded without WebGPU', size: lenet.onDemandGzip(CPU), most: 18_000 },
  ];
  console.log('browser bundles, no foreign import; gzipped:');
  for (const { what, size, most } of budgets) console.log(`  ${kb(size)} of ${kb(most)}  ${what}`);
  console.log(`  ${kb(selfTest.gzip)}  downhill/self-test, with whole op records`);
  const over = budgets.filter(({ size, most }) => size > most);
  if (over.length > 0) {
    const lines = over.map(({ what, size, most }) => `${what}: ${kb(size)}, at most ${kb(most)}`);
    throw new Error(`the browser bundle is too large (docs/adr/0014-bundle-sizes.md):\n  ${lines.join('\n  ')}`);
  }
}

/** @throws Error when the bundle needs what a browser has not. */
async function bundleAll(entry: string): Promise<Bundle> {
  const foreign: string[] = [];
  const result = await bundle(entry, { plugins: [recordForeignImports(foreign)], exports: 'extended' });
  if (foreign.length > 0) {
    throw new Error(`the browser bundle of ${entry} imports from outside of the package:\n  ${foreign.join('\n  ')}`);
  }
  // A second look, at what the first cannot see: Vite's stand-in for a Node module.
  if (result.code.includes('__vite-browser-external')) {
    throw new Error(`the browser bundle of ${entry} uses a module of Node's`);
  }
  return result;
}

function kb(bytes: number): string {
  return `${(bytes / 1000).toFixed(1).padStart(6)} KB`;
}

runScript(import.meta.url, checkBrowserBundle);

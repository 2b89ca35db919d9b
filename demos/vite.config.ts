/**
 * The demo site: `npm run demo` serves it while you edit, `npm run demo:build` makes a static folder (dist-demos/) that
 * works from any path of any plain web server. Every demos/NAME/index.html is a page; the frame around a page (head,
 * navigation, footer) is put into its HTML here, so that it stands before any script runs and nothing jumps.
 */

import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { viteShaders } from '../scripts/vite-shaders.ts';
import { viteStrip } from '../scripts/vite-strip.ts';
import { pageFrame } from './page-frame.ts';
import { peers } from './peers-plugin.ts';

const root = fileURLToPath(new URL('.', import.meta.url));

const pages = ['.', ...readdirSync(root)]
  .filter((name) => existsSync(`${root}${name}/index.html`))
  .map((name) => [name === '.' ? 'start' : name, `${root}${name}/index.html`]);

/** The engine as more than one part needs it, and the copy with whole op records (vite-strip.ts): a chunk each. */
const ENGINES = [
  { name: 'engine-whole', test: /\?full$/, minShareCount: 2, priority: 2 },
  { name: 'engine', test: /\/(src|bench|demos\/shared)\/.*\.ts$/, minShareCount: 2, priority: 1 },
];

export default defineConfig({
  root,
  base: './',
  appType: 'mpa',
  plugins: [viteShaders(), viteStrip(), pageFrame(), peers()],
  // Vite bundles each worker by itself, so all pages have one (worker.ts) and its parts share their chunks.
  worker: {
    format: 'es',
    plugins: () => [viteShaders(), viteStrip(), peers()],
    rolldownOptions: { output: { codeSplitting: { groups: [...ENGINES] } } },
  },
  build: {
    outDir: '../dist-demos',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    rolldownOptions: { input: Object.fromEntries(pages) },
  },
});

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

export default defineConfig({
  root,
  base: './',
  appType: 'mpa',
  plugins: [viteShaders(), viteStrip(), pageFrame(), peers()],
  // An engine in a worker is a module of its own; what two workers share is one file.
  worker: { format: 'es', plugins: () => [viteShaders(), viteStrip(), peers()] },
  build: {
    outDir: '../dist-demos',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    rolldownOptions: { input: Object.fromEntries(pages) },
  },
});

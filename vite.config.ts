/**
 * Vite for browser pages and bundles: shaders are embedded, and builds leave out what only checks read.
 * Vitest has its own file, vitest.config.ts.
 */

import { defineConfig } from 'vite';
import { viteShaders } from './scripts/vite-shaders.ts';
import { viteStrip } from './scripts/vite-strip.ts';

export default defineConfig({ plugins: [viteShaders(), viteStrip()] });

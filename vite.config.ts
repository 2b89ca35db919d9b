/**
 * Vite for browser pages and bundles: nothing but the shaders' plugin, as the sources are plain ESM.
 * Vitest has its own file, vitest.config.ts.
 */

import { defineConfig } from 'vite';
import { viteShaders } from './scripts/vite-shaders.ts';

export default defineConfig({ plugins: [viteShaders()] });

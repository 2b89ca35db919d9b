/**
 * Vite plugin that keeps `src/shaders.gen.ts` in step with shaders/: embeds them before the first module is loaded, and
 * again whenever a .wgsl file is added, changed or removed while a dev server or a test watcher runs. The generated
 * module is ordinary source, so Vite's own hot update does the rest. Used by vite.config.ts and vitest.config.ts.
 */

import type { Plugin } from 'vite';
import { embedShaders, shaderDirectory } from './embed-shaders.ts';

export function viteShaders(): Plugin {
  return {
    name: 'downhill:shaders',
    configResolved() {
      embedShaders();
    },
    configureServer(server) {
      server.watcher.add(shaderDirectory);
      server.watcher.on('all', (_event, path) => {
        if (!path.endsWith('.wgsl')) return;
        try {
          embedShaders();
        } catch (error) {
          // A half-done rename must not take the dev server down with it.
          server.config.logger.error((error as Error).message);
        }
      });
    },
  };
}

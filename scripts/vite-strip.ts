/**
 * Vite plugin for builds that pages are made of: downhill's own sources without what only checks read
 * (strip-source.ts). A dev server and tests get the sources as they are.
 *
 * What needs the op records whole (`src/self-test.ts`, modules of bench/) is given a copy of the sources of its own, told apart
 * by `?full`: everything that it imports of src/ comes unstripped, beside the stripped modules of the rest of the page.
 */

import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { stripSource } from './strip-source.ts';

const root = fileURLToPath(new URL('..', import.meta.url)).replaceAll('\\', '/');
const sources = `${root}src/`;

/** Modules that need whole records, with all that they import: files, and folders by their slash. */
const WHOLE = ['src/self-test.ts', 'bench/'].map((path) => root + path);
const MARK = '?full';

function isWhole(id: string): boolean {
  return id.endsWith(MARK) || WHOLE.some((path) => (path.endsWith('/') ? id.startsWith(path) : id === path));
}

export function viteStrip(): Plugin {
  return {
    name: 'downhill:strip',
    apply: 'build',
    enforce: 'pre',
    async resolveId(source, importer, options) {
      if (source.endsWith(MARK)) return null;
      const resolved = await this.resolve(source, importer, { ...options, skipSelf: true });
      if (resolved === null || !resolved.id.startsWith(sources)) return resolved;
      if (!isWhole(resolved.id) && !(importer !== undefined && isWhole(importer))) return resolved;
      return { ...resolved, id: resolved.id + MARK };
    },
    transform: {
      filter: { id: /\.ts$/ },
      handler(code, id) {
        if (!id.startsWith(sources)) return null;
        return { code: stripSource(id.slice(sources.length), code), map: null };
      },
    },
  };
}

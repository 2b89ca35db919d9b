/**
 * Vite plugin for builds that pages are made of: downhill's own sources without what only checks read
 * (strip-source.ts). A dev server and tests get the sources as they are.
 *
 * What needs the op records whole (WHOLE) is given a copy of the sources of its own, told apart by `?full`: everything
 * that it imports of ours comes unstripped, next to the stripped modules of the rest of the site.
 */

import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { stripSource } from './strip-source.ts';

const root = fileURLToPath(new URL('..', import.meta.url)).replaceAll('\\', '/');
const sources = `${root}src/`;

/** Modules that need whole records, with all that they import. */
const WHOLE = ['src/self-test.ts', 'demos/self-test/self-test.worker.ts', 'demos/kernels/kernels.worker.ts'].map(
  (path) => root + path,
);
const MARK = '?full';

function isWhole(id: string): boolean {
  return id.endsWith(MARK) || WHOLE.includes(id);
}

function isOurs(id: string): boolean {
  return id.startsWith(root) && !id.includes('/node_modules/');
}

export function viteStrip(): Plugin {
  return {
    name: 'downhill:strip',
    apply: 'build',
    enforce: 'pre',
    async resolveId(source, importer, options) {
      if (source.endsWith(MARK)) return null;
      const resolved = await this.resolve(source, importer, { ...options, skipSelf: true });
      if (resolved === null || !isOurs(resolved.id)) return resolved;
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

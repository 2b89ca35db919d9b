/**
 * Vite plugin for builds that pages are made of: downhill's own sources without what only checks read
 * (strip-source.ts). A dev server and tests get the sources as they are.
 *
 * What needs the op records whole (WHOLE) is given a copy of the sources of its own, told apart by `?full`: everything
 * that it imports of ours comes unstripped, next to the stripped modules of the rest of the site.
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { REFERENCES, stripSource } from './strip-source.ts';

const root = fileURLToPath(new URL('..', import.meta.url)).replaceAll('\\', '/');
const sources = `${root}src/`;

/** Modules that need whole records, with all that they import. */
const WHOLE = ['src/self-test.ts', 'demos/self-test/self-test.worker.ts', 'demos/kernels/kernels.worker.ts'].map(
  (path) => root + path,
);
const MARK = '?full';
/** Marks the copy of `ops/` with the references that the CPU runs. */
const REFERENCES_MARK = '?references';

function isWhole(id: string): boolean {
  return id.endsWith(MARK) || WHOLE.includes(id);
}

/** True for the ops that the CPU's references are loaded from, and for those that they import. */
function isReference(id: string, importer: string | undefined): boolean {
  if (importer === `${sources}${REFERENCES.from}.ts`) return id === `${sources}${REFERENCES.import}.ts`;
  return importer?.endsWith(REFERENCES_MARK) === true && id.startsWith(`${sources}ops/`);
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
      if (source.endsWith(MARK) || source.endsWith(REFERENCES_MARK)) return null;
      const resolved = await this.resolve(source, importer, { ...options, skipSelf: true });
      if (resolved === null || !isOurs(resolved.id)) return resolved;
      if (isWhole(resolved.id) || (importer !== undefined && isWhole(importer))) {
        return { ...resolved, id: resolved.id + MARK };
      }
      return isReference(resolved.id, importer) ? { ...resolved, id: resolved.id + REFERENCES_MARK } : resolved;
    },
    load(id) {
      if (!id.endsWith(REFERENCES_MARK)) return null;
      const path = id.slice(0, -REFERENCES_MARK.length);
      return { code: readFileSync(path, 'utf8'), moduleType: 'ts' };
    },
    transform: {
      filter: { id: /\.ts(\?references)?$/ },
      handler(code, id) {
        if (!id.startsWith(sources)) return null;
        const path = id.slice(sources.length).replace(REFERENCES_MARK, '');
        return { code: stripSource(path, code, id.endsWith(REFERENCES_MARK) ? 'references' : 'lean'), map: null };
      },
    },
  };
}

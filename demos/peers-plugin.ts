/**
 * Vite plugin for the libraries that the Kernels page can compare with downhill. They are not dependencies: where
 * `npm ci --prefix bench/peers` was run, each becomes a chunk that is fetched when it is asked for; elsewhere the
 * module is empty, and the page says how to get them. `DOWNHILL_DEMO_PEERS=none` builds without them.
 */

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

const folder = fileURLToPath(new URL('../bench/peers/', import.meta.url));
const modules = `${folder}node_modules/`;

/**
 * Modules of each peer. Of TensorFlow.js what a training step needs: the whole package has WebGL and file formats too.
 */
const PEERS: Readonly<Record<string, { readonly package: string; code(): string }>> = {
  tfjs: {
    package: '@tensorflow/tfjs',
    code: () => `
      import ${file('@tensorflow/tfjs-core/dist/register_all_gradients.js')};
      import ${file('@tensorflow/tfjs-backend-cpu/dist/index.js')};
      import ${file('@tensorflow/tfjs-backend-webgpu/dist/index.js')};
      export * from ${file('@tensorflow/tfjs-core/dist/index.js')};`,
  },
  jax: { package: '@jax-js/jax', code: () => `export * from ${file('@jax-js/jax/dist/index.js')};` },
};

const LIST = 'virtual:peers';

export function peers(): Plugin {
  return {
    name: 'downhill:peers',
    resolveId: (id) => (id === LIST || id.startsWith(`${LIST}/`) ? `\0${id}` : undefined),
    load(id) {
      if (id === `\0${LIST}`) return `export const peers = ${JSON.stringify(list())};`;
      const name = id.startsWith(`\0${LIST}/`) ? id.slice(LIST.length + 2) : '';
      if (!Object.hasOwn(PEERS, name)) return undefined;
      return installed(PEERS[name].package) ? PEERS[name].code() : 'export {};';
    },
  };
}

/** Version and presence of each, for the page. */
function list(): Record<string, { version: string; bundled: boolean }> {
  const { dependencies } = JSON.parse(readFileSync(`${folder}package.json`, 'utf8'));
  return Object.fromEntries(
    Object.entries(PEERS).map(([name, peer]) => [
      name,
      { version: dependencies[peer.package], bundled: installed(peer.package) },
    ]),
  );
}

function installed(name: string): boolean {
  return process.env.DOWNHILL_DEMO_PEERS !== 'none' && existsSync(`${modules}${name}/package.json`);
}

function file(path: string): string {
  return JSON.stringify(modules + path);
}

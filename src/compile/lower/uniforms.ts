/**
 * Uniforms read once: a kernel's text in which the uniform block is copied to private variables where `main` begins.
 *
 * For software adapters. llvmpipe loads a uniform anew in every branch that mentions it, lane by lane (LLVM IR of our
 * kernels: a hundred instructions a time); loaded where all lanes are active it is one scalar load, and it is there for
 * every branch behind. GPUs read uniforms for nothing and keep the text as it is.
 */

const BLOCK = /@binding\(0\) var<uniform> params: array<vec4<u32>, (\d+)>;/;
const MAIN = /\bfn main\([^{]*\{/;

/**
 * `wgsl` with its uniforms in private variables; as it is when it has none, or a barrier, which must not depend on
 * what may differ between invocations, as a private variable may.
 */
export function readUniformsOnce(wgsl: string): string {
  const block = BLOCK.exec(wgsl);
  if (block === null || wgsl.includes('workgroupBarrier')) return wgsl;
  const words = Array.from({ length: Number(block[1]) }, (_, k) => k);
  const variables = words.map((k) => `var<private> params_${k}: vec4<u32>;`);
  const copies = words.map((k) => `params_${k} = params[${k}];`);
  return wgsl
    .replace(/\bparams\[(\d+)u?\]/g, 'params_$1')
    .replace(BLOCK, (declaration) => [declaration, ...variables].join('\n'))
    .replace(MAIN, (head) => [head, ...copies].join('\n'));
}

/** Modules that peers-plugin.ts makes. */

declare module 'virtual:peers' {
  export const peers: Readonly<Record<'tfjs' | 'jax', { readonly version: string; readonly bundled: boolean }>>;
}
declare module 'virtual:peers/tfjs';
declare module 'virtual:peers/jax';

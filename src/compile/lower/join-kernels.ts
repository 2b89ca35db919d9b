/**
 * Several kernels as one, side by side: the number of the workgroup says which of them it works for. Bindings are united,
 * uniform blocks stand one behind another, and what two texts declare under one name and mean differently is renamed;
 * libraries that they share stand there once.
 *
 * Invariant: every part computes what it would alone, from the same expressions. Control flow between the parts depends on
 * the workgroup's number alone, so a part may use barriers.
 */

import { invariant } from '../../util/errors.ts';
import type { Target } from '../target.ts';
import { type EmittedKernel, foldGrid } from './emit.ts';

/** Workgroup memory that every device grants, in bytes (WebGPU specification, section 3.6.2). */
export const MAX_WORKGROUP_BYTES = 16384;

interface Declaration {
  /** null for directives such as `enable`. */
  readonly name: string | null;
  readonly text: string;
}

/**
 * One kernel that does the work of all `kernels`, or a sentence that says why there is none: workgroups of different
 * sizes, too many bindings or workgroups, one buffer read as two types, too much workgroup memory.
 */
export function joinKernels(kernels: readonly EmittedKernel[], limits: Target): EmittedKernel | string {
  const [{ workgroupSize }] = kernels;
  if (kernels.some((kernel) => kernel.workgroupSize !== workgroupSize)) return 'workgroups of different sizes';
  const buffers = [...new Set(kernels.flatMap((kernel) => kernel.buffers))];
  if (buffers.length > limits.maxStorageBuffersPerShaderStage) {
    return `${buffers.length} storage buffers, ${limits.maxStorageBuffersPerShaderStage} allowed`;
  }
  const counts = kernels.map(({ workgroups: [x, y, z] }) => x * y * z);
  const workgroups = foldGrid(
    counts.reduce((a, b) => a + b),
    limits,
  );
  if (workgroups[1] > limits.maxComputeWorkgroupsPerDimension) return 'too many workgroups';
  const parts = kernels.map(({ wgsl }) => declarationsOf(wgsl));
  const types = new Map<number, string>();
  for (const [k, declarations] of parts.entries()) {
    for (const [slot, type] of storageTypes(declarations)) {
      const buffer = kernels[k].buffers[slot];
      if ((types.get(buffer) ?? type) !== type) return 'one buffer is read as two types';
      types.set(buffer, type);
    }
  }
  if (workgroupBytes(parts.flat()) > MAX_WORKGROUP_BYTES) return 'too much workgroup memory';

  const access = buffers.map((buffer) =>
    kernels.some((kernel) => kernel.access[kernel.buffers.indexOf(buffer)] === 'read_write') ? 'read_write' : 'read',
  );
  const uniforms = [...counts];
  while (uniforms.length % 4 !== 0) uniforms.push(0);
  const texts: Declaration[] = [];
  kernels.forEach((kernel, k) => {
    const slots = kernel.buffers.map((buffer) => buffers.indexOf(buffer));
    texts.push(...partOf(parts[k], k, slots, uniforms.length / 4, texts));
    uniforms.push(...kernel.uniforms);
  });
  const directives = texts.filter(({ name }) => name === null);
  const wgsl = [
    ...directives.map(({ text }) => text),
    `@group(0) @binding(0) var<uniform> params: array<vec4<u32>, ${uniforms.length / 4}>;`,
    ...buffers.map(
      (buffer, k) => `@group(0) @binding(${k + 1}) var<storage, ${access[k]}> b${k}: array<${types.get(buffer)}>;`,
    ),
    ...texts.filter(({ name }) => name !== null).map(({ text }) => text),
    entryPoint(parts.map(builtinsOf), workgroupSize),
  ].join('\n');
  return {
    wgsl: `${wgsl}\n`,
    access,
    uniforms,
    buffers,
    workgroups,
    workgroupSize,
    scratch: kernels.flatMap((kernel) => kernel.scratch),
  };
}

/** Top-level declarations of a module, without comments. */
function declarationsOf(wgsl: string): Declaration[] {
  const text = wgsl.replace(/\/\/[^\n]*/g, '').replace(/\n\s*\n/g, '\n');
  const found: Declaration[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if ('{('.includes(character)) depth++;
    if ('})'.includes(character)) depth--;
    if (depth > 0 || !(character === ';' || character === '}')) continue;
    const declaration = text.slice(start, at + 1).trim();
    start = at + 1;
    // A stray semicolon behind a struct is no declaration.
    if (declaration !== ';') found.push({ name: nameOf(declaration), text: declaration });
  }
  return found;
}

function nameOf(declaration: string): string | null {
  const match = /\b(?:fn|struct|const|alias|override|var(?:<[^>]*>)?)\s+(\w+)/.exec(declaration);
  return match === null ? null : match[1];
}

const STORAGE = /@binding\((\d+)\)\s*var<storage,\s*\w+>\s*b\d+\s*:\s*array<(\w+)>/;
const BUILTIN = /@builtin\((\w+)\)\s*(\w+)\s*:\s*([\w<>]+)/g;

/** Element types of the storage bindings, by place among them. */
function storageTypes(declarations: readonly Declaration[]): [slot: number, type: string][] {
  return declarations.flatMap(({ text }) => {
    const match = STORAGE.exec(text);
    return match === null ? [] : [[Number(match[1]) - 1, match[2]] as [number, string]];
  });
}

function workgroupBytes(declarations: readonly Declaration[]): number {
  let bytes = 0;
  for (const { text } of declarations) {
    const match = /var<workgroup>\s*\w+\s*:\s*array<\s*(vec[234])?[^,]*,\s*(\d+)u?\s*>/.exec(text);
    // What is not a plain array of known length cannot be added up: it does not join.
    if (match !== null) bytes += Number(match[2]) * (match[1] === undefined ? 4 : 16);
    else if (text.includes('var<workgroup>')) bytes += MAX_WORKGROUP_BYTES + 1;
  }
  return bytes;
}

/** The declarations that part `k` adds to `earlier`: its bindings and uniforms moved, its own names its own. */
function partOf(
  own: readonly Declaration[],
  k: number,
  slots: readonly number[],
  firstUniform: number,
  earlier: readonly Declaration[],
): Declaration[] {
  const bodies = own.filter(({ text }) => !/@binding\(/.test(text));
  const shared = sharedNames(bodies, earlier);
  const taken = new Set(earlier.flatMap(({ name }) => name ?? []));
  const renamed = new Map<string, string>([['main', `part_${k}`]]);
  for (const { name } of bodies) {
    if (name !== null && name !== 'main' && taken.has(name) && !shared.has(name)) renamed.set(name, `${name}_${k}`);
  }
  return bodies
    .filter(({ name, text }) => (name === null ? !earlier.some((other) => other.text === text) : !shared.has(name)))
    .map(({ name, text }) => {
      const moved = text
        .replace(/\bparams\[(\d+)u?\]/g, (_, word: string) => `params[${Number(word) + firstUniform}u]`)
        .replace(/\bb(\d+)\b/g, (_, slot: string) => `b${slots[Number(slot)]}`)
        .replace(/\b[A-Za-z_]\w*\b/g, (word) => renamed.get(word) ?? word);
      return { name: name && (renamed.get(name) ?? name), text: name === 'main' ? asFunction(moved) : moved };
    });
}

/** Names that `earlier` declares with the same text, as far as what they call is shared too. */
function sharedNames(own: readonly Declaration[], earlier: readonly Declaration[]): ReadonlySet<string> {
  const texts = new Map(earlier.map(({ name, text }) => [name, text]));
  const shared = new Set(own.flatMap(({ name, text }) => (name !== null && texts.get(name) === text ? [name] : [])));
  const names = own.flatMap(({ name }) => name ?? []);
  const words = new Map(own.map(({ text }) => [text, new Set(text.match(/\b[A-Za-z_]\w*\b/g))]));
  const mentions = ({ text }: Declaration, word: string) => words.get(text)?.has(word) === true;
  for (let changed = true; changed; ) {
    changed = false;
    for (const declaration of own) {
      const { name, text } = declaration;
      if (name === null || !shared.has(name)) continue;
      const ownMemory = /\bparams\b|\bb\d+\b|var<workgroup>/.test(text);
      if (!ownMemory && !names.some((other) => !shared.has(other) && mentions(declaration, other))) continue;
      shared.delete(name);
      changed = true;
    }
  }
  return shared;
}

/** The entry point as a function that is told where it is. */
function asFunction(main: string): string {
  return main.replace(/@compute\s*@workgroup_size\([^)]*\)\s*/, '').replace(BUILTIN, '$2: $3');
}

/** Built-in values that the entry point asks for, in order. */
function builtinsOf(declarations: readonly Declaration[]): string[] {
  const main = declarations.find(({ name }) => name === 'main');
  invariant(main !== undefined, 'a kernel without fn main');
  return [...main.text.matchAll(BUILTIN)].map(([, name]) => name);
}

/** Each workgroup goes to the part that its number falls to; counts of workgroups are the first uniforms. */
function entryPoint(builtins: readonly (readonly string[])[], workgroupSize: number): string {
  const lines = ['let tile = group.y * groups.x + group.x;', 'var first = 0u;'];
  builtins.forEach((names, k) => {
    const count = `params[${k >> 2}u].${'xyzw'[k & 3]}`;
    const values: Readonly<Record<string, string>> = {
      workgroup_id: 'vec3u(tile - first, 0u, 0u)',
      num_workgroups: `vec3u(${count}, 1u, 1u)`,
      local_invocation_index: 'lane',
      local_invocation_id: 'vec3u(lane, 0u, 0u)',
    };
    const call = names.map((name) => {
      invariant(values[name] !== undefined, `a part cannot be told its ${name}`);
      return values[name];
    });
    lines.push(`if (tile < first + ${count}) { part_${k}(${call.join(', ')}); return; }`, `first += ${count};`);
  });
  return [
    `@compute @workgroup_size(${workgroupSize})`,
    'fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {',
    ...lines,
    '}',
  ].join('\n');
}

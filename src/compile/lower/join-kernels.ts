/**
 * Several kernels as one, side by side: the number of the workgroup says which of them it works for. Bindings are united,
 * uniform blocks follow one another, and what two kernels declare under one name and mean differently is renamed;
 * libraries that they share are declared once.
 *
 * Invariant: every part computes what it would alone, from the same expressions. Control flow between the parts depends on
 * the workgroup's number alone, so a part may use barriers.
 */

import { declarations } from '../../kernel/quote.ts';
import { renameDeclaration } from '../../kernel/rename.ts';
import type { Declaration, FunctionTree, Module, Slot, TypeName } from '../../kernel/tree.ts';
import { namesIn, sameTree } from '../../kernel/walk.ts';
import { invariant } from '../../util/errors.ts';
import type { Target } from '../target.ts';
import { storageBinding, uniformBlock } from './bindings.ts';
import { type EmittedKernel, gridOf } from './emit.ts';
import { BLOCK, uniformCopy, uniformWord } from './uniforms.ts';

/** Workgroup memory that every device grants, in bytes (WebGPU specification, section 3.6.2). */
export const MAX_WORKGROUP_BYTES = 16384;

type Declared = Exclude<Declaration, Slot<Declaration>>;

/**
 * One kernel that does the work of all `kernels`, or a sentence that says why there is none: workgroups of different
 * sizes, too many bindings or workgroups, one buffer read as two types, too much workgroup memory.
 */
export function joinKernels(kernels: readonly EmittedKernel[], target: Target): EmittedKernel | string {
  const [{ workgroupSize }] = kernels;
  if (kernels.some((kernel) => kernel.workgroupSize !== workgroupSize)) return 'workgroups of different sizes';
  if (target.copiesUniforms && kernels.some(({ barriers }) => barriers)) return 'a barrier behind copied uniforms';
  const buffers = [...new Set(kernels.flatMap((kernel) => kernel.buffers))];
  if (buffers.length > target.maxStorageBuffersPerShaderStage) {
    return `${buffers.length} storage buffers, ${target.maxStorageBuffersPerShaderStage} allowed`;
  }
  const counts = kernels.map(({ workgroups: [x, y, z] }) => x * y * z);
  const workgroups = gridOf(
    counts.reduce((a, b) => a + b),
    target,
  );
  if (workgroups[1] > target.maxComputeWorkgroupsPerDimension) return 'too many workgroups';
  const types = new Map<number, string>();
  for (const { module, buffers: own } of kernels) {
    for (const [slot, type] of storageTypes(module)) {
      const buffer = own[slot];
      if ((types.get(buffer) ?? type) !== type) return 'one buffer is read as two types';
      types.set(buffer, type);
    }
  }
  if (workgroupBytes(kernels) > MAX_WORKGROUP_BYTES) return 'too much workgroup memory';

  const access = buffers.map((buffer) =>
    kernels.some((kernel) => kernel.access[kernel.buffers.indexOf(buffer)] === 'read_write') ? 'read_write' : 'read',
  );
  const uniforms = padded(counts);
  const parts: Declared[] = [];
  kernels.forEach((kernel, k) => {
    const slots = kernel.buffers.map((buffer) => buffers.indexOf(buffer));
    parts.push(...partOf(kernel, k, slots, uniforms.length / 4, parts));
    uniforms.push(...kernel.uniforms);
  });
  const module: Module = {
    directives: [...new Set(kernels.flatMap((kernel) => kernel.module.directives))],
    declarations: [
      uniformBlock(uniforms.length),
      ...buffers.map((buffer, k) => storageBinding(k, types.get(buffer) as string, access[k])),
      ...parts,
      ...entryPoint(
        kernels.map(({ module: part }) => builtinsOf(part)),
        workgroupSize,
        target,
      ),
    ],
  };
  const scratch = kernels.flatMap((kernel) => kernel.scratch);
  return { module, access, uniforms, buffers, workgroups, workgroupSize, scratch };
}

function padded(words: readonly number[]): number[] {
  return [...words, ...Array<number>((4 - (words.length % 4)) % 4).fill(0)];
}

function declared({ declarations: all }: Module): Declared[] {
  return all.filter((tree): tree is Declared => tree.kind !== 'slot');
}

/** Element types of the storage bindings, by place among them. */
function storageTypes(module: Module): [slot: number, type: string][] {
  return declared(module).flatMap((tree) => {
    if (tree.kind !== 'variable' || tree.space !== 'storage' || tree.binding === null) return [];
    return [[tree.binding - 1, tree.typeName.element?.name ?? ''] as [number, string]];
  });
}

function workgroupBytes(kernels: readonly EmittedKernel[]): number {
  let bytes = 0;
  for (const tree of kernels.flatMap(({ module }) => declared(module))) {
    if (tree.kind === 'variable' && tree.space === 'workgroup') bytes += bytesOf(tree.typeName);
  }
  return bytes;
}

/** Bytes of an array of known length. What is not one cannot be added up: it does not join. */
function bytesOf({ name, element, count }: TypeName): number {
  if (name !== 'array' || element === null || count?.kind !== 'literal') return MAX_WORKGROUP_BYTES + 1;
  return Number(count.value) * (element.name.startsWith('vec') ? 16 : 4);
}

/** The declarations that part `k` adds to `earlier`: its bindings and uniforms moved, its own names its own. */
function partOf(
  { module, uniforms }: EmittedKernel,
  k: number,
  slots: readonly number[],
  firstVector: number,
  earlier: readonly Declared[],
): Declared[] {
  const own = declared(module).filter((tree) => tree.kind !== 'variable' || tree.binding === null);
  const shared = sharedNames(own, earlier);
  const taken = new Set(earlier.map(({ name }) => name));
  const names = new Map<string, string>([['main', `part_${k}`]]);
  for (const [slot, united] of slots.entries()) names.set(`b${slot}`, `b${united}`);
  for (const { name } of own) if (taken.has(name) && !shared.has(name)) names.set(name, `${name}_${k}`);
  for (let at = 0; at < uniforms.length / 4; at++) names.set(uniformCopy(at), uniformCopy(at + firstVector));
  const rename = { names, uniforms: BLOCK, firstVector };
  return own
    .filter(({ name }) => !shared.has(name))
    .map((tree) => asFunction(renameDeclaration(tree, rename) as Declared));
}

/** Names that `earlier` declares alike, as far as what they mention is shared too. */
function sharedNames(own: readonly Declared[], earlier: readonly Declared[]): ReadonlySet<string> {
  const known = new Map(earlier.map((tree) => [tree.name, tree]));
  const alike = new Map<string, ReadonlySet<string>>();
  for (const tree of own) {
    if (tree.kind === 'variable' && tree.space === 'workgroup') continue;
    const other = known.get(tree.name);
    if (other === undefined || !sameTree(tree, other)) continue;
    const mentions = namesIn(tree);
    if (![...mentions].some(isOwnMemory)) alike.set(tree.name, mentions);
  }
  const names = own.map(({ name }) => name);
  for (let changed = true; changed; ) {
    changed = false;
    for (const [name, mentions] of alike) {
      if (!names.some((other) => !alike.has(other) && mentions.has(other))) continue;
      alike.delete(name);
      changed = true;
    }
  }
  return new Set(alike.keys());
}

/** The uniform block, a copy of a part of it, or a storage binding. */
function isOwnMemory(name: string): boolean {
  return name.startsWith(BLOCK) || (name.length > 1 && name[0] === 'b' && Number.isInteger(Number(name.slice(1))));
}

/** The entry point as a function that is told where it is; other declarations as they are. */
function asFunction(tree: Declared): Declared {
  if (tree.kind !== 'function' || tree.workgroupSize === null) return tree;
  const parameters = tree.parameters.map((parameter) => ({ ...parameter, builtin: null }));
  return { ...tree, parameters, workgroupSize: null };
}

/** Built-in values that the entry point asks for, in order. */
function builtinsOf({ declarations: all }: Module): string[] {
  const main = all.find((tree): tree is FunctionTree => tree.kind === 'function' && tree.workgroupSize !== null);
  invariant(main !== undefined, 'a kernel without fn main');
  return main.parameters.map(({ builtin }) => builtin ?? '');
}

/** Each workgroup goes to the part that its number falls to; counts of workgroups are the first uniforms. */
function entryPoint(builtins: readonly (readonly string[])[], workgroupSize: number, target: Target): Declaration[] {
  const calls = builtins.map((names, k) => {
    const count = uniformWord(k, target);
    const values: Readonly<Record<string, string>> = {
      workgroup_id: 'vec3u(tile - first, 0u, 0u)',
      num_workgroups: `vec3u(${count}, 1u, 1u)`,
      local_invocation_index: 'invocation',
      local_invocation_id: 'vec3u(invocation, 0u, 0u)',
    };
    const call = names.map((name) => {
      invariant(values[name] !== undefined, `a part cannot be told its ${name}`);
      return values[name];
    });
    return `if (tile < first + ${count}) { part_${k}(${call.join(', ')}); return; } first += ${count};`;
  });
  return declarations('joined kernels')`
    @compute @workgroup_size(${workgroupSize})
    fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) invocation: u32) {
      let tile = group.y * groups.x + group.x;
      var first = 0u;
      ${calls.join('\n')}
    }`;
}

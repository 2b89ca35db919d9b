/** The files of `shaders/` as trees, each parsed when it is first asked for. */

import { parseTemplate } from '../../kernel/parse.ts';
import type { Module } from '../../kernel/tree.ts';
import { type ShaderName, shaders } from '../../shaders.gen.ts';
import { invariant } from '../../util/errors.ts';

const trees = new Map<string, Module>();

export function shaderTree(name: string): Module {
  let tree = trees.get(name);
  if (tree === undefined) {
    invariant(Object.hasOwn(shaders, name), `no file shaders/${name}.wgsl`);
    tree = parseTemplate(shaders[name as ShaderName], `${name}.wgsl`);
    trees.set(name, tree);
  }
  return tree;
}

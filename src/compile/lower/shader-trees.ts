/** The files of `shaders/` as trees, each parsed when it is first asked for. */

import { parseTemplate } from '../../kernel/parse.ts';
import type { Module } from '../../kernel/tree.ts';
import { type ShaderName, shaders } from '../../shaders.gen.ts';
import { invariant } from '../../util/errors.ts';
import type { PlanLimits } from '../plan.ts';
import { copiesUniforms, namingCopies } from './uniforms.ts';

const trees = new Map<string, Module>();
const copying = new Map<string, Module>();

/** The file `shaders/<name>.wgsl` for devices of `limits`. */
export function shaderTree(name: string, limits: PlanLimits): Module {
  const tree = found(trees, name, () => {
    invariant(Object.hasOwn(shaders, name), `no file shaders/${name}.wgsl`);
    return parseTemplate(shaders[name as ShaderName], `${name}.wgsl`);
  });
  return copiesUniforms(limits) ? found(copying, name, () => namingCopies(tree)) : tree;
}

function found(known: Map<string, Module>, name: string, make: () => Module): Module {
  let tree = known.get(name);
  if (tree === undefined) {
    tree = make();
    known.set(name, tree);
  }
  return tree;
}

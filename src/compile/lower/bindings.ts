/** Declarations of a kernel's bindings: the uniform block `params`, then storage buffers `b0`, `b1`, … */

import type { TypeName, Variable } from '../../kernel/tree.ts';
import { ABSTRACT_INT, NONE } from '../../kernel/types.ts';

/** The uniform block of `words` u32 words, a multiple of 4. */
export function uniformBlock(words: number): Variable {
  const count = { kind: 'literal', value: words / 4, type: ABSTRACT_INT, line: 0 } as const;
  const typeName = { name: 'array', element: { ...named('vec4'), element: named('u32') }, count, line: 0 };
  return { ...GLOBAL, name: 'params', space: 'uniform', access: null, binding: 0, typeName };
}

/** Storage binding `k`, from 0. */
export function storageBinding(k: number, type: string, access: 'read' | 'read_write'): Variable {
  const typeName = { ...named('array'), element: named(type) };
  return { ...GLOBAL, name: `b${k}`, space: 'storage', access, binding: k + 1, typeName };
}

const GLOBAL = { kind: 'variable', value: null, type: NONE, line: 0 } as const;

function named(name: string): TypeName {
  return { name, element: null, count: null, line: 0 };
}

/**
 * Templates: a file of `shaders/` is a module by itself, and `instantiate` makes a kernel of it.
 * `const X = …; // @param` takes another value, a slot (`// @slot name` … `// @end`) takes other declarations or
 * statements, a loop marked `// @loop name` is changed by name. Loops marked `// @unroll` are then written out, with
 * literals for their index.
 */

import { invariant } from '../util/errors.ts';
import { rewriteBody } from './rewrite.ts';
import type { Constant, Declaration, Expression, Literal, Loop, Module, Slot, Statement } from './tree.ts';
import { U32 } from './types.ts';

/** What an instance differs in; what is left out keeps its default. */
export interface Fill {
  /** Values of parameters, of the type that each has in the template. */
  readonly params?: Readonly<Record<string, number | boolean>>;
  /** Contents of slots between declarations, and of slots between statements. */
  readonly declarations?: Readonly<Record<string, readonly Declaration[]>>;
  readonly statements?: Readonly<Record<string, readonly Statement[]>>;
  /** What takes the place of a loop, whose slots are filled already. */
  readonly loops?: Readonly<Record<string, (loop: Loop) => readonly Statement[]>>;
  readonly directives?: readonly string[];
}

/** An instance of `template`. A name that the template does not have is an error of ours. */
export function instantiate(template: Module, fill: Fill): Module {
  const instance = new Instance(fill);
  const declarations = instance.declarations(template.declarations);
  instance.finish();
  return { directives: [...template.directives, ...(fill.directives ?? [])], declarations };
}

class Instance {
  readonly #fill: Fill;
  readonly #unused: Set<string>;
  /** Values of the constants so far: what loops count to. */
  readonly #constants = new Map<string, Expression>();

  constructor(fill: Fill) {
    this.#fill = fill;
    const { params = {}, declarations = {}, statements = {}, loops = {} } = fill;
    this.#unused = new Set([
      ...Object.keys(params).map((name) => `param ${name}`),
      ...[declarations, statements].flatMap((slots) => Object.keys(slots).map((name) => `slot ${name}`)),
      ...Object.keys(loops).map((name) => `loop ${name}`),
    ]);
  }

  finish(): void {
    invariant(this.#unused.size === 0, `the template has no ${[...this.#unused].join(', ')}`);
  }

  declarations(trees: readonly Declaration[]): Declaration[] {
    return trees.flatMap((tree) => {
      switch (tree.kind) {
        case 'slot':
          return this.declarations(this.#contentOf(tree, this.#fill.declarations));
        case 'constant': {
          const constant = this.#constant(tree);
          this.#constants.set(tree.name, constant.value);
          return [constant];
        }
        case 'function':
          return [isPlain(tree.body) ? tree : { ...tree, body: this.#body(tree.body) }];
        default:
          return [tree];
      }
    });
  }

  #constant(tree: Constant): Constant {
    const { params = {} } = this.#fill;
    if (!tree.param || !Object.hasOwn(params, tree.name)) return tree;
    this.#unused.delete(`param ${tree.name}`);
    invariant(tree.value.kind === 'literal', `the default of param ${tree.name} is not a literal`);
    return { ...tree, value: { ...tree.value, value: params[tree.name] } };
  }

  #contentOf<T>({ name, content }: Slot<T>, given: Readonly<Record<string, readonly T[]>> = {}): readonly T[] {
    this.#unused.delete(`slot ${name}`);
    return Object.hasOwn(given, name) ? given[name] : content;
  }

  #body(body: readonly Statement[]): Statement[] {
    return body.flatMap((tree) => this.#statement(tree));
  }

  #statement(tree: Statement): readonly Statement[] {
    switch (tree.kind) {
      case 'slot':
        return this.#body(this.#contentOf(tree, this.#fill.statements));
      case 'block':
        return [{ ...tree, body: this.#body(tree.body) }];
      case 'if': {
        const otherwise = tree.otherwise === null ? null : this.#body(tree.otherwise);
        return [{ ...tree, body: this.#body(tree.body), otherwise }];
      }
      case 'loop':
        return this.#loop({ ...tree, body: this.#body(tree.body) });
      default:
        return [tree];
    }
  }

  #loop(loop: Loop): readonly Statement[] {
    const { loops = {} } = this.#fill;
    if (loop.name !== null && Object.hasOwn(loops, loop.name)) {
      this.#unused.delete(`loop ${loop.name}`);
      return loops[loop.name](loop);
    }
    return loop.unroll ? unrolled(loop, this.#constants) : [loop];
  }
}

/** True when no template feature is in `body`, so that an instance can share it. */
function isPlain(body: readonly Statement[]): boolean {
  return body.every((tree) => {
    switch (tree.kind) {
      case 'slot':
        return false;
      case 'block':
        return isPlain(tree.body);
      case 'if':
        return isPlain(tree.body) && (tree.otherwise === null || isPlain(tree.otherwise));
      case 'loop':
        return tree.name === null && !tree.unroll && isPlain(tree.body);
      default:
        return true;
    }
  });
}

/** The turns of `for (var i = 0u; i < N; i++)` one after another. A turn that declares a name is a block. */
function unrolled(loop: Loop, constants: ReadonlyMap<string, Expression>): Statement[] {
  const { init, condition, body, line } = loop;
  const bound =
    condition?.kind === 'binary' && condition.operator === '<' && condition.right.kind === 'name'
      ? constants.get(condition.right.name)
      : undefined;
  invariant(init?.kind === 'declare' && bound?.kind === 'literal', 'a loop to unroll counts from 0u to a constant');
  const declares = body.some(declaresName);
  return Array.from({ length: Number(bound.value) }, (_, k): readonly Statement[] => {
    const turn = substitute(body, init.name, { kind: 'literal', value: k, type: U32, line });
    return declares ? [{ kind: 'block', body: turn, line }] : turn;
  }).flat();
}

/** `body` with a literal wherever it names the variable `name`. */
function substitute(body: readonly Statement[], name: string, literal: Literal): readonly Statement[] {
  return rewriteBody(body, {
    expression: (tree) => (tree.kind === 'name' && tree.name === name ? literal : tree),
  });
}

function declaresName(tree: Statement): boolean {
  switch (tree.kind) {
    case 'declare':
      return true;
    case 'block':
      return tree.body.some(declaresName);
    case 'if':
      return [...tree.body, ...(tree.otherwise ?? [])].some(declaresName);
    default:
      return false;
  }
}

/** The loop `for (var name = from; name < to; …)` over another range. */
export function ranged(loop: Loop, from: Expression, to: Expression): Loop {
  const { init, condition } = loop;
  invariant(init?.kind === 'declare' && condition?.kind === 'binary', 'a loop over a range');
  return { ...loop, init: { ...init, value: from }, condition: { ...condition, right: to } };
}

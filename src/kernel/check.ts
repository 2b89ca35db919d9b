/**
 * The checker: gives a module with every type in place, or says what is wrong and on which line. After it, every name
 * is declared, every call has a function that takes its arguments, and every assignment has a target that may be
 * written.
 *
 * Declarations may come in any order, but functions must not call each other in a circle.
 * Source: WGSL, sections 5 to 9.
 */

import { isEntryValue } from './builtins.ts';
import { checkAs, checkExpression, resolveType } from './check-expression.ts';
import { checkBlock } from './check-statement.ts';
import { type Context, constantValue } from './conversions.ts';
import { kernelError } from './error.ts';
import { parseBody, parseModule, parseSnippet } from './parse.ts';
import { type ModuleNames, Scope } from './scope.ts';
import type {
  Constant,
  Declaration,
  Expression,
  FunctionTree,
  Module,
  Parameter,
  Statement,
  Struct,
  Variable,
} from './tree.ts';
import { type StructType, type Type, typeText, U32 } from './types.ts';
import { calledBy } from './walk.ts';

/** @throws DownhillError `internal` that names `where`, the line and what is wrong. */
export function checkModule(module: Module, where: string): Module {
  const scope = new Scope(null);
  const names: ModuleNames = { structs: new Map(), functions: new Map() };
  const context: Context = { where, names, scope };
  const done = new Map<Declaration, Declaration>();
  for (const { kind, name, line } of module.declarations) {
    if (kind === 'slot') throw kernelError(where, line, `slot ${name} is not filled`);
  }
  for (const each of module.declarations) if (each.kind === 'constant') done.set(each, checkConstant(each, context));
  for (const each of module.declarations) {
    if (each.kind !== 'struct') continue;
    taken(names, scope, each.name, each.line, where);
    names.structs.set(each.name, structOf(each, context));
    done.set(each, each);
  }
  for (const each of module.declarations) if (each.kind === 'variable') done.set(each, checkVariable(each, context));
  for (const each of module.declarations) {
    if (each.kind !== 'function') continue;
    taken(names, scope, each.name, each.line, where);
    const parameters = each.parameters.map(({ typeName }) => resolveType(typeName, context));
    const result: Type = each.resultName === null ? { kind: 'none' } : resolveType(each.resultName, context);
    names.functions.set(each.name, { parameters, result, tree: each });
  }
  for (const each of module.declarations) if (each.kind === 'function') done.set(each, checkFunction(each, context));
  refuseCircles(module, where);
  return { ...module, declarations: module.declarations.map((each) => done.get(each) as Declaration) };
}

/** Text to checked tree. */
export function readModule(text: string, where: string): Module {
  return checkModule(parseModule(text, where), where);
}

/** What a snippet of an op record may use: values by name, and the functions of a library. */
export interface Surroundings {
  readonly values: Readonly<Record<string, Type>>;
  readonly library?: Module;
}

/** An expression of an op record, of the type it must have. @throws DownhillError `internal` that names `where`. */
export function readSnippet(text: string, type: Type, surroundings: Surroundings, where: string): Expression {
  return checkAs(parseSnippet(text, where), type, `${JSON.stringify(text)}`, contextOf(surroundings, where));
}

/**
 * The body of a function of an op record that returns `result`.
 * @throws DownhillError `internal` that names `where`.
 */
export function readBody(text: string, result: Type, surroundings: Surroundings, where: string): Statement[] {
  return checkBlock(parseBody(text, where), { ...contextOf(surroundings, where), result, inLoop: false });
}

function contextOf({ values, library }: Surroundings, where: string): Context {
  const names: ModuleNames = { structs: new Map(), functions: new Map() };
  const scope = new Scope(null);
  const context = { where, names, scope };
  for (const each of library?.declarations ?? []) {
    if (each.kind === 'constant')
      scope.declare(each.name, { type: each.type, writable: false, value: constantValue(each.value, context) });
    if (each.kind === 'struct') names.structs.set(each.name, structOf(each, context));
    if (each.kind === 'function') {
      names.functions.set(each.name, {
        parameters: each.parameters.map(({ type }) => type),
        result: each.result,
        tree: each,
      });
    }
  }
  for (const [name, type] of Object.entries(values)) scope.declare(name, { type, writable: false });
  return context;
}

function checkConstant(tree: Constant, context: Context): Constant {
  const wanted = tree.typeName === null ? null : resolveType(tree.typeName, context);
  const value =
    wanted === null ? checkExpression(tree.value, context) : checkAs(tree.value, wanted, tree.name, context);
  const known = constantValue(value, context);
  if (known === undefined) throw kernelError(context.where, tree.line, `the value of const ${tree.name} is not known`);
  if (!context.scope.declare(tree.name, { type: value.type, writable: false, value: known })) {
    throw kernelError(context.where, tree.line, `"${tree.name}" is declared twice`);
  }
  return { ...tree, value, type: value.type };
}

function structOf({ name, fields }: Struct, context: Context): StructType {
  return {
    kind: 'struct',
    name,
    fields: fields.map((field) => ({ name: field.name, type: resolveType(field.typeName, context) })),
  };
}

function checkVariable(tree: Variable, context: Context): Variable {
  const type = resolveType(tree.typeName, context);
  const writable = tree.space === 'private' || tree.space === 'workgroup' || tree.access === 'read_write';
  if ((tree.binding === null) === (tree.space === 'uniform' || tree.space === 'storage')) {
    throw kernelError(
      context.where,
      tree.line,
      `"${tree.name}" in ${tree.space} memory: a binding belongs to buffers alone`,
    );
  }
  if (!context.scope.declare(tree.name, { type, writable })) {
    throw kernelError(context.where, tree.line, `"${tree.name}" is declared twice`);
  }
  return { ...tree, type, value: tree.value === null ? null : checkAs(tree.value, type, tree.name, context) };
}

function checkFunction(tree: FunctionTree, context: Context): FunctionTree {
  const { where } = context;
  const { parameters, result } = context.names.functions.get(tree.name) as {
    parameters: readonly Type[];
    result: Type;
  };
  const scope = new Scope(context.scope);
  const typed = tree.parameters.map((parameter, k): Parameter => {
    const type = parameters[k];
    if (!scope.declare(parameter.name, { type, writable: false })) {
      throw kernelError(where, tree.line, `two parameters "${parameter.name}" of ${tree.name}`);
    }
    if (parameter.builtin !== null && !isEntryValue(parameter.builtin, type)) {
      throw kernelError(where, tree.line, `@builtin(${parameter.builtin}) is not ${typeText(type)}`);
    }
    return { ...parameter, type };
  });
  const body = checkBlock(tree.body, { ...context, scope, result, inLoop: false });
  if (tree.resultName !== null && !returns(body))
    throw kernelError(where, tree.line, `${tree.name} may end without a result`);
  const workgroupSize =
    tree.workgroupSize === null ? null : checkAs(tree.workgroupSize, U32, 'the workgroup size', context);
  return { ...tree, parameters: typed, result, body, workgroupSize };
}

/** True when no way through `body` reaches its end. */
function returns(body: readonly Statement[]): boolean {
  const last = body.at(-1);
  if (last === undefined) return false;
  if (last.kind === 'return') return true;
  if (last.kind === 'block') return returns(last.body);
  return last.kind === 'if' && last.otherwise !== null && returns(last.body) && returns(last.otherwise);
}

function taken({ structs, functions }: ModuleNames, scope: Scope, name: string, line: number, where: string): void {
  if (structs.has(name) || functions.has(name) || scope.find(name) !== undefined) {
    throw kernelError(where, line, `"${name}" is declared twice`);
  }
}

/** WGSL has no recursion. */
function refuseCircles({ declarations }: Module, where: string): void {
  const functions = new Map(
    declarations.flatMap((each) => (each.kind === 'function' ? [[each.name, each] as const] : [])),
  );
  const finished = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    const tree = functions.get(name);
    if (tree === undefined || finished.has(name)) return;
    if (path.includes(name)) throw kernelError(where, tree.line, `${[...path, name].join(' calls ')}`);
    for (const callee of calledBy(tree.body)) visit(callee, [...path, name]);
    finished.add(name);
  };
  for (const name of functions.keys()) visit(name, []);
}

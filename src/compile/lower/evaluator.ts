/**
 * Evaluator: nodes of a cluster as trees. A value is either a `let` in a scope (evaluated at the scope's index), a
 * function of its flat index, or a load from memory. Snippets of ops are parsed here, one at a time, so that what is
 * wrong in one is said with the op's name.
 *
 * Scopes nest: the inner scope of a reduction sees the values of the row it belongs to.
 */

import type { EmitContext, IndexContext } from '../../core/lowering.ts';
import type { Op } from '../../core/op.ts';
import type { Tensor } from '../../core/tensor.ts';
import { declarations, statements } from '../../kernel/quote.ts';
import type { Statement } from '../../kernel/tree.ts';
import { invariant } from '../../util/errors.ts';
import type { Cluster, Role } from '../fuse/cluster.ts';
import type { FusedGraph } from '../fuse/fused-graph.ts';
import { broadcastMap, indexExpression, isIdentity } from '../graph/index-map.ts';
import { resolve } from '../graph/views.ts';
import type { Memory } from '../memory/memory.ts';
import type { KernelWriter } from './kernel-writer.ts';

/** A run of `let` statements at one index. */
export interface Scope {
  readonly index: string;
  /** Roles that may be evaluated here. */
  readonly roles: readonly Role[];
  readonly lines: Statement[];
  readonly values: Map<Tensor, string>;
  readonly column?: ColumnScope;
  /** For an element of a row: the scope of the row. */
  readonly row?: Scope;
}

/** For an output of rows and columns: the u32 that holds the column, how many there are, and what is loaded once for each. */
export interface ColumnScope {
  readonly index: string;
  readonly count: number;
  readonly values: Map<Tensor, { readonly name: string; readonly type: string; readonly load: string }>;
}

export function scope(index: string, roles: readonly Role[], row?: Scope): Scope {
  return { index, roles, lines: [], values: new Map(), ...(row === undefined ? {} : { row }) };
}

export class Evaluator {
  private readonly functions = new Map<Tensor, string>();

  constructor(
    readonly writer: KernelWriter,
    private readonly cluster: Cluster,
    private readonly fused: FusedGraph,
    private readonly memory: Memory,
  ) {}

  /** Name or expression for `tensor` at the scope's own index. */
  value(tensor: Tensor, at: Scope): string {
    const { root, offset } = resolve(tensor);
    const whole = offset === 0 && root.size === tensor.size;
    const known = whole ? at.values.get(root) : undefined;
    if (known !== undefined) return known;
    if (whole && this.isInline(root, at)) {
      const expression = this.expression(root, at);
      const name = this.writer.name('v');
      at.lines.push(...statements(nameOf(root))`let ${name} = ${expression};`);
      at.values.set(root, name);
      return name;
    }
    return this.elementAt(tensor, at.index);
  }

  /** Expression for element `index` of `tensor`. */
  elementAt(tensor: Tensor, index: string): string {
    const { root, offset } = resolve(tensor);
    if (this.fused.recomputed.has(root) || this.cluster.roles.get(root) === 'function') {
      const at = offset === 0 ? index : `${index} + ${this.writer.count(offset)}`;
      return `${this.functionOf(root)}(${at})`;
    }
    const location = this.memory.find(root);
    invariant(location !== undefined, `${root} is read by ${root.op?.name ?? 'a kernel'} and is stored nowhere`);
    return this.writer.load(location, root.dtype, index, offset);
  }

  /** What a lowering may ask. */
  context(node: Tensor): EmitContext<unknown> {
    return {
      attrs: node.attrs,
      inputs: node.inputs,
      output: node,
      scalar: (value) => this.writer.scalar(value),
      count: (value) => this.writer.count(value),
      size: (value) => this.writer.size(value),
      use: (name) => this.writer.use(name),
    };
  }

  /** Name of `fn (i: u32) -> T` for the element of `node` at a flat index. */
  functionOf(node: Tensor): string {
    const known = this.functions.get(node);
    if (known !== undefined) return known;
    const name = this.writer.name('f');
    this.functions.set(node, name);
    const { lower } = node.op as Op;
    const at = scope('i', ['function']);
    const result = lower.kind === 'index' ? lower.wgsl(this.indexContext(node)) : this.expression(node, at);
    const text = lower.kind === 'index' ? result : `return ${result};`;
    const body = statements(nameOf(node))`${at.lines} ${text}`;
    const isExpensive = lower.kind === 'index' && lower.cost === 'materialize';
    if (isExpensive && this.fused.recomputed.has(node)) this.addRemembering(name, node.dtype, body);
    else this.writer.addFunctions(declarations(nameOf(node))`fn ${name}(i: u32) -> ${node.dtype} { ${body} }`);
    return name;
  }

  private indexContext(node: Tensor): IndexContext<unknown> {
    return { ...this.context(node), i: 'i', load: (k, index) => this.elementAt(node.inputs[k], index) };
  }

  /** A function that is expensive and asked for one value many times in a row: it keeps the last one. */
  private addRemembering(name: string, type: string, body: readonly Statement[]): void {
    this.writer.addFunctions(declarations(name)`
      var<private> ${name}_asked: u32 = 0xffffffffu;
      var<private> ${name}_known: ${type};
      fn ${name}_anew(i: u32) -> ${type} { ${body} }
      fn ${name}(i: u32) -> ${type} {
        if (i != ${name}_asked) {
          ${name}_known = ${name}_anew(i);
          ${name}_asked = i;
        }
        return ${name}_known;
      }`);
  }

  private isInline(root: Tensor, at: Scope): boolean {
    if (this.fused.recomputed.has(root)) return true;
    const role = this.cluster.roles.get(root);
    return role !== undefined && at.roles.includes(role);
  }

  private expression(node: Tensor, at: Scope): string {
    const { lower } = node.op as Op;
    if (lower.kind === 'index') return `${this.functionOf(node)}(${at.index})`;
    invariant(lower.kind === 'map', `${node.op?.name} is no elementwise node`);
    const args = node.inputs.map((input) => this.argument(input, node, at));
    return lower.wgsl(args, this.context(node));
  }

  private argument(input: Tensor, node: Tensor, at: Scope): string {
    const { root } = resolve(input);
    const ofRow = at.row !== undefined && ['reduction', 'point'].includes(this.cluster.roles.get(root) ?? '');
    if (ofRow && at.row !== undefined) return this.value(input, at.row);
    const map = broadcastMap(input.shape, node.shape);
    if (isIdentity(map)) return this.value(input, at);
    // One value a column, such as a bias: no division, and no size in the text.
    const [rows, columns] = map;
    const perColumn = map.length === 2 && rows.stride === 0 && columns.stride === 1;
    if (perColumn && at.column?.count === columns.size) return this.ofColumn(input, at.column);
    return this.elementAt(input, indexExpression(map, at.index));
  }

  private ofColumn(input: Tensor, { index, values }: ColumnScope): string {
    let value = values.get(input);
    if (value === undefined) {
      value = { name: this.writer.name('column'), type: input.dtype, load: this.elementAt(input, index) };
      values.set(input, value);
    }
    return value.name;
  }
}

const nameOf = (node: Tensor): string => `op ${node.op?.name ?? 'input'}`;

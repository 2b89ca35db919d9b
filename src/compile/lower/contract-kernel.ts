/**
 * Kernels of a contract cluster: instances of the gemm template. Operands are read through functions of their
 * flat index, so a view or a recomputed operand needs no buffer; the epilogue is written where the product is stored.
 * A long contraction with a small result is cut into chunks of segments, and a second kernel adds the partial products
 * in order: no atomics, the same bits every run.
 */

import type { Contraction, EmitContext } from '../../core/lowering.ts';
import type { Tensor } from '../../core/tensor.ts';
import { declarations, statements } from '../../kernel/quote.ts';
import { type Fill, instantiate } from '../../kernel/template.ts';
import type { Declaration, Loop, Statement } from '../../kernel/tree.ts';
import { invariant } from '../../util/errors.ts';
import type { Cluster } from '../fuse/cluster.ts';
import type { Location, PlacedValue } from '../plan.ts';
import type { Tile } from '../tile.ts';
import { chooseTile } from '../tiles.ts';
import { type EmitInput, type EmittedKernel, gridOf, ThreadWriter, threadKernel } from './emit.ts';
import { type ColumnScope, Evaluator, type Scope, scope } from './evaluator.ts';
import { variantParts } from './gemm-variants.ts';
import { KernelWriter } from './kernel-writer.ts';
import { longParts } from './long-products.ts';
import { shaderTree } from './shader-trees.ts';
import { storePoints } from './stores.ts';

/** How the kernel of a contract cluster is cut, which decides how many dispatches it takes and of which workgroups. */
export function contractTile(input: Pick<EmitInput, 'cluster' | 'target'>): Tile {
  return chooseTile(input.cluster.contraction as Contraction, contractRows(input.cluster), input.target);
}

/** Rows of the product of a contract cluster, with the row of ones where it has one. */
export function contractRows(cluster: Cluster): number {
  return (cluster.contraction as Contraction).m + (sumOf({ cluster }) === null ? 0 : 1);
}

export function emitContract(input: EmitInput): EmittedKernel[] {
  const { cluster, memory } = input;
  const spec = cluster.contraction as Contraction;
  const rows = contractRows(cluster);
  const tile = contractTile(input);
  if (tile.chunks === 1) return [emitProduct(input, tile, null)];
  const elements = tile.chunks * spec.batch * rows * spec.n;
  const partials = memory.scratch(elements, 'f32', 'partial products');
  return [emitProduct(input, tile, partials), emitMerge(input, tile.chunks, partials)];
}

function nodeWith(input: Pick<EmitInput, 'cluster'>, wanted: string): Tensor | null {
  for (const [node, role] of input.cluster.roles) if (role === wanted) return node;
  return null;
}

const sumOf = (input: Pick<EmitInput, 'cluster'>) => nodeWith(input, 'sum');

/** @param partials where chunks leave their products, or null when the product is stored at once. */
function emitProduct(input: EmitInput, tile: Tile, partials: Location | null): EmittedKernel {
  const { cluster, fused, memory, target } = input;
  const spec = cluster.contraction as Contraction;
  const product = nodeWith(input, 'reduction') as Tensor;
  const sum = sumOf(input);
  const rows = spec.m + (sum === null ? 0 : 1);
  const writer = new KernelWriter(memory.scalarBuffer, target);
  const { m, n, inner, segments, batch, aStep, bStep } = spec;
  for (const word of [m, n, inner, segments, aStep, bStep, batch, tile.chunks]) writer.count(word);
  const evaluator = new Evaluator(writer, cluster, fused, memory);
  const context = evaluator.context(product);
  const aShape = product.inputs[spec.a];
  const bShape = product.inputs[spec.b];
  const operands = declarations(`operands of ${product.op?.name}`)`
    fn load_a(i: u32) -> f32 { return ${evaluator.elementAt(aShape, 'i')}; }
    fn load_b(i: u32) -> f32 { return ${evaluator.elementAt(bShape, 'i')}; }`;
  const address = addressFunctions(spec, context, product.op?.name ?? 'a contraction');
  const store = partials === null ? storeFunction(input, evaluator) : storePartials(writer, partials);
  const { rowsPerInvocation, columnsPerInvocation, invocationsM, invocationsN } = tile;
  const long = longParts(tile, spec);
  const variant = variantParts(tile, spec, long);
  const fill: Fill = {
    ...(variant.directives && { directives: variant.directives }),
    params: {
      TM: rowsPerInvocation,
      TN: columnsPerInvocation,
      INVOCATIONS_M: invocationsM,
      INVOCATIONS_N: invocationsN,
      LOADS: variant.loads,
      LOAD_SHARERS: variant.loadSharers,
      LOAD_STEP: variant.loadStep,
      CLIPPED: spec.clipped,
      SLICED: batch * tile.chunks > 1,
      ONES_ROW: sum !== null,
    },
    declarations: {
      declarations: writer.declarations(),
      operands,
      helpers: writer.helpers(),
      memory: variant.memory ?? [],
      store,
      address,
    },
    statements: { pick: pickValue(rowsPerInvocation, columnsPerInvocation), ...variant.statements, ...long?.slots },
    // One run, such as a matmul's: no loop around it.
    loops: { ...(segments === 1 && { segments: ({ body }: Loop) => code`{ let s = 0u; ${body} }` }), ...variant.loops },
  };
  const groups =
    Math.ceil(rows / (rowsPerInvocation * invocationsM)) *
    Math.ceil(n / (columnsPerInvocation * invocationsN)) *
    batch *
    tile.chunks;
  return {
    module: instantiate(shaderTree('gemm', target), fill),
    access: writer.access,
    uniforms: writer.uniformWords,
    buffers: writer.buffers,
    workgroups: gridOf(groups, target),
    workgroupSize: invocationsM * invocationsN,
    scratch: [],
  };
}

const code = statements('product');

/** `store` of a chunk: its slice of the partial products, and no column to load. */
function storePartials(writer: KernelWriter, partials: Location): Declaration[] {
  return declarations('partial products')`
    fn column(n: u32) {}
    fn store(m: u32, n: u32, product: u32, chunk: u32, value: f32) {
      let i = ((chunk * dims().batch + product) * (dims().m + u32(ONES_ROW)) + m) * dims().n + n;
      ${writer.store(partials, 'f32', 'i', 'value')}
    }`;
}

/** Adds the chunks of each element, then does what a whole product does at its store. */
function emitMerge(input: EmitInput, chunks: number, partials: PlacedValue): EmittedKernel {
  const { cluster, fused, memory, target, invocations } = input;
  const { m, n, batch } = cluster.contraction as Contraction;
  const sum = sumOf(input);
  const rows = m + (sum === null ? 0 : 1);
  const points = batch * rows * n;
  const writer = new ThreadWriter(memory, points, invocations[1], target);
  const [total, columns, allRows, pieces] = [points, n, rows, chunks].map((value) => writer.count(value));
  const evaluator = new Evaluator(writer, cluster, fused, memory);
  writer.addFunctions(declarations('partial products')`
    struct Dims { m: u32, n: u32, batch: u32 }
    fn dims() -> Dims { return Dims(${allRows} - ${sum === null ? 0 : 1}u, ${columns}, 1u); }`);
  writer.addFunctions(storeFunction(input, evaluator));
  const body = code`
    var value = ${writer.load(partials, 'f32', 'i')};
    for (var c = 1u; c < ${pieces}; c++) { value += ${writer.load(partials, 'f32', `c * ${total} + i`)}; }
    column(i % ${columns});
    store(i / ${columns} % ${allRows}, i % ${columns}, i / (${columns} * ${allRows}), 0u, value);`;
  return threadKernel(writer, body, [partials]);
}

const picks = new Map<string, readonly Statement[]>();

/** `let value` = acc[i][j] of a block in registers: selects by j, then a tree of selects over the bits of i. */
function pickValue(rows: number, columns: number): readonly Statement[] {
  const key = `${rows}x${columns}`;
  let pick = picks.get(key);
  if (pick === undefined) {
    const lines = [`var part: array<f32, ${rows}>;`];
    for (let i = 0; i < rows; i++) {
      lines.push(`part[${i}] = acc[${i}][0];`);
      for (let j = 1; j < columns; j++) lines.push(`part[${i}] = select(part[${i}], acc[${i}][${j}], j == ${j}u);`);
    }
    for (let step = 1; step < rows; step *= 2) {
      for (let i = 0; i + step < rows; i += 2 * step) {
        lines.push(`part[${i}] = select(part[${i}], part[${i + step}], (i & ${step}u) != 0u);`);
      }
    }
    pick = code`${lines.join('\n')} let value = part[0];`;
    picks.set(key, pick);
  }
  return pick;
}

/**
 * `fn store(m, n, product, chunk, value)`: epilogue and stores of a finished element; row m == dims().m is the sum. Before
 * it `fn column(n)`, which loads what the values of a column share.
 */
function storeFunction(input: EmitInput, evaluator: Evaluator): Declaration[] {
  const { written, memory } = input;
  const product = nodeWith(input, 'reduction') as Tensor;
  const sum = sumOf(input);
  let storeSum = '';
  if (sum !== null) {
    const location = memory.find(sum);
    invariant(location !== undefined && written.includes(sum), `the sum ${sum} is stored nowhere`);
    storeSum = `if (m == dims().m) { ${evaluator.writer.store(location, 'f32', 'n', 'value')} return; }`;
  }
  const column: ColumnScope = { index: 'n', count: (input.cluster.contraction as Contraction).n, values: new Map() };
  const at: Scope = { ...scope('i', ['point']), column };
  at.values.set(product, 'value');
  const stores = storePoints(input, evaluator, at);
  const loads = [...column.values.values()];
  return declarations('epilogue')`
    ${loads.map(({ name, type }) => `var<private> ${name}: ${type};`).join('\n')}
    fn column(n: u32) { ${loads.map(({ name, load }) => `${name} = ${load};`).join('\n')} }
    fn store(m: u32, n: u32, product: u32, chunk: u32, value: f32) {
      ${storeSum}
      let i = (product * dims().m + m) * dims().n + n;
      ${at.lines}
      ${stores}
    }`;
}

/** The address functions of the template, whose bodies are the contraction's own. */
function addressFunctions(spec: Contraction, context: EmitContext<unknown>, op: string): Declaration[] {
  return declarations(`op ${op}`)`
    fn row(m: u32, product: u32) -> vec3i { ${spec.row(context)} }
    fn segment(s: u32) -> vec3i { ${spec.segment(context)} }
    fn a_run(r: vec3i, s: vec3i) -> Run { ${spec.aRun(context)} }
    fn b_base(n: u32, s: vec3i, product: u32) -> i32 { ${spec.bBase(context)} }
    fn out_row(m: u32) -> u32 { ${spec.outRow?.(context) ?? 'return m;'} }`;
}

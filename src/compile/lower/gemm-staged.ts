/**
 * The staged variant of the gemm template, for GPUs: a workgroup copies a slab of both operands, `depth` elements along
 * k, to its memory, and its invocations multiply from there. Each element of an operand is then read once a workgroup
 * instead of once for each invocation that needs it, and clipped runs are zeros in the slab.
 *
 * Neighbouring invocations copy what is side by side in memory: elements of one run where the operand moves by one
 * along k, else the same element of neighbouring rows or columns.
 * Source: Volkov and Demmel, "Benchmarking GPUs to tune dense linear algebra" (2008), section 4.
 */

import type { Contraction } from '../../core/lowering.ts';
import { declarations, statements } from '../../kernel/quote.ts';
import type { StagedTile } from '../tile.ts';
import type { GemmVariant, VariantParts } from './gemm-variant.ts';
import { MAX_WORKGROUP_BYTES } from './join-kernels.ts';
import type { LongParts } from './long-products.ts';

/** How the invocations of a workgroup share the copying of `count` rows (or columns) × depth elements. */
interface Copy {
  /** Of this invocation: the row and the element of copy `q`, u32 expressions. */
  row(q: number): string;
  element(q: number): string;
  readonly copies: number;
  /** Different rows that an invocation copies, and the distance between them. */
  readonly rows: number;
  readonly step: number;
  /** The first of them, within the workgroup's block. */
  readonly first: string;
  /**
   * Elements from one k to the next in workgroup memory; odd where invocations store along k, so that they meet other
   * banks.
   */
  readonly pitch: number;
}

function parts(tile: StagedTile, spec: Contraction, long?: LongParts): VariantParts {
  const { rowsPerInvocation, columnsPerInvocation, invocationsM, invocationsN, depth } = tile;
  const invocations = invocationsM * invocationsN;
  const a = copyOf(rowsPerInvocation * invocationsM, depth, invocations, spec.aStep === 1);
  const b = copyOf(columnsPerInvocation * invocationsN, depth, invocations, spec.bStep === 1);
  const columnAt = (q: number) => `b_base(min(left + ${b.row(q)}, d.n - 1u), seg, product)`;
  const copyA = times(a.copies, (q) => {
    const row = a.rows === 1 ? 0 : q;
    return `{
        let k = kb + i32(${a.element(q)});
        let inside = (k >= run[${row}].lo) & (k < run[${row}].hi);
        let x = select(0.0, load_a(u32(select(0, run[${row}].base + k * a_step, inside))), inside);
        a_slab[(${a.element(q)}) * ${a.pitch}u + ${a.row(q)}] = select(x, select(0.0, 1.0, k < inner), ones[${row}]);
      }`;
  });
  const copyB = times(b.copies, (q) => {
    const column = b.rows === 1 ? 0 : q;
    return `{
        let k = kb + i32(${b.element(q)});
        let inside = k < inner;
        let at = select(0, column_at[${column}] + k * b_step, inside);
        b_slab[(${b.element(q)}) * ${b.pitch}u + ${b.row(q)}] = select(0.0, load_b(u32(at)), inside);
      }`;
  });
  const multiply = times(rowsPerInvocation, (i) =>
    times(columnsPerInvocation, (j) => `acc[${i}][${j}] += a${i}_value * b${j}_value;`).join(' '),
  );
  const slots = {
    load0: code`let load0 = top + ${a.first}; let left = (tile % tiles_n) * (TN * INVOCATIONS_N);`,
    run: code`
      var column_at: array<i32, ${b.rows}>;
      ${times(b.rows, (q) => `column_at[${q}] = ${columnAt(q)};`).join('\n')}
      for (var kb = 0; kb < inner; kb += ${depth}) {
        workgroupBarrier();
        ${[...copyA, ...copyB].join('\n')}
        workgroupBarrier();
        for (var k = 0u; k < ${depth}u; k++) {
          let a_at = k * ${a.pitch}u + invocation / INVOCATIONS_N;
          let b_at = k * ${b.pitch}u + invocation % INVOCATIONS_N;
          ${times(columnsPerInvocation, (j) => `let b${j}_value = b_slab[b_at + ${j}u * INVOCATIONS_N];`).join('\n')}
          ${times(rowsPerInvocation, (i) => `let a${i}_value = a_slab[a_at + ${i}u * INVOCATIONS_M];`).join('\n')}
          ${multiply.join('\n')}
        }
        ${long?.afterSlab(`(kb + ${depth})`, depth) ?? []}
      }`,
  };
  const memory = declarations('staged product')`
    var<workgroup> a_slab: array<f32, ${a.pitch * depth}>;
    var<workgroup> b_slab: array<f32, ${b.pitch * depth}>;`;
  return { memory, statements: slots, loads: a.rows, loadSharers: tile.invocationsN, loadStep: a.step };
}

const code = statements('staged product');

function copyOf(count: number, depth: number, invocations: number, alongK: boolean): Copy {
  const copies = (count * depth) / invocations;
  if (alongK) {
    const step = invocations / depth;
    const first = `invocation / ${depth}u`;
    return {
      ...{ copies, rows: copies, step, first, pitch: count + 1 },
      row: (q) => `invocation / ${depth}u + ${q * step}u`,
      element: () => `invocation % ${depth}u`,
    };
  }
  const first = `invocation % ${count}u`;
  return {
    ...{ copies, rows: 1, step: count, first, pitch: count },
    row: () => first,
    element: (q) => `invocation / ${count}u + ${(q * invocations) / count}u`,
  };
}

/** Why `tile` cannot be staged; undefined when it can, on every device. */
function problem({
  rowsPerInvocation,
  columnsPerInvocation,
  invocationsM,
  invocationsN,
  depth,
}: StagedTile): string | undefined {
  if (!Number.isInteger(depth) || depth < 1) return `depth is ${depth}; a whole number of at least 1 is needed`;
  const invocations = invocationsM * invocationsN;
  const [rows, columns] = [rowsPerInvocation * invocationsM, columnsPerInvocation * invocationsN];
  for (const count of [rows, columns]) {
    if (invocations % depth !== 0 || invocations % count !== 0 || (count * depth) % invocations !== 0)
      return `${invocations} invocations cannot share the copying of ${count} × ${depth} elements evenly`;
  }
  const needed = (rows + columns + 2) * depth * 4;
  return needed > MAX_WORKGROUP_BYTES
    ? `${needed} bytes of workgroup memory; ${MAX_WORKGROUP_BYTES} are guaranteed`
    : undefined;
}

function times<T>(count: number, make: (k: number) => T): T[] {
  return Array.from({ length: count }, (_, k) => make(k));
}

export const staged: GemmVariant<StagedTile> = { problem, parts };

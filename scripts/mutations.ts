/**
 * One-line mistakes of the kinds that people make, each with the tests that must notice it. `scripts/mutate.ts` makes
 * them one at a time in a copy of the tree; a test sees to it that every line here still exists.
 */

import { foundMutations } from './mutations-found.ts';

export interface Mutation {
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly from: string;
  readonly to: string;
  /** Arguments of Vitest: test files, and a filter where a few tests are enough. */
  readonly tests: readonly string[];
}

const REFERENCE = 'kernels-test/conformance/reference.test.ts';
const DEVICE = 'kernels-test/conformance/device.test.ts';
const HAND = 'kernels-test/conformance/hand-kernels.test.ts';
const PLAN = 'kernels-test/compile/plan.test.ts';

// The lines below quote source files, whose `${…}` belong to them.
/* biome-ignore-start lint/suspicious/noTemplateCurlyInString: quoted source */
export const mutations: readonly Mutation[] = [
  {
    name: 'gradient of cos: the sign is lost',
    file: 'src/ops/elementwise/unary.ts',
    from: 'vjp: (dy, x) => neg(mul(dy, sin(x))),',
    to: 'vjp: (dy, x) => mul(dy, sin(x)),',
    tests: [REFERENCE, '-t', '^cos '],
  },
  {
    name: 'gradient of softmaxCrossEntropy: the label is not subtracted',
    file: 'src/ops/reduction/cross-entropy.ts',
    from: "const difference = sub(softmax(logits), cast(isLabel(logits, labels), 'f32'));",
    to: 'const difference = softmax(logits);',
    tests: [REFERENCE, '-t', '^softmaxCrossEntropy '],
  },
  {
    name: 'gradient of matmul: b is read untransposed',
    file: 'src/ops/matmul/matmul.ts',
    from: ': matmul(dy, b, { transposeB: !transposeB });',
    to: ': matmul(dy, b, { transposeB });',
    tests: [REFERENCE, '-t', '^matmul '],
  },
  {
    name: 'gemm: neighbouring columns are stored in each other’s place',
    file: 'shaders/gemm.wgsl',
    from: '    let n = n0 + j * INVOCATIONS_N;',
    to: '    let n = n0 + (j ^ 1u) * INVOCATIONS_N;',
    tests: [DEVICE, '-t', '^(matmul|conv2d) '],
  },
  {
    name: 'softmax over long rows: each invocation divides by its own share of the total',
    file: 'shaders/softmax-rows.wgsl',
    from: '  let total = partial_values[0];',
    to: '  let total = sum;',
    tests: [HAND],
  },
  {
    name: 'softmax over long rows: the kernel is taken for any axis',
    file: 'src/ops/reduction/softmax.ts',
    from: 'if (axis !== shape.length - 1 || size <= LONG || size > TOO_LONG) return null;',
    to: 'if (size <= LONG || size > TOO_LONG) return null;',
    tests: [HAND],
  },
  {
    name: 'hand-written kernels: the target is not asked',
    file: 'src/compile/graph/hand-kernel.ts',
    from: 'if (kernel.target.adapter !== target.adapterType) continue;',
    to: '',
    tests: [HAND],
  },
  {
    name: 'gemm: a row gets its neighbour’s operand',
    file: 'src/compile/lower/gemm-variants.ts',
    from: 'subgroupBroadcast(av[i / INVOCATIONS_N], i % INVOCATIONS_N)',
    to: 'subgroupBroadcast(av[i / INVOCATIONS_N], (i ^ 1u) % INVOCATIONS_N)',
    tests: [DEVICE, '-t', '^(matmul|conv2d) '],
  },
  {
    name: 'gemm: values of a block are picked by one bit too few',
    file: 'src/compile/lower/contract-kernel.ts',
    from: 'for (let step = 1; step < rows; step *= 2) {',
    to: 'for (let step = 1; 2 * step < rows; step *= 2) {',
    tests: [DEVICE, '-t', '^(matmul|conv2d) '],
  },
  {
    name: 'gemm: what a column shares is loaded for the first one alone',
    file: 'shaders/gemm.wgsl',
    from: 'if (i == 0u) { column(n); }',
    to: 'if (i + j == 0u) { column(n); }',
    tests: ['kernels-test/tune/candidates.test.ts', '-t', 'agree with the reference: matmul'],
  },
  {
    name: 'uniforms: a word is read from its neighbour',
    file: 'src/compile/lower/uniforms.ts',
    from: '`${uniformCopy(k)} = ${BLOCK}[${k}];`',
    to: '`${uniformCopy(k)} = ${BLOCK}[${k ^ 1}];`',
    tests: [DEVICE, '-t', '^(matmul|conv2d) '],
  },
  {
    name: 'epilogues: every bias is taken for one value a column',
    file: 'src/compile/lower/evaluator.ts',
    from: 'if (perColumn && at.column?.count === columns.size) return',
    to: 'if (perColumn && at.column !== undefined) return',
    tests: ['kernels-test/compile/emit.test.ts'],
  },
  {
    name: 'input gradient: rows are stored in the order of the walk',
    file: 'src/ops/convolution/conv-contraction.ts',
    from: 'return `return m % ${images} * ${size(pixels)} + m / ${images};`;',
    to: 'return `return m + 0u * ${images} * ${size(pixels)};`;',
    tests: [DEVICE, '-t', '^conv2dInputGrad '],
  },
  {
    name: 'gemm: the last chunk ends one segment early',
    file: 'shaders/gemm.wgsl',
    from: 'let last = min(first + chunk_size, d.segments);',
    to: 'let last = min(first + chunk_size, d.segments - u32(d.chunks > 1u));',
    tests: [DEVICE, '-t', '^conv2dWeightGrad '],
  },
  {
    name: 'gemm, staged: the slab is read before all of it is written',
    file: 'src/compile/lower/gemm-staged.ts',
    from: "        ${[...copyA, ...copyB].join('\\n')}\n        workgroupBarrier();",
    to: "        ${[...copyA, ...copyB].join('\\n')}",
    tests: ['kernels-test/tune/candidates.long.test.ts', '-t', 'workgroup memory: matmul, columns'],
  },
  {
    name: 'gemm, staged: elements before the beginning of a run are multiplied too',
    file: 'src/compile/lower/gemm-staged.ts',
    from: 'let inside = (k >= run[${row}].lo) & (k < run[${row}].hi);',
    to: 'let inside = k < run[${row}].hi;',
    tests: ['kernels-test/tune/candidates.long.test.ts', '-t', 'workgroup memory: conv, padded'],
  },
  {
    name: 'convolution: a run is not clipped at the right edge',
    file: 'src/ops/convolution/conv-contraction.ts',
    from: 'min(${width.window}, columns - iw) * channels',
    to: '${width.window} * channels',
    tests: [DEVICE, '-t', '^conv2d '],
  },
  {
    name: 'sum: chunks are not added',
    file: 'src/ops/reduction/sum.ts',
    from: 'merge: (acc, chunk, { turn }) => `sum_add(${acc}, sum_of(${chunk}), ${turn})`,',
    to: 'merge: (acc) => acc,',
    tests: [DEVICE, '-t', '^sum '],
  },
  {
    name: 'reductions: the last chunk runs over the end',
    file: 'src/compile/lower/reduce-kernel.ts',
    from: 'let last = min(first + ${length}, ${extent});',
    to: 'let last = first + ${length} + 0u * ${extent};',
    tests: [DEVICE, '-t', '^(sum|mean) '],
  },
  {
    name: 'maximum: a NaN is lost',
    file: 'shaders/float.wgsl',
    from: 'return select(select(max(a, b), b, float_is_nan(b)), a, float_is_nan(a));',
    to: 'return max(a, b);',
    tests: [DEVICE, '-t', '^(max|maximum|clip) '],
  },
  {
    name: 'Philox: a multiplier is off by two',
    file: 'shaders/philox.wgsl',
    from: 'const PHILOX_MULTIPLIER_0 = 0xd2511f53u;',
    to: 'const PHILOX_MULTIPLIER_0 = 0xd2511f51u;',
    tests: [DEVICE, '-t', '^random'],
  },
  {
    name: 'max pooling: the last of several maxima wins',
    file: 'src/ops/pooling/pool-max.ts',
    from: 'let better = key > best;',
    to: 'let better = key >= best;',
    tests: ['kernels-test/ops/pool.test.ts'],
  },
  {
    name: 'gradient of max pooling: another of several maxima takes it',
    file: 'src/ops/pooling/pool-max.ts',
    from: '((key == own) & (at < ${i}))',
    to: '((key == own) & (at > ${i}))',
    tests: ['kernels-test/ops/pool.test.ts'],
  },
  {
    name: 'grids: the second dimension is forgotten',
    file: 'shaders/thread.wgsl',
    from: 'let start = (group.y * groups.x + group.x) *',
    to: 'let start = group.x *',
    tests: ['kernels-test/compile/emit.test.ts', '-t', 'folded grids'],
  },
  {
    name: 'grids: the points of an invocation stand side by side',
    file: 'shaders/thread.wgsl',
    from: 'let i = start + turn * WORKGROUP_SIZE;',
    to: 'let i = start + turn;',
    tests: [DEVICE, '-t', '^add '],
  },
  {
    name: 'memory: a value is freed after its first reader',
    file: 'src/compile/plan-builder.ts',
    from: 'this.lastUse.set(this.storage(root), at);',
    to: 'if (!((this.lastUse.get(this.storage(root)) ?? at) < at - 1)) this.lastUse.set(this.storage(root), at);',
    tests: [PLAN],
  },
  {
    name: 'schedule: every update happens in place',
    file: 'src/compile/schedule/schedule.ts',
    from: 'if (!safe || others.some(',
    to: 'if (others.some(',
    tests: [PLAN],
  },
  {
    name: 'schedule: an update does not wait for readers of the old value',
    file: 'src/compile/schedule/schedule.ts',
    from: 'for (const other of others) before.get(writer)?.add(other);',
    to: '',
    tests: [PLAN],
  },
  {
    name: 'simplify: nodes that differ in attributes are merged',
    file: 'src/compile/graph/simplify.ts',
    from: ".join(',')})${attributesKey(attrs)}`;",
    to: ".join(',')})${attributesKey(attrs).length}`;",
    tests: ['kernels-test/compile/simplify.test.ts'],
  },
  {
    name: 'fusion: an epilogue may read its product at other indices',
    file: 'src/compile/fuse/join.ts',
    from: "if (consumer.roles.get(edge.reader) !== 'point' || !edge.sameIndex) return 'read at other indices';",
    to: "if (consumer.roles.get(edge.reader) !== 'point') return 'read at other indices';",
    tests: ['kernels-test/compile/fuse.test.ts'],
  },
  {
    name: 'index maps: axes that do not continue each other are merged',
    file: 'src/compile/graph/index-map.ts',
    from: 'if (last !== undefined && last.stride === stride * size) {',
    to: 'if (last !== undefined && last.stride >= stride * size) {',
    tests: ['kernels-test/fuzz/fuzz.test.ts', 'kernels-test/fuzz/fuzz.long.test.ts', '-t', 'seed'],
  },
  {
    name: 'Adam: the second moment decays like the first',
    file: 'src/nn/optimizers/adam.ts',
    from: 'sub(square(gradient), slots.v), 1 - this.beta2)',
    to: 'sub(square(gradient), slots.v), 1 - this.beta1)',
    tests: ['kernels-test/nn/goldens.test.ts'],
  },
  ...foundMutations,
];
/* biome-ignore-end lint/suspicious/noTemplateCurlyInString: quoted source */

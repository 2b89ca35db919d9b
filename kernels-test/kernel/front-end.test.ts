/**
 * The front end of WGSL: our shaders and the kernels made of them are read, typed and printed; what is not WGSL, or has wrong
 * types, is refused with its place and what was meant.
 */

import { expect, test } from 'vitest';
import { readBody, readModule, readSnippet } from '../../src/kernel/check.ts';
import { constantOf } from '../../src/kernel/constants.ts';
import { parseSnippet } from '../../src/kernel/parse.ts';
import { printExpression, printModule } from '../../src/kernel/print.ts';
import { BOOL, F32, I32, typeText, U32, vectorType } from '../../src/kernel/types.ts';
import { shaders } from '../../src/shaders.gen.ts';
import { referenceGraphs } from '../golden/reference-graphs.ts';
import { textOf } from '../support/kernels.ts';

/** What is printed reads as the same module. */
function expectStable(text: string, where: string): void {
  const printed = printModule(readModule(text, where));
  expect(printModule(readModule(printed, `${where}, printed`))).toBe(printed);
}

test.each(Object.entries(shaders))('shaders/%s.wgsl', (name, text) => {
  expectStable(text, name);
});

test.each(referenceGraphs.map(({ name, plan }) => [name, plan] as const))('kernels of %s', async (_, plan) => {
  for (const kernel of (await plan()).kernels) expectStable(textOf(kernel), kernel.label);
});

test.each([
  ['0x1p100f', '1.2676506002282294e+30', 'f32'],
  ['2.0f * 4.0', '2.0 * 4.0', 'f32'],
  ['-3i', '-3', 'i32'],
  ['3u', '3u', null],
  ['0.5', '0.5', null],
])('a constant %s keeps its type', (value, printed, type) => {
  const [own, local] = ['A', 'B'].map((name) => `const ${name}${type === null ? '' : `: ${type}`} = ${printed};`);
  const text = printModule(readModule(`const A = ${value};\nfn f() { const B = ${value}; let c = A + B; }`, 'test'));
  expect(text).toContain(own);
  expect(text).toContain(local);
  expectStable(text, 'test');
});

/** A snippet over an f32 `x`, an i32 `n`, an u32 `i`, a bool `yes` and a vec3<i32> `v`. */
const snippet = (text: string, type = F32) =>
  readSnippet(text, type, { values: { x: F32, n: I32, i: U32, yes: BOOL, v: vectorType(3, I32) } }, 'op "demo"');

test.each([
  ['x + 1', 'x + 1.0'],
  ['max(x, 0)', 'max(x, 0.0)'],
  ['select(0, x, i > 3)', 'select(0.0, x, (i > 3u))'],
  ['(x - (x - 2.0)) / (x / 3.0)', 'x - (x - 2.0)) / (x / 3.0)'],
  ['-(-x)', '-(-x)'],
  ['f32(n) * 0x1p-24', 'f32(n) * 5.960464477539063e-8'],
  ['bitcast<f32>(bitcast<u32>(x) & 0x7fffffff)', 'bitcast<f32>(bitcast<u32>(x) & 2147483647u)'],
  ['f32((i >> 2) + (i & 3u))', 'f32((i >> 2u) + (i & 3u))'],
  ['f32(v.zyx[0])', 'f32(v.zyx[0])'],
  ['1.0 / 3.0', String(1 / 3)],
])('%s is typed and printed as %s', (text, printed) => {
  const tree = snippet(text);
  expect(typeText(tree.type)).toBe('f32');
  expect(printExpression(tree).endsWith(printed)).toBe(true);
  expect(printExpression(snippet(printExpression(tree)))).toBe(printExpression(tree));
});

test.each([
  ['exq(x)', /^op "demo", line 1: unknown function "exq"; did you mean "exp"\?$/],
  ['y * 2.0', /^op "demo", line 1: unknown name "y"/],
  ['x + i', /line 1: f32 \+ u32 is not defined/],
  ['x % true', /f32 % bool is not defined/],
  ['-i', /- does not take u32/],
  ['max(x, i)', /max\(f32, u32\) is not defined/],
  ['select(x, 0.0, x)', /select\(f32, abstract-float, f32\) is not defined/],
  ['i', /"i" is u32, but f32 is wanted/],
  ['v.w', /vec3<i32> has no \.w/],
  ['f32(v[3])', /index 3 of vec3<i32>/],
  ['x < 1.0', /is bool, but f32 is wanted/],
  ['x ? 1.0 : 0.0', /unexpected "\?"/],
  ['(x', /expected "\)", found "the end of the text"/],
  ['x x', /unexpected "x"/],
  ['f32(x', /expected/],
  ['bitcast<f32>(yes)', /bitcast<f32>\(bool\) is not defined/],
])('%s is refused', (text, message) => {
  expect(() => snippet(text)).toThrow(message);
});

const body = (text: string) => readBody(text, F32, { values: { i: U32, x: F32 } }, 'op "demo"');

test.each([
  ['let a = x;\na = 2.0;\nreturn a;', /line 2: "a" cannot be assigned to/],
  ['var a = x;\na += i;\nreturn a;', /line 2: f32 \+ u32 is not defined/],
  ['var a = 1.5; var a = 2.5; return a;', /"a" is declared twice/],
  ['return i;', /the result is u32, but f32 is wanted/],
  ['for (var k = 0u; k < 4; k++) { let y = x; }\nreturn y;', /line 2: unknown name "y"/],
  ['if (x) { return x; }\nreturn 0.0;', /line 1: the condition is f32, but bool is wanted/],
  ['break;', /break outside of a loop/],
  ['let a: u32 = -1; return x;', /-1 is no u32/],
  ['let a = 3000000000; return x;', /3000000000 is no i32/],
])('the body %j is refused', (text, message) => {
  expect(() => body(text)).toThrow(message);
});

test.each([
  ['fn a() -> f32 { return b(); }\nfn b() -> f32 { return a(); }', /line 1: a calls b calls a/],
  ['fn a() -> f32 { if (1 < 2) { return 1.0; } }', /a may end without a result/],
  ['fn a() {}\nfn a() {}', /line 2: "a" is declared twice/],
  ['@group(0) @binding(1) var<storage, read> b: array<f32>;\nfn a() { b[0] = 1.0; }', /"b" cannot be assigned to/],
  ['var<storage, read> b: array<f32>;', /a binding belongs to buffers alone/],
  ['struct P { x: f32 }\nfn a() -> f32 { return P(1.0).y; }', /line 2: unknown field of P "y"/],
  ['fn a(x: f23) {}', /unknown type "f23"; did you mean "f32"\?/],
  ['const N = 4u;\nfn a() -> f32 { var t: array<f32, N>; return t[4]; }', /index 4 of array<f32, 4>/],
  ['fn a() { # }', /line 1: unexpected "#"/],
])('the module %j is refused', (text, message) => {
  expect(() => readModule(text, 'kernel')).toThrow(message);
});

test.each([
  ['7 / 2', 3],
  ['-7 % 4', -3],
  ['7.0 / 2.0', 3.5],
  ['1u << 31u', 2 ** 31],
  ['4294967295u + 1u', 0],
  ['0x80000000u >> 31u', 1],
  ['max(3, 5) - min(2, 1)', 4],
  ['u32(3.9)', 3],
  ['2 > 1 && !(1 == 2)', true],
])('%s is %s before anything runs', (text, value) => {
  const names = { values: {} };
  const type = typeof value === 'boolean' ? BOOL : undefined;
  // Constants have types of their own; whichever fits is taken.
  const tree = [type ?? I32, U32, F32].map((each) => {
    try {
      return readSnippet(text, each, names, 'constant');
    } catch {
      return undefined;
    }
  });
  const found = tree.find((each) => each !== undefined);
  expect(found === undefined ? undefined : constantOf(found, () => undefined)).toBe(value);
});

test('precedence is that of WGSL', () => {
  const shape = (text: string): string => {
    const show = (tree: ReturnType<typeof parseSnippet>): string =>
      tree.kind === 'binary' ? `(${show(tree.left)}${tree.operator}${show(tree.right)})` : printExpression(tree);
    return show(parseSnippet(text, 'test'));
  };
  expect(shape('a + b * c - d')).toBe('((a+(b*c))-d)');
  expect(shape('a < b + 1 && c || d')).toBe('(((a<(b+1))&&c)||d)');
  expect(shape('a << 2 == b')).toBe('((a<<2)==b)');
});

/** Templates: parameters, slots, loops by name, loops written out; trees written with holes; names that move. */

import { describe, expect, test } from 'vitest';
import { parseTemplate } from '../../src/kernel/parse.ts';
import { printDeclaration, printModule, printStatements } from '../../src/kernel/print.ts';
import { declarations, statements } from '../../src/kernel/quote.ts';
import { renameDeclaration } from '../../src/kernel/rename.ts';
import { type Fill, instantiate, ranged } from '../../src/kernel/template.ts';
import { DownhillError } from '../../src/util/errors.ts';

const code = statements('a test');

const TEXT = `
const N = 4u;  // @param  how many
const ON = false;  // @param
// @slot functions
fn f() -> u32 { return 1u; }
// @end
fn g(a: u32) {
  // @slot head  what comes first
  let first = a;
  // @end
  for (var k = first; k < a; k++) {  // @loop walk
    // @slot body
    // @end
  }
}
`;
const filled = (fill: Fill) => printModule(instantiate(parseTemplate(TEXT, 'test.wgsl'), fill));

describe('templates', () => {
  test('what is not named keeps its default', () => {
    const text = filled({});
    for (const part of ['const N = 4u;', 'const ON = false;', 'return 1u;', 'let first = a;'])
      expect(text).toContain(part);
  });

  test('parameters take values of their own type, slots take trees', () => {
    const text = filled({
      params: { N: 8, ON: true },
      declarations: { functions: declarations('a test')`fn h() -> u32 { return N; }` },
      statements: { head: code`let first = a + 1u;`, body: code`f(k); f(k);` },
    });
    expect(text).toContain('const N = 8u;\nconst ON = true;\nfn h() -> u32 {\n  return N;\n}');
    expect(text).toContain('let first = a + 1u;\n  for (var k = first; k < a; k += 1) {\n    f(k);\n    f(k);\n  }');
    expect(text).not.toContain('fn f()');
  });

  test('a loop with a name is changed by it, after its slots are filled', () => {
    const [zero] = code`let x = 0u;`;
    const from = zero.kind === 'declare' && zero.value !== null ? zero.value : expect.fail();
    const text = filled({
      statements: { body: code`f(k);` },
      loops: { walk: (loop) => code`{ ${[ranged(loop, from, from)]} done(); }` },
    });
    expect(text).toContain('{\n    for (var k = 0u; k < 0u; k += 1) {\n      f(k);\n    }\n    done();\n  }');
  });

  test('marked loops are written out with literals, inner loops and those of slots too', () => {
    const loop = parseTemplate(
      `const N = 2u; // @param
      fn f() {
        for (var i = 0u; i < N; i++) { // @unroll
          let x = a[i];
          for (var j = 0u; j < N; j++) { // @unroll
            s[i][j] += x;
          }
        }
        for (var i = 0u; i < N; i++) { stays(i); }
      }`,
      'test.wgsl',
    );
    const text = printModule(instantiate(loop, { params: { N: 3 } }));
    const sums = [...text.matchAll(/s\[(\d)u\]\[(\d)u\] \+= x;/g)].map(([, i, j]) => i + j);
    expect(sums).toEqual(['00', '01', '02', '10', '11', '12', '20', '21', '22']);
    expect(text.match(/\{\n {4}let x = a\[\du\];/g)).toHaveLength(3);
    expect(text).toContain('stays(i)');
    const endless = parseTemplate('fn f() { for (var i = 0u; i < M; i++) { // @unroll\n} }', 'test.wgsl');
    expect(() => instantiate(endless, {})).toThrow(/a loop to unroll counts from 0u to a constant/);
  });

  test.each<[string, Fill, RegExp]>([
    ['slot', { statements: { bodi: [] } }, /no slot bodi/],
    ['param', { params: { M: 1 } }, /no param M/],
    ['loop', { loops: { run: () => [] } }, /no loop run/],
    ['slot with the name of a param', { declarations: { N: [] } }, /no slot N/],
    ['param with the name of a slot', { params: { body: 1 } }, /no param body/],
  ])('an unknown %s throws', (_title, fill, message) => {
    const run = () => filled(fill);
    expect(run).toThrow(message);
    expect(run).toThrow(DownhillError);
  });

  test('a slot without an end is refused with its line', () => {
    expect(() => parseTemplate('fn f() {\n  // @slot body\n  x();\n}', 'test.wgsl')).toThrow(
      /test\.wgsl.*4.*slot body/s,
    );
  });
});

describe('trees with holes', () => {
  test('texts are parsed in place, statements are put in as they are', () => {
    const inner = code`total += x[r];`;
    const text = printStatements(code`for (var r = ${0}u; r < ${'n'}; r++) { ${inner} ${[]} ${code`done();`} }`);
    expect(text).toBe('for (var r = 0u; r < n; r += 1) {\n  total += x[r];\n  done();\n}');
  });

  test('what is not WGSL is refused with the name of where it is from', () => {
    expect(() => statements('op gelu')`let x = (1.0;`).toThrow(/op gelu.*expected "\)", found ";"/s);
    expect(() => declarations('op gelu')`fn f( { }`).toThrow(/op gelu/);
  });
});

test('names move, but not local ones that hide them; uniforms move by vectors', () => {
  const [tree] = declarations('a test')`
    fn f(row: u32, s: Run) -> Run { let b0 = params[1].x; return g(row, h + b0, Run(b1[row])); }`;
  const names = new Map(
    Object.entries({ f: 'f_1', g: 'g_1', h: 'h_1', row: 'row_1', b0: 'b5', b1: 'b7', Run: 'Run_1' }),
  );
  expect(printDeclaration(renameDeclaration(tree, { names, uniforms: 'params', firstVector: 2 }))).toBe(
    'fn f_1(row: u32, s: Run_1) -> Run_1 {\n  let b0 = params[3u].x;\n  return g_1(row, h_1 + b0, Run_1(b7[row]));\n}',
  );
});

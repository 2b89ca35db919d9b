/** Tables: quoting, types, missing values, encodings, scales; statistics of the training rows only; every bad input. */
import { describe, expect, test } from 'vitest';
import { columnOf, readCsv, selectRows } from '../../src/data/formats/csv.ts';
import { parseCsv } from '../../src/data/formats/csv-parse.ts';
import { fitTabular, type TabularOptions } from '../../src/data/tabular.ts';
import { expectRefusal } from './refusal.ts';

const fieldsOf = (text: string, delimiter = ',') => parseCsv(text, delimiter, 't').map(({ fields }) => fields);

describe('parseCsv', () => {
  test.each([
    [
      'a,b\n1,2',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'a,b\r\n1,2\r\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'a,b\r1,2\r',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    ['\ufeffa,b\n', [['a', 'b']]],
    [
      '"a,1","b ""x"""\n"two\nlines",',
      [
        ['a,1', 'b "x"'],
        ['two\nlines', ''],
      ],
    ],
    [',\n', [['', '']]],
    ['a\n\n  \nb\n""\n', [['a'], ['b'], ['']]],
    ['5" pipe,x', [['5" pipe', 'x']]],
    ['a,', [['a', '']]],
    ['', []],
  ])('%j', (text, expected) => {
    expect(fieldsOf(text)).toEqual(expected);
  });

  test('takes another delimiter', () => {
    expect(fieldsOf('a;"b;c"\n1,5;2', ';')).toEqual([
      ['a', 'b;c'],
      ['1,5', '2'],
    ]);
  });

  test('knows the line of each record', () => {
    expect(parseCsv('a\n"x\r\ny"\n\nb', ',', 't').map(({ line }) => line)).toEqual([1, 2, 5]);
    for (const end of ['\n', '\r', '\r\n']) {
      const broken = ['a,"b', '', 'c"', 'd,e', '"f"'].join(end);
      expect(parseCsv(broken, ',', 't.csv').map(({ line }) => line)).toEqual([1, 4, 5]);
    }
  });

  test('refuses broken quotes with their line', async () => {
    await expectRefusal(
      () => parseCsv('a\n"b\nc', ',', 'f.csv'),
      'file',
      /f\.csv: line 2: a quote is opened and never closed/,
    );
    await expectRefusal(
      () => parseCsv('"a\n"b,c', ',', 'f.csv'),
      'file',
      /f\.csv: line 2: "b,c" after a closing quote/,
    );
  });
});

describe('readCsv', () => {
  test('finds types, missing values and sorted categories', () => {
    const table = readCsv('n,c,e\n1,red,\n-2.5e1,blue,3\nNA,,4\n');
    expect(table.size).toBe(3);
    expect(columnOf(table, 'n')).toEqual({ name: 'n', type: 'number', values: Float64Array.of(1, -25, Number.NaN) });
    expect(columnOf(table, 'c')).toMatchObject({ categories: ['blue', 'red'], values: Int32Array.of(1, 0, -1) });
    expect(columnOf(table, 'e')).toMatchObject({ values: Float64Array.of(Number.NaN, 3, 4) });
  });

  test('takes names without a header, over one, and none at all', () => {
    expect(readCsv('1,2', { columns: ['a', 'b'] })).toMatchObject({ size: 1, columns: [{ name: 'a' }, { name: 'b' }] });
    expect(readCsv('x,y\n1,2', { columns: ['a', 'b'], header: true })).toMatchObject({ size: 1 });
    expect(readCsv('1,2', { header: false }).columns.map(({ name }) => name)).toEqual(['column1', 'column2']);
  });

  test('takes declared types and marks of missing values', () => {
    const table = readCsv('zip,n\n01234,?\n99,2', { types: { zip: 'category' }, missing: ['?'] });
    expect(columnOf(table, 'zip')).toMatchObject({ categories: ['01234', '99'] });
    expect(columnOf(table, 'n')).toMatchObject({ values: Float64Array.of(Number.NaN, 2) });
  });

  test.each([
    ['a,b\n1,2\n\n3\n', {}, 'data', /t\.csv: line 4 has 1 fields; expected 2: column "b" is not there/],
    ['a,b\n1,2,3\n', {}, 'data', /line 2 has 3 fields; expected 2: the last column is "b"/],
    ['a;b\n1;2\n', { columns: ['a', 'b'] }, 'data', /line 1 has 1 fields.*is "," the delimiter\?/],
    ['a,b\n1,2\n2,2\n3,oops\n', {}, 'data', /line 4, column "b": "oops" in a column of numbers; .*"category"/],
    ['a\n1\nx\ny\nz\n', { types: { a: 'number' } }, 'data', /line 3, column "a": "x" in a column of numbers$/],
    ['a\n1\n1e999\n', {}, 'data', /line 3, column "a": "1e999"/],
    ['a,b,a\n1,2,3', {}, 'data', /columns 1 and 3 are both named "a"/],
    ['a,\n1,2', {}, 'data', /column 2 has no name/],
    ['', {}, 'data', /t\.csv is empty: expected a header and rows/],
    ['a,b\n', {}, 'data', /found a header and no row/],
    ['age\n1', { types: { agee: 'number' } }, 'argument', /unknown column of t\.csv: "agee"; did you mean "age"/],
    ['a\n1', { delimiter: ',,' }, 'argument', /delimiter must be one character/],
    ['a\n1', { delimeter: ';' }, 'argument', /unknown option "delimeter"; did you mean "delimiter"/],
    ['a\n1', { types: { a: 'text' } }, 'argument', /must be number or category, found "text"/],
  ] as const)('refuses %j', async (text, options, code, message) => {
    await expectRefusal(() => readCsv(text, { name: 't.csv', ...(options as object) }), code, message);
  });
});

const text = `size,colour,price
1,red,10
2,blue,20
,red,30
4,,40
9,red,90`;
const table = readCsv(text, { name: 't.csv' });
const train = selectRows(table, [0, 1, 2, 3]);
const rows = (set: { x: ArrayLike<number>; xShape: readonly number[]; size: number }) =>
  Array.from({ length: set.size }, (_, row) =>
    Array.from({ length: set.xShape[0] }, (_, f) => set.x[row * set.xShape[0] + f]),
  );

describe('fitTabular', () => {
  const base: TabularOptions = { target: 'price', missing: 'mean', scale: 'none' };

  test('encodes categories as one-hot features and fills by the training rows', () => {
    const transform = fitTabular(train, base);
    expect(transform).toMatchObject({ task: 'regression', featureNames: ['size', 'colour=blue', 'colour=red'] });
    const mean = Math.fround(7 / 3);
    expect(rows(transform.apply(train))).toEqual([
      [1, 0, 1],
      [2, 1, 0],
      [mean, 0, 1],
      [4, 0, 1],
    ]);
    expect(rows(transform.apply(selectRows(table, [4])))).toEqual([[9, 0, 1]]);
    expect(transform.apply(train)).toMatchObject({ y: Float32Array.of(10, 20, 30, 40), yShape: [1] });
  });

  test('fills with median or constant, drops, or leaves columns out', () => {
    const size = (options: Partial<TabularOptions>) =>
      rows(fitTabular(train, { ...base, features: ['size'], ...options }).apply(train)).flat();
    expect(size({ missing: 'median' })).toEqual([1, 2, 2, 4]);
    // Of an even count it lies between the two in the middle, wherever they stand.
    const even = readCsv('size,price\n9,1\n1,1\n,1\n4,1\n2,1', { name: 't.csv' });
    expect(rows(fitTabular(even, { ...base, missing: 'median' }).apply(even)).flat()).toEqual([9, 1, 3, 4, 2]);
    expect(size({ missing: { constant: -1 } })).toEqual([1, 2, -1, 4]);
    expect(size({ missing: 'drop' })).toEqual([1, 2, 4]);
    const dropped = fitTabular(train, { ...base, missing: 'drop' }).apply(train);
    expect([dropped.size, ...dropped.y]).toEqual([2, 10, 20]);
  });

  test('scales by the training rows, target too, and back', () => {
    const transform = fitTabular(train, { ...base, features: ['size'], scale: 'minMax', targetScale: 'standard' });
    expect(
      rows(transform.apply(table))
        .flat()
        .map((v) => Number(v.toFixed(5))),
    ).toEqual([0, 0.33333, 0.44444, 1, 2.66667]);
    const { y } = transform.apply(train);
    expect(y[0]).toBeCloseTo(-15 / Math.sqrt(125), 6);
    expect([...transform.unscale(y)].map(Math.round)).toEqual([10, 20, 30, 40]);
  });

  test('standard scale has mean 0 and deviation 1 over the training rows', () => {
    const transform = fitTabular(train, { target: 'price', features: ['size'], missing: 'mean' });
    const x = Array.from(transform.apply(train).x);
    expect(x.reduce((sum, v) => sum + v, 0)).toBeCloseTo(0, 6);
    expect(x.reduce((sum, v) => sum + v * v, 0) / 4).toBeCloseTo(1, 6);
  });

  test('ordinal categories', () => {
    const transform = fitTabular(train, { ...base, features: ['colour'], categories: 'ordinal' });
    expect(rows(transform.apply(train)).flat()).toEqual([1, 0, 1, 1]);
    expect(transform.featureNames).toEqual(['colour']);
  });

  test('classes from text and from numbers, sorted', () => {
    const colour = fitTabular(selectRows(table, [0, 1]), { target: 'colour', features: ['price'] });
    expect(colour.apply(selectRows(table, [0, 1, 4]))).toMatchObject({
      y: Int32Array.of(1, 0, 1),
      classNames: ['blue', 'red'],
    });
    const price = fitTabular(table, { target: 'price', features: ['size'], task: 'classification', missing: 'mean' });
    expect(price.classNames).toEqual(['10', '20', '30', '40', '90']);
  });

  const learn = (options: object, of = train) => fitTabular(of, { ...base, ...options } as TabularOptions);
  test.each([
    [
      'an unknown target',
      () => learn({ target: 'prise' }),
      'argument',
      /unknown column of t\.csv: "prise"; did you mean "price"/,
    ],
    ['an unknown feature', () => learn({ features: ['siez'] }), 'argument', /"siez"; did you mean "size"/],
    ['the target as feature', () => learn({ features: ['price'] }), 'argument', /target "price" is among the features/],
    ['an unknown option', () => learn({ scaling: 'none' }), 'argument', /unknown option "scaling"/],
    ['an unknown policy', () => learn({ missing: 'average' }), 'argument', /missing of fitTabular/],
    [
      'a text constant for numbers',
      () => learn({ missing: { constant: 'x' } }),
      'argument',
      /"size" takes a number as constant/,
    ],
    [
      'missing features',
      () => learn({ missing: 'error' }).apply(train),
      'data',
      /t\.csv: line 4, column "size": no value; choose/,
    ],
    [
      'a missing target',
      () => learn({ target: 'size', features: ['price'] }).apply(train),
      'data',
      /line 4, column "size": the target/,
    ],
    [
      'text as a number to predict',
      () => learn({ target: 'colour', task: 'regression' }),
      'data',
      /holds text such as "blue"; regression/,
    ],
    [
      'a class that training lacks',
      () => fitTabular(selectRows(table, [1]), { target: 'colour', features: ['price'] }).apply(table),
      'data',
      /line 2, column "colour": class "red" is not in the training rows; they have blue/,
    ],
    [
      'a category that training lacks',
      () => learn({}, selectRows(table, [1])).apply(table),
      'data',
      /line 2, column "colour": category "red"/,
    ],
    [
      'a table without the column',
      () => learn({}).apply(readCsv('size,price\n1,2')),
      'argument',
      /unknown column of csv: "colour"/,
    ],
  ] as const)('refuses %s', async (_, call, code, message) => {
    await expectRefusal(call, code, message);
  });
});

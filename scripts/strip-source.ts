/**
 * What a built package leaves out of the sources (docs/adr/0014-bundle-sizes.md). An op record is the only place where
 * an op exists, so it also holds what only checks read (samples, refusals, descriptions, the benchmark's call) and what
 * only the CPU runs (the reference). Here they are cut out of the text of a module, with the imports and helpers that
 * nothing else uses; so are the compiler's checks of its own work. What a module computes while it loads is marked as
 * pure, so that bundlers drop what a page does not use; and shaders lose their comments.
 *
 * Invariants: the text is read by TypeScript's parser, never searched; lines keep their numbers, so source maps stay
 * right; the result behaves as before to everything but checks.
 */

import ts from 'typescript';
import { minifyWgsl } from './minify-wgsl.ts';

/** What only checks read, of a record or of the short form from which define*.ts make one: both have a `doc`. */
const CHECKS_ONLY = new Set(['doc', 'samples', 'rejects', 'values', 'extremes']);

/**
 * What of an op file stays beside its samples. `lean`: records without references and tolerances, which only the CPU
 * and the validating backend read (src/backend/cpu/references.ts). `references`: records with these and without what
 * makes kernels and gradients: the copy of `ops/` that the CPU loads. `checks`: whole records without what only checks
 * read.
 */
export type Form = 'lean' | 'references' | 'checks';

/** The compiler's checks of its own work: functions called for what they throw, in statements of their own. */
const SELF_CHECKS = new Set(['verifyGraph', 'verifyPlan']);

/** What a record has beside its name, its reference and what the reference is compared by. */
const BESIDE_REFERENCES = new Set(['infer', 'vjp', 'lower', 'expand', 'bench']);

/** The module that the CPU loads references from, and the import in it that goes to the copy. */
export const REFERENCES = { from: 'backend/cpu/references', import: 'ops/index' } as const;

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** @param path of the module from src/ (or dist/), with forward slashes; TypeScript or JavaScript. */
export function stripSource(path: string, text: string, form: Form = 'lean'): string {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
  const cuts = cutsOf(file, path, form);
  if (cuts.length > 0) while (cutUnused(file, cuts));
  const edits = cuts.map(({ start, end }) => ({ start, end, text: newlinesOf(text.slice(start, end)) }));
  edits.push(...pureMarks(file, cuts));
  if (/^shaders\.gen\.[jt]s$/.test(path)) edits.push(...shorterShaders(file));
  return apply(text, edits, cuts);
}

type Range = Pick<Edit, 'start' | 'end'>;

function cutsOf(file: ts.SourceFile, path: string, form: Form): Range[] {
  if (path.startsWith('ops/')) return propertyCuts(file, form);
  // The one op outside of ops/, and so not in the copy of it, keeps its reference.
  if (path === 'core/copy.ts' || path === 'core/copy.js') return propertyCuts(file, 'checks');
  return path.startsWith('compile/') ? selfChecks(file) : [];
}

/** What the compiler's files do without: statements that are nothing but a call of a check. */
function selfChecks(file: ts.SourceFile): Range[] {
  const cuts: Range[] = [];
  // A check that is imported when it is needed is there for plans from elsewhere.
  const imported = new Set(importedNames(file));
  const visit = (node: ts.Node): void => {
    if (ts.isExpressionStatement(node) && ts.isCallExpression(node.expression)) {
      const called = node.expression.expression;
      if (ts.isIdentifier(called) && SELF_CHECKS.has(called.text) && imported.has(called.text))
        cuts.push(rangeOf(node));
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return cuts;
}

function importedNames({ statements }: ts.SourceFile): string[] {
  return statements.filter(ts.isImportDeclaration).flatMap(({ importClause }) => {
    const bindings = importClause?.namedBindings;
    return bindings && ts.isNamedImports(bindings) ? bindings.elements.map(({ name }) => name.text) : [];
  });
}

/** The properties of an op file that the form does without. */
function propertyCuts(file: ts.SourceFile, form: Form): Range[] {
  const cuts: Range[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isObjectLiteralExpression(node))
      cuts.push(...needlessProperties(node, form).map((property) => withComma(file, property)));
    ts.forEachChild(node, visit);
  };
  visit(file);
  return cuts;
}

function needlessProperties({ properties }: ts.ObjectLiteralExpression, form: Form): ts.ObjectLiteralElementLike[] {
  const names = new Set(properties.map(nameOf));
  return properties.filter((property) => {
    const name = nameOf(property);
    if (name === undefined) return false;
    if (names.has('doc') && CHECKS_ONLY.has(name)) return true;
    if (form === 'references') {
      if (names.has('cpu') && BESIDE_REFERENCES.has(name)) return true;
    } else if (form === 'lean' && (name === 'cpu' || name === 'tolerance' || (name === 'f' && names.has('doc')))) {
      return true;
    }
    // The flops of a call are counted for plans too, and the validating backend reads tolerances.
    return (name === 'sample' && names.has('flops')) || (name === 'source' && names.has('relative'));
  });
}

function nameOf({ name }: ts.ObjectLiteralElementLike): string | undefined {
  return name !== undefined && ts.isIdentifier(name) ? name.text : undefined;
}

/** Adds to `cuts` what nothing outside of them mentions. @returns whether there was such a thing. */
function cutUnused(file: ts.SourceFile, cuts: Range[]): boolean {
  const found: Range[] = [];
  for (const statement of file.statements) {
    if (isCut(statement.getStart(), cuts)) continue;
    if (ts.isImportDeclaration(statement)) {
      const bindings = statement.importClause?.namedBindings;
      if (bindings === undefined || !ts.isNamedImports(bindings)) continue;
      const live = bindings.elements.filter((element) => !isCut(element.getStart(), cuts));
      const unused = live.filter(({ name }) => !isMentioned(file, name, statement, cuts));
      if (unused.length === live.length) found.push(rangeOf(statement));
      else found.push(...unused.map((element) => withComma(file, element)));
    } else {
      const name = privateName(statement);
      if (name !== undefined && !isMentioned(file, name, statement, cuts)) found.push(rangeOf(statement));
    }
  }
  cuts.push(...found);
  return found.length > 0;
}

/** The name of a function or a constant that only its own module can see. */
function privateName(statement: ts.Statement): ts.Identifier | undefined {
  if (
    ts.canHaveModifiers(statement) &&
    ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
  ) {
    return undefined;
  }
  if (ts.isFunctionDeclaration(statement)) return statement.name;
  if (!ts.isVariableStatement(statement)) return undefined;
  const { declarations } = statement.declarationList;
  const [{ name }] = declarations;
  return declarations.length === 1 && ts.isIdentifier(name) ? name : undefined;
}

/**
 * True when the word occurs anywhere outside of `own` and the cuts: as a property's name too, to be on the safe side.
 */
function isMentioned(file: ts.SourceFile, { text }: ts.Identifier, own: ts.Node, cuts: readonly Range[]): boolean {
  const visit = (node: ts.Node): boolean => {
    if (node === own || isCut(node.getStart(), cuts)) return false;
    if (ts.isIdentifier(node) && node.text === text) return true;
    return ts.forEachChild(node, visit) ?? false;
  };
  return visit(file.endOfFileToken) || file.statements.some(visit);
}

function isCut(position: number, cuts: readonly Range[]): boolean {
  return cuts.some(({ start, end }) => start <= position && position < end);
}

function rangeOf(node: ts.Node): Range {
  return { start: node.getStart(), end: node.end };
}

function withComma(file: ts.SourceFile, node: ts.Node): Range {
  const after = /^\s*,/.exec(file.text.slice(node.end, node.end + 200));
  return { start: node.getStart(), end: node.end + (after?.[0].length ?? 0) };
}

/**
 * Says of every value that a module computes while it loads that it may be dropped when nobody uses it: package.json
 * says so of whole modules, but one that is used in part needs it for each value.
 */
function pureMarks(file: ts.SourceFile, cuts: readonly Range[]): Edit[] {
  return file.statements.filter(ts.isVariableStatement).flatMap(({ declarationList }) =>
    declarationList.declarations.flatMap(({ name, initializer }): Edit[] => {
      if (initializer === undefined || !ts.isIdentifier(name)) return [];
      const start = initializer.getStart();
      const before = (text: string) => ({ start, end: start, text });
      const work = countWork(initializer, cuts);
      if (work === 0) return [];
      const isCall = ts.isCallExpression(initializer) || ts.isNewExpression(initializer);
      if (isCall && work === 1) return [before('/* @__PURE__ */ ')];
      // The mark covers a call alone, not what is computed for its arguments.
      const { end } = initializer;
      return [before('/* @__PURE__ */ (() => ('), { start: end, end, text: '))()' }];
    }),
  );
}

/**
 * Count of calls, reads of properties and the like that happen when `node` is evaluated: not those inside of functions.
 */
function countWork(node: ts.Node, cuts: readonly Range[]): number {
  if (ts.isFunctionLike(node) || ts.isTypeNode(node) || isCut(node.getStart(), cuts)) return 0;
  let work = isWork(node) ? 1 : 0;
  ts.forEachChild(node, (child) => {
    work += countWork(child, cuts);
  });
  return work;
}

function isWork(node: ts.Node): boolean {
  return (
    ts.isCallExpression(node) ||
    ts.isNewExpression(node) ||
    ts.isTaggedTemplateExpression(node) ||
    ts.isPropertyAccessExpression(node) ||
    ts.isElementAccessExpression(node) ||
    ts.isTemplateExpression(node) ||
    ts.isBinaryExpression(node) ||
    ts.isSpreadElement(node) ||
    ts.isSpreadAssignment(node)
  );
}

function shorterShaders(file: ts.SourceFile): Edit[] {
  const edits: Edit[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAssignment(node) && ts.isStringLiteral(node.initializer)) {
      edits.push({ ...rangeOf(node.initializer), text: JSON.stringify(minifyWgsl(node.initializer.text)) });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return edits;
}

function newlinesOf(text: string): string {
  return '\n'.repeat(text.split('\n').length - 1);
}

/** Makes the edits; those inside of a larger cut go with it. */
function apply(text: string, edits: readonly Edit[], cuts: readonly Range[]): string {
  const outer = edits.filter(
    ({ start, end }) =>
      !cuts.some((cut) => cut.start <= start && end <= cut.end && (cut.start < start || end < cut.end)),
  );
  let result = '';
  let position = 0;
  for (const edit of outer.sort((a, b) => a.start - b.start || a.end - b.end)) {
    result += text.slice(position, edit.start) + edit.text;
    position = Math.max(position, edit.end);
  }
  return result + text.slice(position);
}

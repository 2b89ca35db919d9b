/** Checked statements and functions as JavaScript. */

import type { FunctionTree, Statement } from '../tree.ts';
import { copyText, expressionText, placeText, rounded, type Writing, zeroText } from './expressions.ts';
import { Names } from './names.ts';

export function functionText(tree: FunctionTree, writing: Writing): string {
  const inner = { ...writing, names: new Names(writing.names) };
  const parameters = tree.parameters.map(({ name }) => inner.names.declare(name));
  const star = writing.pausing.has(tree.name) ? '*' : '';
  return `function${star} ${writing.names.find(tree.name)}(${parameters.join(', ')}) ${blockText(tree.body, inner)}`;
}

function blockText(body: readonly Statement[], writing: Writing): string {
  const inner = { ...writing, names: new Names(writing.names) };
  return `{ ${body.map((statement) => statementText(statement, inner)).join('\n')} }`;
}

function statementText(tree: Statement, writing: Writing): string {
  switch (tree.kind) {
    case 'declare':
    case 'assign':
    case 'call statement':
      return `${simpleText(tree, writing)};`;
    case 'if': {
      const otherwise = tree.otherwise === null ? '' : ` else ${blockText(tree.otherwise, writing)}`;
      return `if (${expressionText(tree.condition, writing)}) ${blockText(tree.body, writing)}${otherwise}`;
    }
    case 'loop': {
      const inner = { ...writing, names: new Names(writing.names) };
      const init = tree.init === null ? '' : simpleText(tree.init, inner);
      const condition = tree.condition === null ? '' : expressionText(tree.condition, inner);
      const update = tree.update === null ? '' : simpleText(tree.update, inner);
      return `for (${init}; ${condition}; ${update}) ${blockText(tree.body, inner)}`;
    }
    case 'block':
      return blockText(tree.body, writing);
    case 'break':
    case 'continue':
      return `${tree.kind};`;
    case 'return':
      return tree.value === null ? 'return;' : `return ${expressionText(tree.value, writing)};`;
    case 'slot':
      throw new Error('a checked tree has a slot');
    default:
      return tree satisfies never;
  }
}

function simpleText(tree: Statement, writing: Writing): string {
  switch (tree.kind) {
    case 'declare': {
      const { name, type, value } = tree;
      // The value may mean an outer variable of the same name.
      const text = value === null ? zeroText(type) : copyText(type, expressionText(value, writing), value);
      const constant = tree.form === 'const' && type.kind === 'scalar' ? rounded(text, type, writing) : text;
      return `let ${writing.names.declare(name)} = ${type.kind === 'scalar' && type.name === 'bool' ? text : constant}`;
    }
    case 'assign': {
      const { target, operator, value } = tree;
      const place = placeText(target, writing);
      if (operator === null) return `${place} = ${copyText(target.type, expressionText(value, writing), value)}`;
      const { line } = tree;
      const sum = { kind: 'binary', operator, left: target, right: value, line, type: target.type } as const;
      return `${place} = ${expressionText(sum, writing)}`;
    }
    case 'call statement':
      return expressionText(tree.call, writing);
    default:
      throw new Error(`a checked tree has a ${tree.kind} in the head of a loop`);
  }
}

/** The value of an expression that is known before anything runs, in f64; undefined when it is not. */

import { builtin } from './builtins.ts';
import type { Expression } from './tree.ts';
import { elementOf, type Type } from './types.ts';

export type ConstantValue = number | boolean;

/** @param known gives the values of constants by name. */
export function constantOf(
  expression: Expression,
  known: (name: string) => ConstantValue | undefined,
): ConstantValue | undefined {
  const of = (each: Expression) => constantOf(each, known);
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'name':
      return known(expression.name);
    case 'unary': {
      const operand = of(expression.operand);
      if (operand === undefined) return undefined;
      if (expression.operator === '!') return !operand;
      return wrap(expression.operator === '-' ? -Number(operand) : ~Number(operand), expression.type);
    }
    case 'binary': {
      const [left, right] = [of(expression.left), of(expression.right)];
      if (left === undefined || right === undefined) return undefined;
      return binaryValue(expression.operator, left, right, expression.type);
    }
    case 'call': {
      const args = expression.args.map(of);
      const value = builtin(expression.callee)?.of as ((...args: unknown[]) => ConstantValue) | undefined;
      if (value === undefined || args.includes(undefined)) return undefined;
      const result = value(...args);
      return typeof result === 'number' ? wrap(result, expression.type) : result;
    }
    case 'construct': {
      const [value, ...others] = expression.args.map(of);
      if (value === undefined || others.length > 0 || expression.bits || expression.type.kind !== 'scalar') {
        return undefined;
      }
      return expression.type.name === 'bool' ? Boolean(value) : wrap(Number(value), expression.type);
    }
    case 'index':
    case 'member':
      return undefined;
    default:
      return expression satisfies never;
  }
}

/** `value` as a number of type `type`: whole and within 32 bits for i32 and u32, rounded for f32. */
export function wrap(value: number, type: Type): number {
  switch (elementOf(type)?.name) {
    case 'i32':
      return value | 0;
    case 'u32':
      return value >>> 0;
    case 'abstract-int':
      return Math.trunc(value);
    default:
      return value;
  }
}

function binaryValue(
  operator: string,
  left: ConstantValue,
  right: ConstantValue,
  type: Type,
): ConstantValue | undefined {
  const [a, b] = [Number(left), Number(right)];
  const whole = type.kind === 'scalar' && type.name !== 'f32' && type.name !== 'abstract-float';
  switch (operator) {
    case '+':
      return wrap(a + b, type);
    case '-':
      return wrap(a - b, type);
    case '*':
      return type.kind === 'scalar' && (type.name === 'u32' || type.name === 'i32')
        ? wrap(Math.imul(a, b), type)
        : a * b;
    case '/':
      return whole ? (b === 0 ? undefined : wrap(Math.trunc(a / b), type)) : a / b;
    case '%':
      return b === 0 && whole ? undefined : wrap(a % b, type);
    case '<<':
      return wrap(a << b, type);
    case '>>':
      return type.kind === 'scalar' && type.name === 'u32' ? a >>> b : wrap(a >> b, type);
    case '&':
      return typeof left === 'boolean' ? left && Boolean(right) : wrap(a & b, type);
    case '|':
      return typeof left === 'boolean' ? left || Boolean(right) : wrap(a | b, type);
    case '^':
      return typeof left === 'boolean' ? left !== right : wrap(a ^ b, type);
    case '&&':
      return Boolean(left) && Boolean(right);
    case '||':
      return Boolean(left) || Boolean(right);
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    default:
      return undefined;
  }
}

/**
 * The tree of a WGSL module: what the parser makes, the checker types, transforms rewrite, and printers and evaluators
 * read.
 *
 * Invariant: nodes are immutable plain data. `type` is NONE until `check` has seen the tree; afterwards every
 * expression has its type and every abstract number has become concrete wherever it is used as one.
 * Source: WGSL, sections 8 and 9 (the subset that downhill's kernels use: no pointers, no switch, no override).
 */

import type { Type } from './types.ts';

/** Line of the text, from 1, for messages. */
export interface At {
  readonly line: number;
}

/** A type as it is written: `array<vec4<u32>, N>`. Arguments that are not types are expressions. */
export interface TypeName extends At {
  readonly name: string;
  readonly element: TypeName | null;
  readonly count: Expression | null;
}

export interface Literal extends At {
  readonly kind: 'literal';
  readonly value: number | boolean;
  readonly type: Type;
}

/** A variable, constant or parameter. */
export interface Name extends At {
  readonly kind: 'name';
  readonly name: string;
  readonly type: Type;
}

export type UnaryOperator = '-' | '!' | '~';
export interface Unary extends At {
  readonly kind: 'unary';
  readonly operator: UnaryOperator;
  readonly operand: Expression;
  readonly type: Type;
}

export type BinaryOperator =
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '<<'
  | '>>'
  | '&'
  | '|'
  | '^'
  | '&&'
  | '||'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>=';
export interface Binary extends At {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
  readonly type: Type;
}

/** A function of WGSL or of the module. */
export interface Call extends At {
  readonly kind: 'call';
  readonly callee: string;
  readonly args: readonly Expression[];
  readonly type: Type;
}

/**
 * A value of a named type: `vec3i(0)`, `u32(x)`, `Run(a, b, c)`, `array<f32, 2>(x, y)`; `bitcast<T>(x)` when it keeps
 * the bits.
 */
export interface Construct extends At {
  readonly kind: 'construct';
  readonly typeName: TypeName;
  readonly bits: boolean;
  readonly args: readonly Expression[];
  readonly type: Type;
}

export interface Index extends At {
  readonly kind: 'index';
  readonly base: Expression;
  readonly index: Expression;
  readonly type: Type;
}

/** A field of a struct, or components of a vector. */
export interface Member extends At {
  readonly kind: 'member';
  readonly base: Expression;
  readonly name: string;
  readonly type: Type;
}

export type Expression = Literal | Name | Unary | Binary | Call | Construct | Index | Member;

export interface Declare extends At {
  readonly kind: 'declare';
  readonly form: 'let' | 'var' | 'const';
  readonly name: string;
  readonly typeName: TypeName | null;
  readonly value: Expression | null;
  readonly type: Type;
}

/** `target operator= value`; `i++` is `i += 1`. */
export interface Assign extends At {
  readonly kind: 'assign';
  readonly target: Expression;
  readonly operator: BinaryOperator | null;
  readonly value: Expression;
}

export interface If extends At {
  readonly kind: 'if';
  readonly condition: Expression;
  readonly body: readonly Statement[];
  /** An `else if` is an else of one If. */
  readonly otherwise: readonly Statement[] | null;
}

/** `for`, `while` and `loop`: whatever is left out is null. */
export interface Loop extends At {
  readonly kind: 'loop';
  readonly init: Statement | null;
  readonly condition: Expression | null;
  readonly update: Statement | null;
  readonly body: readonly Statement[];
  /** Marked `// @unroll`. */
  readonly unroll: boolean;
  /** Marked `// @loop name`, for what a template's instance does to it. */
  readonly name: string | null;
}

export interface Block extends At {
  readonly kind: 'block';
  readonly body: readonly Statement[];
}

export interface Jump extends At {
  readonly kind: 'break' | 'continue';
}

export interface Return extends At {
  readonly kind: 'return';
  readonly value: Expression | null;
}

/** A call for its effect. */
export interface CallStatement extends At {
  readonly kind: 'call statement';
  readonly call: Call;
}

/** A place in a template that its instances fill; what it holds is the default. Only templates have slots. */
export interface Slot<T> extends At {
  readonly kind: 'slot';
  readonly name: string;
  readonly content: readonly T[];
}

export type Statement = Declare | Assign | If | Loop | Block | Jump | Return | CallStatement | Slot<Statement>;

export interface Constant extends At {
  readonly kind: 'constant';
  readonly name: string;
  readonly typeName: TypeName | null;
  readonly value: Expression;
  /** Marked `// @param`: a kernel may give it another value. */
  readonly param: boolean;
  readonly type: Type;
}

export interface Variable extends At {
  readonly kind: 'variable';
  readonly name: string;
  readonly space: 'uniform' | 'storage' | 'private' | 'workgroup';
  readonly access: 'read' | 'read_write' | null;
  /** Of a uniform or storage buffer, in group 0. */
  readonly binding: number | null;
  readonly typeName: TypeName;
  /** What a private variable starts with; zero when left out. */
  readonly value: Expression | null;
  readonly type: Type;
}

export interface Struct extends At {
  readonly kind: 'struct';
  readonly name: string;
  readonly fields: readonly { readonly name: string; readonly typeName: TypeName }[];
}

export interface Parameter {
  readonly name: string;
  readonly typeName: TypeName;
  /** `workgroup_id` and its like, of an entry point. */
  readonly builtin: string | null;
  readonly type: Type;
}

export interface FunctionTree extends At {
  readonly kind: 'function';
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly resultName: TypeName | null;
  readonly result: Type;
  readonly body: readonly Statement[];
  /** Of an entry point: its one workgroup dimension. */
  readonly workgroupSize: Expression | null;
}

export type Declaration = Constant | Variable | Struct | FunctionTree | Slot<Declaration>;

export interface Module {
  /** `enable …;`, `diagnostic(…);`, as they are written. */
  readonly directives: readonly string[];
  readonly declarations: readonly Declaration[];
}

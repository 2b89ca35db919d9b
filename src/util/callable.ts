/**
 * Callable: a base for classes whose instances are called like functions, as layers are: `dense(x)`.
 *
 * Invariant: an instance is a function whose prototype chain is its class alone, so nothing of Function.prototype
 * (`call`, `apply`, `name`) hides or is hidden by a member of the class.
 */

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the constructor makes the call signature true
export abstract class Callable<Args extends readonly unknown[], Result> {
  constructor() {
    const self = (...args: Args): Result => (self as unknown as this).invoke(...args);
    // Own properties of every function; a class may have fields of these names.
    Reflect.deleteProperty(self, 'name');
    Reflect.deleteProperty(self, 'length');
    // biome-ignore lint/correctness/noConstructorReturn: the instance is the function
    return Object.setPrototypeOf(self, new.target.prototype);
  }

  /** What a call does. */
  protected abstract invoke(...args: Args): Result;
}

export interface Callable<Args extends readonly unknown[], Result> {
  // biome-ignore lint/style/useShorthandFunctionType: merged with the class
  (...args: Args): Result;
}

/**
 * The name of what is being traced, e.g. `dense "fc1"`: carried into labels and error messages.
 * Tracing is synchronous, so a plain stack is enough.
 */

const stack: string[] = [];

/** The innermost scope, or undefined outside of any. */
export function currentScope(): string | undefined {
  return stack[stack.length - 1];
}

/** Runs `body` inside the scope `name`. */
export function withScope<T>(name: string, body: () => T): T {
  stack.push(name);
  try {
    return body();
  } finally {
    stack.pop();
  }
}

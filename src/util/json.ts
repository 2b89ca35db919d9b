/**
 * JSON that comes from a file. What is parsed is walked by functions that call themselves, so its depth is bounded
 * here: a file of brackets must not exhaust the stack.
 */

/** Levels of arrays and objects. A model in a model takes four. */
const MOST_LEVELS = 400;

/** The value of `text`. @throws Error that says why it is none, or that it is nested too deep. */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  checkDepth(value);
  return value;
}

/** @throws Error for a value nested deeper than 400 levels. */
export function checkDepth(value: unknown): void {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MOST_LEVELS) throw new Error(`nested deeper than ${MOST_LEVELS} levels`);
    const next: unknown[] = [];
    for (const one of level) {
      if (typeof one !== 'object' || one === null || ArrayBuffer.isView(one)) continue;
      for (const part of Object.values(one)) if (typeof part === 'object' && part !== null) next.push(part);
    }
    level = next;
  }
}

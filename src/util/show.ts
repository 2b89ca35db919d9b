/** Values and foreign text in error messages. */

/** A value as it should appear in an error message: short, and telling NaN from null. */
export function show(value: unknown): string {
  if (typeof value === 'number' || value === undefined) return String(value);
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`;
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${value.byteLength} bytes`;
  let text: string;
  try {
    text = JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part)) ?? String(value);
  } catch {
    // Nested deeper than the stack, or a cycle.
    return Array.isArray(value) ? 'an array that cannot be shown' : 'an object that cannot be shown';
  }
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** What a terminal obeys or shows out of order; tabs and line ends are left alone. */
const COMMANDS = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;

/** `text` with control characters as `\u001b`, so that a file's content cannot speak to the reader's terminal. */
export function printable(text: string): string {
  return text.replace(COMMANDS, (c) =>
    c === '\n' || c === '\t' ? c : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The beginning and the end of a text of more than 4,000 characters. */
export function shortened(text: string): string {
  return text.length > 4000 ? `${text.slice(0, 2900)} … ${text.slice(-1000)}` : text;
}

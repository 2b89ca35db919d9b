/**
 * WGSL without what only people read: comments, indentation, empty lines. The comments that a template is filled by
 * (`// @param`, `// @slot name`, `// @end`, `// @loop name`, `// @unroll`; src/kernel/template.ts) stay, each on its
 * line.
 */

/** Comments of the WGSL grammar: to the end of the line, or between marks that nest. WGSL has no strings to mistake. */
export function minifyWgsl(text: string): string {
  let result = '';
  let position = 0;
  while (position < text.length) {
    if (text.startsWith('//', position)) {
      const end = endOfLine(text, position);
      result += markOf(text.slice(position, end));
      position = end;
    } else if (text.startsWith('/*', position)) {
      position = endOfBlock(text, position);
      result += ' ';
    } else {
      result += text[position++];
    }
  }
  const lines = result.split('\n').map((line) => line.trim().replace(/[ \t]+/g, ' '));
  return lines.filter((line) => line !== '').join('\n');
}

/** What must stay of a line comment: the mark, without the remark behind it. */
function markOf(comment: string): string {
  return /^\/\/ @(?:param|slot \w+|loop \w+|end|unroll)\b/.exec(comment)?.[0] ?? '';
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

function endOfBlock(text: string, from: number): number {
  let depth = 0;
  for (let position = from; position < text.length; position++) {
    if (text.startsWith('/*', position)) depth++;
    else if (text.startsWith('*/', position)) depth--;
    else continue;
    position++;
    if (depth === 0) return position + 1;
  }
  throw new Error('minify-wgsl: a comment is not closed');
}

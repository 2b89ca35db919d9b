/**
 * Tables as Markdown with aligned columns: readable in a terminal and in a results file alike.
 */

export type Cell = string | number;

/** A table; numbers are right-aligned. */
export function markdownTable(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = rows.map((row) => row.map((cell) => (typeof cell === 'number' ? formatNumber(cell) : cell)));
  const right = header.map((_, k) => rows.length > 0 && rows.every((row) => typeof row[k] === 'number'));
  const widths = header.map((title, k) => Math.max(3, title.length, ...texts.map((row) => row[k].length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, k) => (right[k] ? cell.padStart(widths[k]) : cell.padEnd(widths[k]))).join(' | ')} |`;
  const rules = widths.map((width, k) => (right[k] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  const rule = `| ${rules.join(' | ')} |`;
  return [line(header), rule, ...texts.map(line)].join('\n');
}

/** Three significant digits, whole numbers whole. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return String(Math.round(value));
  return Math.abs(value) >= 100 ? value.toFixed(0) : Number(value.toPrecision(3)).toString();
}

/** `605 ms`, `14.2 s`. */
export function formatMs(ms: number): string {
  return ms >= 10_000 ? `${formatNumber(ms / 1000)} s` : `${formatNumber(ms)} ms`;
}

/** `3.2×`. */
export function formatRatio(ratio: number): string {
  return Number.isFinite(ratio) ? `${ratio >= 100 ? ratio.toFixed(0) : ratio.toPrecision(2)}×` : '–';
}

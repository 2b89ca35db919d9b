/**
 * Text with separated values to rows of fields, by RFC 4180: fields in double quotes may hold separators, line ends and
 * doubled quotes. Beyond the RFC: any one-character separator, any line end, a byte order mark, and empty lines, which
 * are skipped.
 *
 * Invariant: what is accepted is unambiguous; an unclosed quote or text after a closing one is an error with its line.
 */
import { DownhillError } from '../../util/errors.ts';

/** One record and the line of the file, from 1, on which it begins. */
export interface CsvRecord {
  readonly line: number;
  readonly fields: readonly string[];
}

/**
 * The records of `text`.
 * @param name the name of the text in errors, such as its path.
 * @throws DownhillError('file') for a quote that is never closed or text after a closing quote, naming the line.
 */
export function parseCsv(text: string, delimiter: string, name: string): CsvRecord[] {
  const records: CsvRecord[] = [];
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    const start = line;
    const fields: string[] = [];
    let quoted = false;
    for (;;) {
      if (text[at] === '"') {
        quoted = true;
        const field = quotedField(text, at, line, name);
        fields.push(field.value);
        at = field.end;
        line = field.line;
        if (at < text.length && text[at] !== delimiter && !isLineEnd(text, at)) {
          const found = JSON.stringify(text.slice(at, at + 12));
          throw new DownhillError(
            'file',
            `${name}: line ${line}: ${found} after a closing quote; expected "${delimiter}"`,
          );
        }
      } else {
        let end = at;
        while (end < text.length && text[end] !== delimiter && !isLineEnd(text, end)) end++;
        fields.push(text.slice(at, end));
        at = end;
      }
      if (text[at] !== delimiter) break;
      at++;
    }
    if (text[at] === '\r' && text[at + 1] === '\n') at++;
    at++;
    line++;
    // An empty line is not a record; a quoted empty field is one.
    if (quoted || fields.length > 1 || fields[0]!.trim() !== '') records.push({ line: start, fields });
  }
  return records;
}

function quotedField(text: string, from: number, line: number, name: string) {
  let value = '';
  let at = from + 1;
  let lines = line;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote === -1) {
      throw new DownhillError('file', `${name}: line ${line}: a quote is opened and never closed (truncated?)`);
    }
    const part = text.slice(at, quote);
    lines += part.match(/\r\n|\r|\n/g)?.length ?? 0;
    value += part;
    if (text[quote + 1] !== '"') return { value, end: quote + 1, line: lines };
    value += '"';
    at = quote + 2;
  }
}

function isLineEnd(text: string, at: number): boolean {
  return text[at] === '\n' || text[at] === '\r';
}

/**
 * A table whose rows come while something runs, sorted by the column whose title was pressed. It is laid out once a
 * frame at most.
 */

export interface Column<Row> {
  readonly title: string;
  /** What is sorted by, and shown where there is no `text`. */
  value(row: Row): string | number;
  text?(row: Row): string;
  readonly numeric?: boolean;
  /** A class of the cell, by row. */
  className?(row: Row): string;
}

export class SortableTable<Row> {
  private list: Row[] = [];
  private shown: (row: Row) => boolean = () => true;
  private sorted: number | undefined;
  private descending = false;
  private frame = 0;
  private readonly body = document.createElement('tbody');
  private readonly heads: HTMLTableCellElement[];

  constructor(
    table: HTMLTableElement,
    private readonly columns: readonly Column<Row>[],
  ) {
    table.classList.add('sortable');
    const head = table.createTHead().insertRow();
    this.heads = columns.map(({ title, numeric }, k) => {
      const cell = document.createElement('th');
      cell.scope = 'col';
      if (numeric) cell.className = 'number';
      const press = document.createElement('button');
      press.type = 'button';
      press.textContent = title;
      press.addEventListener('click', () => this.sortBy(k));
      cell.append(press);
      head.append(cell);
      return cell;
    });
    table.append(this.body);
  }

  get rows(): readonly Row[] {
    return this.list;
  }

  add(row: Row): void {
    this.list.push(row);
    this.schedule();
  }

  clear(): void {
    this.list = [];
    this.schedule();
  }

  /** Shows the rows that `shown` holds for. */
  filter(shown: (row: Row) => boolean): void {
    this.shown = shown;
    this.schedule();
  }

  /** Sorts by a column, numbers from the largest; pressed again, the other way round. */
  private sortBy(column: number): void {
    const numeric = this.columns[column].numeric === true;
    this.descending = this.sorted === column ? !this.descending : numeric;
    this.sorted = column;
    this.heads.forEach((cell, k) => {
      if (k === column) cell.setAttribute('aria-sort', this.descending ? 'descending' : 'ascending');
      else cell.removeAttribute('aria-sort');
    });
    this.schedule();
  }

  private schedule(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.body.replaceChildren(...this.ordered().map((row) => this.layOut(row)));
    });
  }

  private ordered(): Row[] {
    const rows = this.list.filter((row) => this.shown(row));
    if (this.sorted === undefined) return rows;
    const { value } = this.columns[this.sorted];
    const sign = this.descending ? -1 : 1;
    return rows.sort((a, b) => compare(value(a), value(b), sign));
  }

  private layOut(row: Row): HTMLTableRowElement {
    const line = document.createElement('tr');
    for (const { value, text, numeric, className } of this.columns) {
      const cell = line.insertCell();
      cell.textContent = text?.(row) ?? String(value(row));
      if (numeric) cell.classList.add('number');
      const more = className?.(row);
      if (more) cell.classList.add(more);
    }
    return line;
  }
}

/** What is not a number comes last, whichever way round. */
function compare(a: string | number, b: string | number, sign: number): number {
  if (typeof a === 'string' || typeof b === 'string') return sign * String(a).localeCompare(String(b));
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return sign * (a - b);
}

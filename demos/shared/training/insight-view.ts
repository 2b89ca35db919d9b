/** The panels that show what a network has learned: confusion matrix, mistakes, kernel times. */

import { element, messageOf, notify } from '../shell.ts';
import type { RemoteEngine } from './client.ts';
import { drawPixels } from './pictures.ts';
import type { DataInfo, Insight, KernelTime, Mistake } from './protocol.ts';
import type { RunView } from './run-view.ts';

/**
 * Confusion matrix and mistakes of the network as it is when the function is called; one look at a time.
 * @param more what else a page shows.
 */
export function examiner(engine: RemoteEngine, view: () => RunView, more = async () => {}): () => Promise<void> {
  let busy = false;
  return async () => {
    const { data, hasModel } = view();
    if (busy || data === undefined || !hasModel) return;
    busy = true;
    try {
      const insight = await engine.insight();
      // Other data may have come meanwhile.
      if (view().data !== data) return;
      showConfusion(element<HTMLTableElement>('confusion'), insight, data);
      await showMistakes(element('mistakes'), engine, insight.mistakes, data);
      await more();
    } catch (error) {
      notify(messageOf(error), { kind: 'error', key: 'examine' });
    } finally {
      busy = false;
    }
  };
}

/** Fills `table` with the confusion matrix: a row for each true class. */
function showConfusion(table: HTMLTableElement, { confusion, examples }: Insight, { classNames }: DataInfo): void {
  if (table.rows.length !== confusion.length + 1) {
    table.replaceChildren();
    const head = table.createTHead().insertRow();
    head.append(cell('th', '↓ is'));
    for (const name of classNames) head.append(Object.assign(cell('th', name), { scope: 'col' }));
    table.classList.toggle(
      'named',
      classNames.some(({ length }) => length > 2),
    );
    const body = table.createTBody();
    classNames.forEach((name) => {
      const row = body.insertRow();
      row.append(Object.assign(cell('th', name), { scope: 'row' }));
      for (let answer = 0; answer < classNames.length; answer++) row.append(cell('td', ''));
    });
  }
  confusion.forEach((row, truth) => {
    const total = Math.max(
      1,
      row.reduce((sum, count) => sum + count, 0),
    );
    row.forEach((count, answer) => {
      const at = table.rows[truth + 1].cells[answer + 1];
      at.textContent = count === 0 ? '' : String(count);
      at.title = `${classNames[truth]} taken for ${classNames[answer]}: ${count} of ${total}`;
      at.style.setProperty('--cell', truth === answer ? 'var(--series-1)' : 'var(--series-2)');
      at.style.setProperty('--share', String(Math.min(0.75, (truth === answer ? 0.6 : 2) * (count / total))));
    });
  });
  const unanswered = examples - confusion.flat().reduce((sum, count) => sum + count, 0);
  if (unanswered === 0) table.deleteCaption();
  else table.createCaption().textContent = `For ${unanswered} of ${examples} the network's output is not a number.`;
  table.setAttribute('aria-label', `Confusion matrix over ${examples} held-out examples`);
}

/** Shows the most confident mistakes with their images. */
async function showMistakes(
  host: HTMLElement,
  engine: RemoteEngine,
  mistakes: readonly Mistake[],
  { classNames, shape }: DataInfo,
): Promise<void> {
  const figures = await Promise.all(
    mistakes.map(async ({ example, truth, answer, probability }) => {
      const { pixels } = await engine.example('test', example);
      const figure = document.createElement('figure');
      const canvas = document.createElement('canvas');
      drawPixels(canvas, pixels, shape);
      const words = `${classNames[truth]}, not ${classNames[answer]}`;
      canvas.setAttribute('role', 'img');
      canvas.setAttribute('aria-label', words);
      figure.title = `${words}; the network was ${(100 * probability).toFixed(0)} % sure`;
      figure.append(canvas, Object.assign(document.createElement('figcaption'), { textContent: words }));
      return figure;
    }),
  );
  host.replaceChildren(...figures);
  if (figures.length === 0) host.textContent = 'None among the examples that were looked at.';
}

/** Shows the device time of a step's kernels: in order as a band, and as a table, the longest first. */
export function showKernelTimes(times: readonly KernelTime[]): void {
  const total = times.reduce((sum, { microseconds }) => sum + microseconds, 0);
  const percent = (microseconds: number) => (total === 0 ? 0 : (100 * microseconds) / total);
  const color = (k: number) => `var(--series-${1 + (k % 7)})`;
  const band = element('timeline');
  band.replaceChildren(
    ...times.map(({ label, microseconds }, k) => {
      const part = document.createElement('span');
      part.style.flexGrow = String(microseconds);
      part.style.background = color(k);
      part.title = `${label}: ${microseconds.toFixed(0)} µs, ${percent(microseconds).toFixed(1)} %`;
      return part;
    }),
  );
  band.setAttribute('aria-label', `${times.length} kernels in order, ${(total / 1000).toFixed(2)} ms together`);
  element('profile-total').textContent = `${times.length} kernels, ${(total / 1000).toFixed(2)} ms of GPU time a step`;
  const table = element<HTMLTableElement>('kernel-times');
  table.replaceChildren();
  const head = table.createTHead().insertRow();
  head.append(cell('th', 'Kernel'), numeric('th', 'µs'), numeric('th', '%'));
  const body = table.createTBody();
  const sorted = times.map((time, k) => ({ ...time, k })).sort((a, b) => b.microseconds - a.microseconds);
  for (const { label, microseconds, k } of sorted.slice(0, 12)) {
    const row = body.insertRow();
    const name = cell('td', label);
    name.style.borderLeft = `4px solid ${color(k)}`;
    row.append(name, numeric('td', microseconds.toFixed(0)), numeric('td', percent(microseconds).toFixed(1)));
  }
}

function cell(kind: 'th' | 'td', text: string): HTMLTableCellElement {
  return Object.assign(document.createElement(kind), { textContent: text });
}

function numeric(kind: 'th' | 'td', text: string): HTMLTableCellElement {
  return Object.assign(cell(kind, text), { className: 'number' });
}

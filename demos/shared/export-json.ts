/** Two buttons for a result: copy it as JSON, download it as a file. They are off until there is something. */

import { download } from './download.ts';
import { button, messageOf, notify } from './shell.ts';

export interface JsonExport {
  /** Whether there is something to export. */
  enable(on: boolean): void;
}

/** @param make gives the result when a button is pressed. */
export function exportJson(host: HTMLElement, name: string, make: () => unknown): JsonExport {
  const text = () => JSON.stringify(make(), null, 2);
  const copy = button('Copy as JSON', () => {
    navigator.clipboard.writeText(text()).then(
      () => notify('Copied.', { kind: 'good', key: 'copied' }),
      (error) =>
        notify(`The browser did not let it be copied: ${messageOf(error)}. Download it instead.`, { kind: 'warning' }),
    );
  });
  const save = button('Download JSON', () => {
    download(text(), `${name}.json`);
  });
  const enable = (on: boolean): void => {
    copy.disabled = save.disabled = !on;
  };
  enable(false);
  host.append(copy, save);
  return { enable };
}

/** Two buttons for a result: copy it as JSON, download it as a file. They are off until there is something. */

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
  const download = button('Download JSON', () => {
    const url = URL.createObjectURL(new Blob([text()], { type: 'application/json' }));
    const link = Object.assign(document.createElement('a'), { href: url, download: `${name}.json` });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  });
  const enable = (on: boolean): void => {
    copy.disabled = download.disabled = !on;
  };
  enable(false);
  host.append(copy, download);
  return { enable };
}

/** Ways to bring data of one's own: dropping files anywhere on the page, choosing them, giving an address. */

import { element, messageOf } from '../shell.ts';
import type { NamedBytes } from './protocol.ts';
import { field } from './run-form.ts';
import type { RunView } from './run-view.ts';

/** Largest sum of dropped files. */
const MAX_DROPPED = 512 * 2 ** 20;

/** Loads dropped or chosen files. */
async function loadFiles(view: RunView, list: Iterable<File>): Promise<void> {
  // While a run is live nothing is read.
  if (!view.mayLoad()) return;
  const files = [...list];
  const size = files.reduce((sum, file) => sum + file.size, 0);
  if (size > MAX_DROPPED) {
    const found = `${files.length} files of ${Math.round(size / 2 ** 20)} MiB`;
    view.complain(`That is ${found}, more than a page should hold; expected at most 512 MiB.`);
    return;
  }
  const read = async (file: File): Promise<NamedBytes> => {
    return { name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) };
  };
  try {
    await view.load({ kind: 'files', files: await Promise.all(files.map(read)) });
  } catch (error) {
    view.complain(`The files could not be read: ${messageOf(error)}`);
  }
}

/** Wires the panel "Your own data". @param name what a folder at an address holds. */
export function takeFiles(view: RunView, name: 'mnist' | 'fashion-mnist'): void {
  const drop = element('drop');
  for (const type of ['dragover', 'dragleave', 'drop'] as const) {
    document.addEventListener(type, (event) => {
      event.preventDefault();
      drop.classList.toggle('over', type === 'dragover');
      if (type === 'drop' && event.dataTransfer !== null) void loadFiles(view, event.dataTransfer.files);
    });
  }
  const files = element<HTMLInputElement>('files');
  files.addEventListener('change', () => {
    const chosen = [...(files.files ?? [])];
    // Choosing the same files again must count as a change.
    files.value = '';
    void loadFiles(view, chosen);
  });
  const address = element<HTMLFormElement>('address');
  address.addEventListener('submit', (event) => {
    event.preventDefault();
    void view.load({ kind: 'url', name, folder: field(address, 'folder').value });
  });
}

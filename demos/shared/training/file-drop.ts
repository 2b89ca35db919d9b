/** Ways to bring data of one's own: dropping files anywhere on the page, choosing them, giving an address. */

import { element } from '../shell.ts';
import { field, type RunView } from './run-view.ts';

/** Wires the panel "Data of your own". @param name what a folder at an address holds. */
export function takeFiles(view: RunView, name: 'mnist' | 'fashion-mnist'): void {
  const drop = element('drop');
  for (const type of ['dragover', 'dragleave', 'drop'] as const) {
    document.addEventListener(type, (event) => {
      event.preventDefault();
      drop.classList.toggle('over', type === 'dragover');
      if (type === 'drop' && event.dataTransfer !== null) void view.loadFiles(event.dataTransfer.files);
    });
  }
  const files = element<HTMLInputElement>('files');
  files.addEventListener('change', () => {
    const chosen = [...(files.files ?? [])];
    // Choosing the same files again must count as a change.
    files.value = '';
    void view.loadFiles(chosen);
  });
  const address = element<HTMLFormElement>('address');
  address.addEventListener('submit', (event) => {
    event.preventDefault();
    void view.load({ kind: 'url', name, folder: field(address, 'folder').value });
  });
}

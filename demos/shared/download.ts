/** Gives the user a file. */

/** Milliseconds that a browser has to begin with it. */
const KEPT_MS = 60_000;

export function download(content: Uint8Array | string, name: string): void {
  const type = name.endsWith('.json') ? 'application/json' : '';
  const url = URL.createObjectURL(new Blob([content as string | Uint8Array<ArrayBuffer>], { type }));
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  // Some browsers follow only links that are on the page.
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}

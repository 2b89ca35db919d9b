/**
 * What every page has: the theme button, notices, the line about the device, and the answer to errors that nobody
 * caught. The frame's HTML comes from page-frame.ts. The engine is not imported here.
 */

export type NoticeKind = 'info' | 'warning' | 'error' | 'good';

export interface NoticeOptions {
  readonly kind?: NoticeKind;
  /** Stays until it is closed; errors and notices with an action do by themselves. */
  readonly sticky?: boolean;
  readonly action?: { readonly label: string; run(): void };
  /** A later notice of the same key takes the place of this one; without it, one of the same text. */
  readonly key?: string;
}

const NOTICE_MS = 8000;

/** Sets the page up. Call it once, first. */
export function startPage(): void {
  const button = element<HTMLButtonElement>('theme');
  button.addEventListener('click', () => {
    const dark = matchMedia('(prefers-color-scheme: dark)').matches;
    const now = document.documentElement.dataset.theme ?? (dark ? 'dark' : 'light');
    const next = now === 'dark' ? 'light' : 'dark';
    document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem('downhill-theme', next);
    } catch {
      // Not kept, then.
    }
    document.dispatchEvent(new Event('themechange'));
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    document.dispatchEvent(new Event('themechange'));
  });
  // What scrolls sideways can be scrolled by keyboard, and says what it is.
  for (const box of document.querySelectorAll<HTMLElement>('[data-region]')) {
    box.tabIndex = 0;
    box.setAttribute('role', 'region');
    box.setAttribute('aria-label', box.dataset.region!);
  }
  addEventListener('error', ({ message }) => notify(message, { kind: 'error' }));
  addEventListener('unhandledrejection', ({ reason }) => notify(messageOf(reason), { kind: 'error' }));
}

/** Shows a message in the corner; it never covers what is being done for long. @returns a function that closes it. */
export function notify(text: string, options: NoticeOptions = {}): () => void {
  const { kind = 'info', action, key = text } = options;
  const host = element('notices');
  dismiss(key);
  const notice = document.createElement('div');
  notice.className = `notice ${kind}`;
  notice.dataset.key = key;
  if (kind === 'error') notice.setAttribute('role', 'alert');
  const close = () => notice.remove();
  const words = document.createElement('div');
  words.textContent = text;
  const buttons = document.createElement('div');
  buttons.className = 'row';
  if (action !== undefined) {
    buttons.append(
      button(action.label, () => {
        close();
        action.run();
      }),
    );
  }
  buttons.append(button('Close', close));
  notice.append(words, buttons);
  host.append(notice);
  if (!(options.sticky ?? (kind === 'error' || action !== undefined))) setTimeout(close, NOTICE_MS);
  return close;
}

/** Takes the notice of this key away: what it says no longer holds. */
export function dismiss(key: string): void {
  element('notices')
    .querySelector(`[data-key="${CSS.escape(key)}"]`)
    ?.remove();
}

/** Says at the foot of the page what everything runs on. */
export function showDevice(description: string): void {
  element('device').textContent = description;
}

/** The element with this id. @throws Error when the page has none: a mistake of ours. */
export function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element #${id}`);
  return found as T;
}

export function button(label: string, run: () => void, className = ''): HTMLButtonElement {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = label;
  made.className = className;
  made.addEventListener('click', run);
  return made;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Colours of the theme as it is now, for canvases. @param name without the dashes: `series-1`. */
export function themeColor(name: string): string {
  // A property that uses light-dark() is resolved only where it is used.
  probe ??= document.body.appendChild(Object.assign(document.createElement('span'), { hidden: true }));
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

/** Red, green and blue of a colour of the theme, each 0 … 255. */
export function themeChannels(name: string): number[] {
  const color = themeColor(name);
  const channels = (color.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
  // Some browsers answer in color(srgb r g b), from 0 to 1.
  return color.startsWith('color(') ? channels.map((value) => 255 * value) : channels;
}

let probe: HTMLElement | undefined;

/**
 * Vite plugin that puts the frame around each page: metadata, styles and theme in the head, the navigation before the
 * page's own content, the footer and the place for notices after it. A page's index.html holds its `main` and scripts;
 * `<!-- include PATH name="value" … -->` in it is replaced by a piece of HTML that is used several times, in which the
 * value replaces `__name__`.
 */

import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { PAGES, pageOf, type SitePage } from './pages.ts';

const root = fileURLToPath(new URL('.', import.meta.url));

export function pageFrame(): Plugin {
  return {
    name: 'downhill:page-frame',
    transformIndexHtml: {
      order: 'pre',
      handler: (html, { filename }) => framed(html, relative(root, filename).replace(/\/?index\.html$/, '')),
    },
  };
}

function framed(html: string, path: string): string {
  const { title, summary } = pageOf(path);
  const up = path === '' ? './' : '../';
  const link = (page: SitePage): string => {
    const current = page.path === path ? ' aria-current="page"' : '';
    return `<a href="${up}${page.path}${page.path === '' ? '' : '/'}"${current}>${page.title}</a>`;
  };
  const head = `
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="description" content="${summary}" />
    <meta name="color-scheme" content="light dark" />
    <title>${path === '' ? `downhill: ${summary}` : `${title} · downhill`}</title>
    <link rel="icon" href="${up}icon.svg" type="image/svg+xml" />
    <script vite-ignore src="${up}theme.js"></script>
    <link rel="stylesheet" href="${up}shared/style.css" />`;
  const [start, ...others] = PAGES;
  const header = `
    <a class="skip" href="#content">Skip to content</a>
    <header class="site">
      ${link(start).replace('<a', '<a class="brand"')}
      <nav aria-label="Demos">${others.map(link).join('')}</nav>
      <button id="theme" class="quiet" type="button" aria-label="Change between dark and light"></button>
    </header>`;
  const footer = `
    <footer class="site">
      <span id="device" aria-live="polite">&nbsp;</span>
      <span>Everything runs in this tab; nothing leaves it.</span>
    </footer>
    <div id="notices" role="status" aria-live="polite"></div>`;
  return html
    .replace(/<!-- include (\S+)([^>]*) -->/g, (_, file: string, values: string) => included(file, values))
    .replace('<head>', `<head>${head}`)
    .replace('<body>', `<body>${header}`)
    .replace('</body>', `${footer}</body>`)
    .replace('<!-- cards -->', others.map(card).join(''));
}

/** The piece in `file` with its values. @throws Error for a value that is missing or not used. */
function included(file: string, values: string): string {
  const given = new Map([...values.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
  const used = new Set<string>();
  const piece = readFileSync(`${root}${file}`, 'utf8').replace(/__([a-z]+)__/g, (_, name: string) => {
    used.add(name);
    const value = given.get(name);
    if (value === undefined) throw new Error(`${file} needs a value for "${name}"`);
    return value;
  });
  const surplus = [...given.keys()].filter((name) => !used.has(name));
  if (surplus.length > 0) throw new Error(`${file} does not use ${surplus.join(', ')}`);
  return piece.trimEnd();
}

function card({ path, title, summary }: SitePage): string {
  return `<a class="panel card" href="./${path}/"><h2>${title}</h2><p>${summary}</p></a>`;
}

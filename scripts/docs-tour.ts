/**
 * `npm run docs:tour`: puts the output of each stop of the tour (scripts/tour/stops.ts) into its block of
 * docs/tour.md, the ones that open with ```text stop=name. A test holds the page against it (`npm run docs:tour --
 * --check` does the same).
 *
 * Invariant: text outside of the blocks is left alone; every stop has one block, every block a stop.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runScript } from './run-script.ts';
import { tourStops } from './tour/stops.ts';

export const TOUR_PAGE = fileURLToPath(new URL('../docs/tour.md', import.meta.url));

/**
 * `page` with the text of each stop in its block.
 * @throws Error naming stops without a block and blocks without a stop.
 */
export function fillTour(page: string, stops: ReadonlyMap<string, string>): string {
  const used: string[] = [];
  const filled = page.replaceAll(/^```text stop=(\S+)\n[\s\S]*?^```$/gm, (_, name: string) => {
    used.push(name);
    const text = stops.get(name);
    if (text === undefined) throw new Error(`docs/tour.md has a block "${name}", which no stop writes`);
    return `\`\`\`text stop=${name}\n${text.trimEnd()}\n\`\`\``;
  });
  const wrong = [...stops.keys()].filter((name) => used.filter((other) => other === name).length !== 1);
  if (wrong.length > 0)
    throw new Error(`docs/tour.md must have one block for each of these stops: ${wrong.join(', ')}`);
  return filled;
}

runScript(import.meta.url, async () => {
  const page = readFileSync(TOUR_PAGE, 'utf8');
  const filled = fillTour(page, await tourStops());
  if (process.argv.includes('--check')) {
    if (filled !== page) throw new Error('docs/tour.md is not up to date; run npm run docs:tour');
    return;
  }
  writeFileSync(TOUR_PAGE, filled);
  console.log(filled === page ? 'nothing has changed' : 'written: docs/tour.md');
});

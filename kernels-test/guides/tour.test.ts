/**
 * The tour (docs/tour.md) shows what the library prints and computes now, on the CPU and on a WebGPU device alike.
 * `npm run docs:tour` writes its blocks anew.
 */

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { fillTour, TOUR_PAGE } from '../../scripts/docs-tour.ts';
import { tourStops } from '../../scripts/tour/stops.ts';
import { createNodeWebGPUBackend } from '../../src/backend/webgpu.node.ts';

const page = readFileSync(TOUR_PAGE, 'utf8');
const stops = await tourStops();

describe('docs/tour.md', () => {
  test('its blocks are what the stops print (npm run docs:tour)', () => {
    expect(page).toBe(fillTour(page, stops));
  });

  test('a device computes what the page shows', async () => {
    const backend = await createNodeWebGPUBackend();
    try {
      expect(Object.fromEntries(await tourStops(backend))).toEqual(Object.fromEntries(stops));
    } finally {
      await backend.dispose();
    }
  });

  test('a changed block, a missing one and an unknown one are noticed', () => {
    const block = /^```text stop=(\S+)\n[\s\S]*?^```\n/m;
    const [text, name] = block.exec(page) as RegExpExecArray;
    expect(fillTour(page.replace(text, text.replace('relu', 'rely')), stops)).toBe(page);
    expect(() => fillTour(page.replace(text, ''), stops)).toThrow(`one block for each of these stops: ${name}`);
    expect(() => fillTour(page + text, stops)).toThrow(`one block for each of these stops: ${name}`);
    expect(() => fillTour(page.replace(`stop=${name}`, 'stop=nothing'), stops)).toThrow(
      '"nothing", which no stop writes',
    );
  });

  const sections = page.split(/^## /m).slice(1);
  const numbered = sections.filter((section) => /^\d/.test(section));

  test.each(numbered.map((section) => [section.split('\n')[0], section]))('%s', (_title, section) => {
    const paths = [...section.matchAll(/`((?:src|shaders)\/[\w./-]+)`/g)].map(([, path]) => path);
    const isLast = section === numbered.at(-1);
    expect(paths.length, 'a stop names files').toBeGreaterThan(isLast ? -1 : 0);
    const root = fileURLToPath(new URL('../../', import.meta.url));
    expect(paths.filter((path) => !existsSync(root + path))).toEqual([]);
    expect(section).toContain('```text stop=');
    // What the text says of a value, a buffer or an op, a block of the section shows.
    const blocks = [...section.matchAll(/^```\w*[^\n]*\n([\s\S]*?)^```$/gm)].map(([, text]) => text).join('\n');
    const prose = section.replaceAll(/^```[\s\S]*?^```$/gm, '');
    const named = [...prose.matchAll(/`([vb]\d+|greater|where|sum|broadcastTo|transposeA|mean|store|column)`/g)];
    expect(named.map(([, name]) => name).filter((name) => !new RegExp(`\\b${name}\\b`).test(blocks))).toEqual([]);
  });
});

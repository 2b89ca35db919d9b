/**
 * The results file: one JSON file per day and adapter under bench/results/, one section per command, and the same as
 * Markdown. A command that runs again replaces its own section and leaves the others.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Environment } from './environment.ts';

export interface Section {
  readonly title: string;
  /** ISO time of the start. */
  readonly date: string;
  /** Load averages over a minute, before and after. */
  readonly load: readonly [before: number, after: number];
  readonly environment: Environment;
  readonly data: unknown;
  /** The tables and remarks. */
  readonly markdown: string;
}

const FOLDER = new URL('../results/', import.meta.url);
const ORDER = ['steps', 'peers', 'browser', 'ops', 'profile', 'kernels', 'cpu-vs-gpu', 'tune', 'scaling'];

/** Writes `section` into today's files. @returns their path without ending. */
export function saveSection(name: string, section: Section): string {
  const stem = `${section.date.slice(0, 10)}-${slug(section.environment.adapter)}`;
  const path = fileURLToPath(new URL(stem, FOLDER));
  mkdirSync(FOLDER, { recursive: true });
  const known = existsSync(`${path}.json`) ? JSON.parse(readFileSync(`${path}.json`, 'utf8')) : {};
  const sections: Record<string, Section> = { ...known, [name]: section };
  const sorted = Object.fromEntries(ORDER.filter((key) => key in sections).map((key) => [key, sections[key]]));
  writeFileSync(`${path}.json`, `${JSON.stringify(sorted, null, 2)}\n`);
  writeFileSync(`${path}.md`, `${[`# ${stem}`, ...Object.values(sorted).map(describe)].join('\n\n')}\n`);
  return path;
}

/** A section as text. */
export function describe({ title, date, load, environment: e, markdown }: Section): string {
  const busy = load[0] > 1 ? ' **The machine was busy before it began: times are too long, ratios uncertain.**' : '';
  return [
    `## ${title}`,
    `${date.slice(0, 16).replace('T', ' ')} UTC · ${e.adapter} · ${e.processor}, ${e.cores} cores · ` +
      `downhill ${e.downhill} (${e.commit}), webgpu ${e.webgpu}, Node ${e.node}, ${e.platform} · ` +
      `load ${load[0].toFixed(1)} before, ${load[1].toFixed(1)} after.${busy}`,
    markdown,
  ].join('\n\n');
}

function slug(adapter: string): string {
  const words = adapter.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  return words.split('-').filter(Boolean).slice(0, 3).join('-');
}

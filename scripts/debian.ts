/**
 * What the setup scripts know of Debian: read the machine's facts, decide what to install, say it as shell commands.
 *
 * Everything here is a pure function of its arguments except `readMachine`; what runs apt is in apt.ts. So the
 * decisions are tested without touching a machine.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A file that tells apt where packages come from. */
export interface AptSource {
  readonly path: string;
  readonly text: string;
}

export interface Machine {
  readonly platform: string;
  readonly root: boolean;
  /** Keys of /etc/os-release; empty where there is none. */
  readonly osRelease: Readonly<Record<string, string>>;
  readonly aptSources: readonly AptSource[];
}

/** What apt has to do. */
export interface InstallPlan {
  readonly packages: readonly string[];
  /** Suite to prefer (`apt-get -t`), when the distribution's own version is too old. */
  readonly targetRelease?: string;
  /** A sources file to add first. */
  readonly addSource?: AptSource;
}

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const DEFAULT_MIRROR = 'http://deb.debian.org/debian';

/** The software adapter: Mesa's llvmpipe and the Vulkan loader. */
const ADAPTER_PACKAGES = ['mesa-vulkan-drivers', 'libvulkan1'];

/** Reads this machine. */
export function readMachine(): Machine {
  const listed = safeList('/etc/apt/sources.list.d').map((name) => join('/etc/apt/sources.list.d', name));
  const paths = ['/etc/apt/sources.list', ...listed].filter((path) => /\.(list|sources)$/.test(path));
  return {
    platform: process.platform,
    root: process.getuid?.() === 0,
    osRelease: parseOsRelease(safeRead('/etc/os-release')),
    aptSources: paths.map((path) => ({ path, text: safeRead(path) })),
  };
}

/**
 * How Debian gets the software adapter, or undefined where only a person can know (not Debian, or older than 12).
 * Debian 12's own Mesa 22.3 is refused by Dawn, so there it comes from backports; later releases have it as it is.
 */
export function adapterPlan(machine: Machine): InstallPlan | undefined {
  if (!isDebian(machine)) return undefined;
  const version = debianVersion(machine);
  if (version < 12) return undefined;
  if (version > 12) return { packages: ADAPTER_PACKAGES };
  const targetRelease = 'bookworm-backports';
  if (hasSuite(machine.aptSources, targetRelease)) return { packages: ADAPTER_PACKAGES, targetRelease };
  const mirror = mirrorOf(machine.aptSources, 'bookworm') ?? DEFAULT_MIRROR;
  const addSource = {
    path: '/etc/apt/sources.list.d/bookworm-backports.list',
    text: `deb [signed-by=${KEYRING}] ${mirror} ${targetRelease} main\n`,
  };
  return { packages: ADAPTER_PACKAGES, targetRelease, addSource };
}

/** How Debian gets Chromium, or undefined elsewhere. */
export function chromiumPlan(machine: Machine): InstallPlan | undefined {
  return isDebian(machine) ? { packages: ['chromium'] } : undefined;
}

/** The plan as commands for a person to run. */
export function shellCommands({ packages, targetRelease, addSource }: InstallPlan): string[] {
  const target = targetRelease === undefined ? '' : ` -t ${targetRelease}`;
  const source = addSource === undefined ? [] : [`echo '${addSource.text.trim()}' | sudo tee ${addSource.path}`];
  return [...source, 'sudo apt-get update', `sudo apt-get install -y${target} ${packages.join(' ')}`];
}

export function parseOsRelease(text: string): Record<string, string> {
  const facts: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const match = /^([A-Z_]+)=(?:"(.*)"|'(.*)'|(.*))$/.exec(line.trim());
    if (match) facts[match[1]!] = match[2] ?? match[3] ?? match[4] ?? '';
  }
  return facts;
}

/** Whether apt already reads `suite`. */
export function hasSuite(sources: readonly AptSource[], suite: string): boolean {
  return entries(sources).some((entry) => entry.suites.includes(suite));
}

/** The mirror this machine takes `suite` from: where that is not the default, the default may be out of reach. */
export function mirrorOf(sources: readonly AptSource[], suite: string): string | undefined {
  const uris = entries(sources).flatMap((entry) => (entry.suites.includes(suite) ? entry.uris : []));
  return uris.find((uri) => /^https?:/.test(uri));
}

interface SourceEntry {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
}

/** The binary-package entries of both formats apt reads, without the disabled ones. */
function entries(sources: readonly AptSource[]): SourceEntry[] {
  return sources.flatMap(({ path, text }) => (path.endsWith('.sources') ? deb822(text) : oneLine(text)));
}

/** `deb [options] uri suite component…`, one per line. */
function oneLine(text: string): SourceEntry[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/.exec(line);
    return match ? [{ uris: [match[1]!], suites: [match[2]!] }] : [];
  });
}

/** Stanzas of `Key: value`, separated by blank lines; a line that begins with a blank continues the value before it. */
function deb822(text: string): SourceEntry[] {
  const uncommented = text.replace(/^#.*\n?/gm, '');
  return uncommented.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = new Map<string, string[]>();
    for (const line of stanza.replace(/\n[ \t]+/g, ' ').split('\n')) {
      const match = /^([A-Za-z-]+):\s*(.*)$/.exec(line);
      if (match) fields.set(match[1]!.toLowerCase(), match[2]!.split(/\s+/).filter(Boolean));
    }
    const disabled = /^(no|false|off|0)$/i.test(fields.get('enabled')?.[0] ?? '');
    if (disabled || !fields.get('types')?.includes('deb')) return [];
    return [{ uris: fields.get('uris') ?? [], suites: fields.get('suites') ?? [] }];
  });
}

function isDebian({ platform, osRelease }: Machine): boolean {
  return platform === 'linux' && osRelease.ID === 'debian';
}

/** Testing and unstable carry no VERSION_ID. */
function debianVersion({ osRelease }: Machine): number {
  return osRelease.VERSION_ID === undefined ? Number.POSITIVE_INFINITY : Number(osRelease.VERSION_ID);
}

function safeRead(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function safeList(path: string): string[] {
  try {
    return readdirSync(path).sort();
  } catch {
    return [];
  }
}

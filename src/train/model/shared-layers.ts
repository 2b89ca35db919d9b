/**
 * Layers that are used in several places of one model (inside a nested model and beside it) in its JSON: lists of
 * paths, such as `["dense", "inner/dense"]`, each of which is one layer.
 */

import { show } from '../../nn/check-options.ts';
import type { Layer } from '../../nn/layer.ts';
import { DownhillError } from '../../util/errors.ts';

/** The paths of each layer that `layers` and the models among them have more than once. */
export function sharedPaths(layers: readonly Layer[]): string[][] {
  const found = new Map<Layer, string[]>();
  const walk = (list: readonly Layer[], prefix: string): void => {
    for (const layer of list) {
      const path = `${prefix}${layer.name}`;
      const known = found.get(layer);
      known?.push(path);
      // What is inside of a model that is known is known too.
      if (known !== undefined) continue;
      found.set(layer, [path]);
      walk(layer.innerLayers, `${path}/`);
    }
  };
  walk(layers, '');
  return [...found.values()].filter(({ length }) => length > 1);
}

/** The layers of a model that is being read, so that each is made once. */
export class SharedLayers {
  private readonly made = new Map<readonly string[], Layer>();

  private constructor(
    /** The paths that were not met yet, with the lists that they are in. */
    private readonly open: Map<string, readonly string[]>,
    private readonly file: string,
  ) {}

  /** @param paths what the JSON says. @throws DownhillError `file` unless it is lists of paths. */
  static read(paths: unknown, file: string): SharedLayers {
    const isPaths = (list: unknown) => Array.isArray(list) && list.every((path) => typeof path === 'string');
    if (paths !== undefined && !(Array.isArray(paths) && paths.every(isPaths))) {
      throw new DownhillError('file', `${file}: "shared" is ${show(paths)}; expected lists of the paths of layers`);
    }
    const lists = (paths ?? []) as readonly (readonly string[])[];
    return new SharedLayers(new Map(lists.flatMap((list) => list.map((path) => [path, list] as const))), file);
  }

  /**
   * The layer at `path`: that of another place, or a new one. @throws DownhillError `file` when the two are not
   * alike.
   */
  layer(path: string, className: unknown, make: () => Layer): Layer {
    const list = this.open.get(path);
    const known = list && this.made.get(list);
    if (list !== undefined) this.open.delete(path);
    if (known === undefined) {
      const layer = make();
      if (list !== undefined) this.made.set(list, layer);
      return layer;
    }
    if (known.className === className) return known;
    throw new DownhillError(
      'file',
      `${this.file}: "shared" says that ${list!.join(' and ')} are one layer; ` +
        `found ${known.className} and ${className}`,
    );
  }

  /** @throws DownhillError `file` when a path leads nowhere. */
  assertAllFound(): void {
    // What is inside of a model that was read at another place has no place of its own.
    const inside = (path: string) =>
      [...this.made.keys()].some((list) => list.some((one) => path.startsWith(`${one}/`)));
    const lost = [...this.open.keys()].find((path) => !inside(path));
    if (lost === undefined) return;
    throw new DownhillError('file', `${this.file}: "shared" names a layer "${lost}" that is not in the model`);
  }
}

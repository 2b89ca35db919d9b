/**
 * Trees of values: a leaf, an array of trees or a record of trees, as functions of users return them.
 */

export type Tree<T> = T | readonly Tree<T>[] | { readonly [key: string]: Tree<T> };

/** The leaves in order, and how to build the same tree around other leaves. */
export interface FlatTree<T> {
  readonly leaves: readonly T[];
  rebuild<U>(leaves: readonly U[]): Tree<U>;
}

/** Takes a tree apart; `isLeaf` tells leaves from containers. Anything else goes to `reject`, which must throw. */
export function flattenTree<T>(
  tree: unknown,
  isLeaf: (value: unknown) => value is T,
  reject: (value: unknown, path: string) => never,
): FlatTree<T> {
  const leaves: T[] = [];
  type Builder = <U>(leaves: readonly U[]) => Tree<U>;
  const visit = (value: unknown, path: string): Builder => {
    if (isLeaf(value)) {
      const position = leaves.push(value) - 1;
      return (others) => others[position];
    }
    if (Array.isArray(value)) {
      const parts = value.map((part, k) => visit(part, `${path}[${k}]`));
      return (others) => parts.map((part) => part(others));
    }
    if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
      const parts = Object.entries(value).map(([key, part]) => [key, visit(part, `${path}.${key}`)] as const);
      return (others) => Object.fromEntries(parts.map(([key, part]) => [key, part(others)]));
    }
    return reject(value, path);
  };
  const rebuild = visit(tree, '');
  return { leaves, rebuild };
}

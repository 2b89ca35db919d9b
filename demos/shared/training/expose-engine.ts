/** Makes an Engine reachable from the page that started this worker. */

import { expose, transferHandlers } from 'comlink';
import { DownhillError } from '../../../src/index.ts';
import { Engine } from './engine.ts';

/** @param page whose saved runs the engine keeps. */
export function exposeEngine(page: string): void {
  // Messages are for people; the stack of a worker would only hide them.
  const throwing = transferHandlers.get('throw')!;
  transferHandlers.set('throw', {
    ...throwing,
    serialize: (thrown: { readonly value?: unknown }) => {
      const { value } = thrown;
      if (!(value instanceof DownhillError)) return throwing.serialize(thrown);
      const { message, name } = value;
      return [{ isError: true, value: { message, name, stack: '' } }, []];
    },
  });
  expose(new Engine(page));
}

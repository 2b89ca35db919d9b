/**
 * The worker of every page: takes the part that its name asks for and lets the page call it. One entry for all, so that
 * the engine is one chunk that every page shares; a part is fetched only where it is asked for.
 */

import { expose, transferHandlers } from 'comlink';

const parts = {
  training: () => import('./shared/training/training.worker.ts'),
  playground: () => import('./playground/playground.worker.ts'),
  optimizers: () => import('./optimizers/optimizers.worker.ts'),
  lane: () => import('./race/lane.worker.ts'),
  kernels: () => import('./kernels/kernels.worker.ts'),
  steps: () => import('./kernels/steps.worker.ts'),
  'self-test': () => import('./self-test/self-test.worker.ts'),
} as const;

export type PartName = keyof typeof parts;
/** What each part lets its page call. */
export type Parts = { readonly [Name in PartName]: Awaited<ReturnType<(typeof parts)[Name]>>['default'] };

// Messages are for people; the stack of a worker would only hide them.
const throwing = transferHandlers.get('throw')!;
transferHandlers.set('throw', {
  ...throwing,
  serialize: (thrown: { readonly value?: unknown }) => {
    const { value } = thrown;
    // By its name: the parts that hold whole op records have a class of their own.
    if (!(value instanceof Error) || value.name !== 'DownhillError') return throwing.serialize(thrown);
    return [{ isError: true, value: { message: value.message, name: value.name, stack: '' } }, []];
  },
});

/** What the page asks before the part is here: a worker hears messages as soon as this script has run. */
const early: MessageEvent[] = [];
const keep = (event: MessageEvent): void => void early.push(event);
addEventListener('message', keep);

try {
  const part = await parts[self.name as PartName]();
  removeEventListener('message', keep);
  expose(part.default);
  for (const { data, ports } of early) dispatchEvent(new MessageEvent('message', { data, ports: [...ports] }));
} catch (error) {
  // So that the page hears of it, as of any error here.
  reportError(error);
}

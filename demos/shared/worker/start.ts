/** The page's end of a worker: starts it, hears when it dies, ends it. */

import { type Remote, wrap } from 'comlink';
import type { PartName, Parts } from '../../worker.ts';
import { notify } from '../shell.ts';

/** Why a job was cut off: somebody wanted it so. */
export class Stopped extends Error {}

export interface Started<Name extends PartName> {
  readonly remote: Remote<Parts[Name]>;
  /** Rejects when the worker cannot be loaded or an error ends it. */
  readonly died: Promise<never>;
  /** Ends it at once, whatever it does; its device goes with it. */
  end(): void;
}

/** A worker that runs the part of this name. */
export function startWorker<Name extends PartName>(name: Name): Started<Name> {
  const worker = new Worker(new URL('../../worker.ts', import.meta.url), { type: 'module', name });
  const died = new Promise<never>((_, reject) => {
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      reject(new Error(event.message || 'its worker could not be loaded'));
    });
  });
  died.catch(() => undefined);
  return { remote: wrap(worker) as unknown as Remote<Parts[Name]>, died, end: () => worker.terminate() };
}

/** A worker for as long as the page is open. @param onDeath hears when it is gone, after the page has said so. */
export function keepWorker<Name extends PartName>(name: Name, onDeath: () => void): Remote<Parts[Name]> {
  const { remote, died } = startWorker(name);
  died.catch(({ message }) => {
    notify(`The engine stopped: ${message}. Reload the page to go on where you were.`, {
      kind: 'error',
      key: 'engine',
      action: { label: 'Reload', run: () => location.reload() },
    });
    onDeath();
  });
  return remote;
}

/** `hear`, but deaf once the job is over: what a worker said before it was ended may still be on its way then. */
export type During = <Told extends unknown[]>(hear: (...told: Told) => void) => (...told: Told) => void;

/** Work in a worker of its own, one job at a time, that can be cut off. */
export class Job<Name extends PartName> {
  private cancel: (why: Stopped) => void = () => {};

  constructor(private readonly name: Name) {}

  /**
   * @param work gets what the worker can be asked, and `during`, through which everything goes that the worker may
   *   call.
   * @throws Stopped after `stop`; Error when the worker dies.
   */
  async run<T>(work: (remote: Remote<Parts[Name]>, during: During) => Promise<T>): Promise<T> {
    const { remote, died, end } = startWorker(this.name);
    let over = false;
    const during: During =
      (hear) =>
      (...told) => {
        if (!over) hear(...told);
      };
    const cut = new Promise<never>((_, reject) => {
      this.cancel = reject;
    });
    try {
      return await Promise.race([work(remote, during), died, cut]);
    } finally {
      over = true;
      end();
    }
  }

  stop(): void {
    this.cancel(new Stopped());
  }
}

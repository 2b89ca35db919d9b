/** The worker of the playground: opens the device and holds the trainer. The page speaks to it through comlink. */

import * as Comlink from 'comlink';
import { type Backend, getBackend, useBackend } from '../../src/index.ts';
import type { Built, Frame, Listener } from './protocol.ts';
import type { Settings } from './settings.ts';
import { Trainer } from './trainer.ts';

let choice: 'webgpu' | 'cpu' = 'webgpu';
let backend: Backend | undefined;
let trainer: Trainer | undefined;

/** Opens the backend of `choice` in the place of the last. */
async function open(): Promise<string> {
  const old = backend;
  backend = undefined;
  backend = await useBackend(choice);
  await old?.dispose().catch(() => undefined);
  return getBackend().description;
}

const engine = {
  /** @returns what everything runs on. @throws DownhillError `device`. */
  async open(which: 'webgpu' | 'cpu', frame: Listener['frame'], event: Listener['event']): Promise<string> {
    choice = which;
    const description = await open();
    trainer ??= new Trainer(
      { event, frame: (one: Frame) => frame(Comlink.transfer(one, [one.cells.buffer as ArrayBuffer])) },
      open,
    );
    return description;
  },
  apply: (settings: Settings): Promise<Built> => trainer!.apply(settings),
  reset: (): Promise<Built> => trainer!.reset(),
  resume: (): Built => trainer!.resume(),
  play: (): void => trainer!.play(),
  pause: (): void => trainer!.pause(),
  step: (): void => trainer!.step(),
};

export type Engine = typeof engine;

Comlink.expose(engine);

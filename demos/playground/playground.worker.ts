/** The playground in its worker: the device, the trainer, and what the page asks of them. */

import { transfer } from 'comlink';
import { Device } from '../shared/worker/device.ts';
import type { BackendName, Listener } from '../shared/worker/run-protocol.ts';
import type { Built, Frame } from './protocol.ts';
import type { Settings } from './settings.ts';
import { Trainer } from './trainer.ts';

const device = new Device();
let trainer: Trainer | undefined;

export default {
  /** @returns what everything runs on. @throws DownhillError `device`. */
  async open(
    which: BackendName,
    picture: Listener<Frame>['picture'],
    event: Listener<Frame>['event'],
  ): Promise<string> {
    const description = await device.open(which);
    const sent = (one: Frame) => picture(transfer(one, [one.cells.buffer as ArrayBuffer]));
    trainer ??= new Trainer({ event, picture: sent }, device);
    return description;
  },
  apply: (settings: Settings): Promise<Built> => trainer!.apply(settings),
  reset: (): Promise<Built> => trainer!.reset(),
  resume: (): Built => trainer!.resume(),
  play: (): void => trainer!.play(),
  pause: (): void => trainer!.pause(),
  step: (): void => trainer!.step(),
};

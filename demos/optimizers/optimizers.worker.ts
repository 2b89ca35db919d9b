/** The optimizer race in its worker. Two numbers do not fill a GPU: the CPU backend is the usual place, in f64. */

import { transfer } from 'comlink';
import { Device } from '../shared/worker/device.ts';
import type { BackendName, Listener } from '../shared/worker/run-protocol.ts';
import { relief } from './landscape.ts';
import type { News, Relief } from './protocol.ts';
import { RaceRunner } from './race.ts';
import type { OptimizerName, Race, SurfaceName } from './surfaces.ts';

const device = new Device('f64');
let runner: RaceRunner | undefined;

export default {
  /** Opens a backend, or moves the race to another, in the middle of it if need be. @returns what it is. */
  async open(which: BackendName, picture: Listener<News>['picture'], event: Listener<News>['event']): Promise<string> {
    if (runner !== undefined) return runner.move(which);
    const description = await device.open(which);
    runner = new RaceRunner({ picture, event }, device);
    return description;
  },
  async relief(surface: SurfaceName): Promise<Relief> {
    const found = await runner!.inTurn(() => relief(surface));
    return transfer(found, [found.heights.buffer, found.contours.buffer] as ArrayBuffer[]);
  },
  begin: (race: Race): Promise<News> => runner!.begin(race),
  setRate: (name: OptimizerName, rate: number): Promise<void> => runner!.setRate(name, rate),
  setOff: (names: readonly OptimizerName[]): void => runner!.setOff(names),
  setSpeed: (stepsPerSecond: number): void => runner!.setSpeed(stepsPerSecond),
  play: (): void => runner!.play(),
  pause: (): void => runner!.pause(),
  step: (): Promise<void> => runner!.step(),
};

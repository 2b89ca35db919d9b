/** The worker of the optimizer race. Two numbers do not fill a GPU: the CPU backend is the usual place, in f64. */

import * as Comlink from 'comlink';
import { type Backend, createCpuBackend, requestWebGPUBackend, setBackend } from '../../src/index.ts';
import { relief } from './landscape.ts';
import type { Listener, News, Relief } from './protocol.ts';
import { RaceRunner } from './race.ts';
import type { OptimizerName, Race, SurfaceName } from './surfaces.ts';

type Choice = 'cpu' | 'webgpu';

let runner: RaceRunner | undefined;
let choice: Choice = 'cpu';
let backend: Backend | undefined;

/** Opens the backend of `choice` and makes it the one that models move to. @returns what it is. */
async function open(): Promise<string> {
  backend = choice === 'cpu' ? createCpuBackend({ precision: 'f64' }) : await requestWebGPUBackend(navigator.gpu);
  setBackend(backend);
  return backend.description;
}

const engine = {
  async start(news: Listener['news'], event: Listener['event']): Promise<string> {
    const description = await open();
    runner = new RaceRunner({ news, event }, open);
    return description;
  },
  /** Moves the race, in the middle of it if need be. */
  async use(where: Choice): Promise<string> {
    return runner!.inTurn(async () => {
      const [before, old] = [choice, backend];
      choice = where;
      try {
        const description = await open();
        await runner!.move();
        await old?.dispose();
        return description;
      } catch (error) {
        choice = before;
        backend = old;
        setBackend(old);
        throw error;
      }
    });
  },
  async relief(surface: SurfaceName): Promise<Relief> {
    const found = await runner!.inTurn(() => relief(surface));
    return Comlink.transfer(found, [found.heights.buffer, found.contours.buffer] as ArrayBuffer[]);
  },
  begin: (race: Race): Promise<News> => runner!.begin(race),
  setRate: (name: OptimizerName, rate: number): Promise<void> => runner!.setRate(name, rate),
  setOff: (names: readonly OptimizerName[]): void => runner!.setOff(names),
  setSpeed: (stepsPerSecond: number): void => runner!.setSpeed(stepsPerSecond),
  play: (): void => runner!.play(),
  pause: (): void => runner!.pause(),
  step: (): Promise<void> => runner!.step(),
};

export type Engine = typeof engine;

Comlink.expose(engine);

/**
 * What Playground and Optimizer race have in common on the page: a run in a worker that plays, pauses and makes single
 * steps. Its state is one machine; the buttons follow from it.
 */

import { proxy } from 'comlink';
import { switchControls } from './controls.ts';
import { Machine, type Table } from './machine.ts';
import { element, notify, showDevice } from './shell.ts';
import type { BackendName, EngineEvent, Listener } from './worker/run-protocol.ts';

export type PlayState = 'opening' | 'paused' | 'playing' | 'failed' | 'dead';
export type PlayMove = 'opened' | 'begun' | 'play' | 'pause' | 'fail' | 'die';

/** A step is legal while it plays, and pauses it. After a failure a new run, or another device, helps. */
export const PLAY_TABLE: Table<PlayState, PlayMove> = {
  opening: { opened: 'paused', die: 'dead' },
  paused: { opened: 'paused', begun: 'paused', play: 'playing', pause: 'paused', fail: 'failed', die: 'dead' },
  playing: { opened: 'playing', begun: 'playing', pause: 'paused', fail: 'failed', die: 'dead' },
  failed: { opened: 'paused', begun: 'paused', fail: 'failed', die: 'dead' },
  dead: {},
};

/** Which buttons work, and what Play says. */
export function playControls(state: PlayState): Readonly<Record<'play' | 'step' | 'reset' | 'download', boolean>> & {
  readonly playText: 'Play' | 'Pause';
} {
  const on = state === 'paused' || state === 'playing';
  const there = on || state === 'failed';
  return { play: on, step: on, reset: there, download: there, playText: state === 'playing' ? 'Pause' : 'Play' };
}

/** What of the worker is asked here. */
interface PlayEngine<Picture> {
  open(kind: BackendName, picture: Listener<Picture>['picture'], event: Listener<Picture>['event']): Promise<string>;
  play(): Promise<void>;
  pause(): Promise<void>;
  step(): Promise<void>;
}

export interface PlayOptions<Picture> {
  readonly engine: PlayEngine<Picture>;
  /** What is counted: `update`. */
  readonly unit: string;
  /** Draws a picture; in a tab that nobody sees, not until it is seen. */
  draw(picture: Picture): void;
  readonly onCompile?: (built: number, total: number) => void;
  /** The run goes on from what was kept. */
  readonly onRecovered: () => void;
  readonly onDiverged?: () => void;
  readonly onEnded?: (at: number) => void;
  readonly onFailed: (message: string) => void;
}

export class PlayControls<Picture> {
  private readonly machine = new Machine<PlayState, PlayMove>(PLAY_TABLE, 'opening', () => this.show());

  constructor(private readonly options: PlayOptions<Picture>) {
    const { engine } = options;
    element('play').addEventListener('click', () => {
      this.machine.move(this.playing ? 'pause' : 'play');
      void (this.playing ? engine.play() : engine.pause());
    });
    element('step').addEventListener('click', () => {
      this.machine.move('pause');
      void engine.step();
    });
    this.show();
  }

  get playing(): boolean {
    return this.machine.state === 'playing';
  }

  /** True when there is a device, and a worker that answers. */
  get ready(): boolean {
    return playControls(this.machine.state).reset;
  }

  /** Opens a device, the first or another. @throws DownhillError `device`; the run stays where it is then. */
  async open(kind: BackendName): Promise<void> {
    showDevice(
      await this.options.engine.open(
        kind,
        proxy((picture) => this.draw(picture)),
        proxy((event) => this.hear(event)),
      ),
    );
    this.machine.try('opened');
  }

  /** A run is at its start. */
  begun(): void {
    this.machine.try('begun');
  }

  /** The worker is gone. */
  die(): void {
    this.machine.try('die');
  }

  private show(): void {
    const { playText, ...controls } = playControls(this.machine.state);
    switchControls(controls, ['reset']);
    element('play').textContent = playText;
  }

  private draw(picture: Picture): Promise<void> {
    return new Promise((resolve) => {
      requestAnimationFrame(() => {
        resolve();
        this.options.draw(picture);
      });
    });
  }

  private hear(event: EngineEvent): void {
    const { unit, onCompile, onRecovered, onDiverged, onEnded, onFailed } = this.options;
    switch (event.type) {
      case 'compile':
        onCompile?.(event.built, event.total);
        break;
      case 'lost':
        notify('The graphics device was lost; another one is being opened.', { kind: 'warning', key: 'device' });
        break;
      case 'recovered': {
        onRecovered();
        showDevice(event.device);
        const lost = `${event.again} ${unit}s were lost`;
        const text = `The graphics device was lost. A new one continues from ${unit} ${event.at}; ${lost}.`;
        notify(text, { kind: 'good', key: 'device' });
        break;
      }
      case 'diverged':
        this.machine.try('pause');
        onDiverged?.();
        break;
      case 'ended':
        this.machine.try('pause');
        onEnded?.(event.at);
        break;
      case 'failed':
        this.machine.try('fail');
        onFailed(event.message);
        break;
      default:
        event satisfies never;
    }
  }
}

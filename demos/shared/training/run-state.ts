/**
 * The states of a run on the Digits and Images pages: which moves are legal in each, what can be pressed, what is said.
 */

import type { Table } from '../machine.ts';
import { preparing } from '../webgpu-check.ts';
import type { BackendName } from '../worker/run-protocol.ts';

export type RunState =
  /** No device yet. */
  | 'opening'
  /** No data. */
  | 'empty'
  /** The first data come; there is nothing to go back to. */
  | 'loading'
  | 'ready'
  /** Other data come, or a saved run; if they cannot be used, those before stay. */
  | 'reloading'
  /** Train was pressed, no step is made. */
  | 'compiling'
  | 'training'
  | 'paused'
  /** The device is lost, another one is being opened. */
  | 'replacing'
  /** Stop was pressed, steps may still end. */
  | 'stopping'
  /** Nothing answers any more. */
  | 'dead';

export type RunMove =
  | 'opened'
  | 'load'
  | 'loaded'
  | 'refused'
  | 'train'
  /** The run is at its first step, or at the one that a new device continues from. */
  | 'begin'
  | 'step'
  | 'pause'
  | 'resume'
  | 'stop'
  | 'lost'
  | 'end'
  | 'die';

/** A run is live from `train` to `end`; none begins, and no data come, meanwhile. */
export const RUN_TABLE: Table<RunState, RunMove> = {
  opening: { opened: 'empty', die: 'dead' },
  empty: { load: 'loading', die: 'dead' },
  loading: { loaded: 'ready', refused: 'empty', die: 'dead' },
  ready: { load: 'reloading', train: 'compiling', die: 'dead' },
  reloading: { loaded: 'ready', refused: 'ready', die: 'dead' },
  compiling: {
    begin: 'compiling',
    step: 'training',
    pause: 'paused',
    stop: 'stopping',
    lost: 'replacing',
    end: 'ready',
    die: 'dead',
  },
  training: { step: 'training', pause: 'paused', stop: 'stopping', lost: 'replacing', end: 'ready', die: 'dead' },
  paused: {
    begin: 'paused',
    step: 'paused',
    resume: 'training',
    stop: 'stopping',
    lost: 'paused',
    end: 'ready',
    die: 'dead',
  },
  replacing: {
    begin: 'compiling',
    step: 'replacing',
    pause: 'paused',
    stop: 'stopping',
    lost: 'replacing',
    end: 'ready',
    die: 'dead',
  },
  stopping: { begin: 'stopping', step: 'stopping', stop: 'stopping', lost: 'stopping', end: 'ready', die: 'dead' },
  dead: {},
};

/** What, besides the state, decides what is possible and what is said. */
export interface RunFacts {
  /** Where it runs; undefined while no device is chosen. */
  readonly backend: BackendName | undefined;
  /** There is a network with weights: it can be saved. */
  readonly network: boolean;
  /** It takes the data that are loaded: it can be asked. */
  readonly fits: boolean;
  /** Kernels built, of how many, since the last step. */
  readonly compiled?: readonly [built: number, total: number];
  /** What the last thing that ended has left to say. */
  readonly words: string;
}

export const isLive = (state: RunState): boolean =>
  ['compiling', 'training', 'paused', 'replacing', 'stopping'].includes(state);

/**
 * What can be pressed: buttons by id, `source` for all that loads other data, `knobs` for the form without the rate.
 */
export function runControls(state: RunState, { backend, network, fits }: RunFacts) {
  const live = isLive(state);
  const answers = network && fits && (state === 'ready' || live);
  return {
    train: state === 'ready',
    pause: live && state !== 'stopping',
    // Stays on while it stops, so that the focus has a place; another press changes nothing.
    stop: live,
    save: network && (state === 'ready' || live),
    load: state === 'ready',
    // The CPU has no kernels to be timed, and no device that could be lost.
    profile: answers && backend === 'webgpu' && state !== 'replacing',
    lose: live && backend === 'webgpu' && state !== 'replacing' && state !== 'stopping',
    source: state === 'empty' || state === 'ready',
    knobs: state === 'ready',
    rate: state === 'ready' || (live && state !== 'stopping'),
  } as const;
}

/** The status line next to the buttons. */
export function runWords(state: RunState, { backend, compiled, words }: RunFacts): string {
  const compiling = compiled === undefined ? undefined : `${compiled[0]} of ${compiled[1]} kernels`;
  switch (state) {
    case 'compiling':
      return preparing(compiled?.[0], compiled?.[1], backend ?? 'webgpu');
    case 'training': {
      // The held-out images and a smaller last batch have kernels of their own, which come later.
      const more = compiled !== undefined && compiled[0] < compiled[1] && backend !== 'cpu';
      return more ? `Training; compiling ${compiling}.` : `${words} Training.`.trim();
    }
    case 'paused':
      return 'Paused. The network still answers.';
    case 'replacing':
      return 'The device was lost; opening a new one …';
    case 'stopping':
      return 'Stopping …';
    default:
      return words;
  }
}

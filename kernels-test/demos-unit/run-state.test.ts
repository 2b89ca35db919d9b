/**
 * The machines of the demos' runs: which moves are legal, and that every control and every word follows from the state.
 */

import { describe, expect, test } from 'vitest';
import { Machine, type Table } from '../../demos/shared/machine.ts';
import { PLAY_TABLE, playControls } from '../../demos/shared/play-controls.ts';
import {
  isLive,
  RUN_TABLE,
  type RunFacts,
  type RunMove,
  type RunState,
  runControls,
  runWords,
} from '../../demos/shared/training/run-state.ts';

const STATES = Object.keys(RUN_TABLE) as RunState[];
const FACTS: RunFacts = { backend: 'webgpu', network: true, fits: true, words: 'Said before.' };

/** The state after these moves, each of which must be legal. */
function stateAfter(...moves: RunMove[]): RunState {
  const machine = new Machine<RunState, RunMove>(RUN_TABLE, 'opening');
  for (const move of moves) machine.move(move);
  return machine.state;
}

const TO_READY: RunMove[] = ['opened', 'load', 'loaded'];
const TO_TRAINING: RunMove[] = [...TO_READY, 'train', 'begin', 'step'];

describe('Machine', () => {
  const table: Table<'a' | 'b', 'go' | 'stay'> = { a: { go: 'b' }, b: { stay: 'b' } };

  test('makes legal moves, tells of each, and refuses the others by name', () => {
    const heard: string[] = [];
    const machine = new Machine<'a' | 'b', 'go' | 'stay'>(table, 'a', (move, before) =>
      heard.push(`${before} ${move}`),
    );
    expect(machine.can('stay')).toBe(false);
    expect(machine.try('stay')).toBe(false);
    expect(machine.state).toBe('a');
    expect(() => machine.move('stay')).toThrow('"stay" is not a move of the state "a"');
    machine.move('go');
    expect(machine.try('stay')).toBe(true);
    expect(machine.state).toBe('b');
    expect(heard).toEqual(['a go', 'b stay']);
  });
});

describe('states of a run', () => {
  test('the usual way, with a pause, a lost device and a stop', () => {
    expect(stateAfter(...TO_READY)).toBe('ready');
    expect(stateAfter(...TO_READY, 'train')).toBe('compiling');
    expect(stateAfter(...TO_TRAINING)).toBe('training');
    expect(stateAfter(...TO_TRAINING, 'pause')).toBe('paused');
    expect(stateAfter(...TO_TRAINING, 'pause', 'step', 'resume')).toBe('training');
    expect(stateAfter(...TO_TRAINING, 'lost')).toBe('replacing');
    expect(stateAfter(...TO_TRAINING, 'lost', 'begin')).toBe('compiling');
    expect(stateAfter(...TO_TRAINING, 'pause', 'lost', 'begin')).toBe('paused');
    expect(stateAfter(...TO_TRAINING, 'stop', 'step', 'stop')).toBe('stopping');
    expect(stateAfter(...TO_TRAINING, 'stop', 'end')).toBe('ready');
  });

  test('data that cannot be used leave what was there: nothing, or the data before', () => {
    expect(stateAfter('opened', 'load', 'refused')).toBe('empty');
    expect(stateAfter(...TO_READY, 'load', 'refused')).toBe('ready');
  });

  test('while a run is live no other begins, and no data or saved run come', () => {
    const live = STATES.filter(isLive);
    expect(live).toEqual(['compiling', 'training', 'paused', 'replacing', 'stopping']);
    for (const state of live) {
      for (const move of ['train', 'load', 'loaded', 'refused'] as const) {
        expect(new Machine<RunState, RunMove>(RUN_TABLE, state).can(move), `${move} in ${state}`).toBe(false);
      }
    }
  });

  test('a live run can always be stopped and can end in every state of it; whatever lives can die', () => {
    for (const state of STATES) {
      const machine = () => new Machine<RunState, RunMove>(RUN_TABLE, state);
      expect(machine().can('stop'), state).toBe(isLive(state));
      expect(machine().can('end'), state).toBe(isLive(state));
      expect(machine().can('die'), state).toBe(state !== 'dead');
    }
  });

  test('every state is reached from the first', () => {
    const reached = new Set<RunState>(['opening']);
    for (const state of reached) for (const next of Object.values(RUN_TABLE[state])) reached.add(next);
    expect([...reached].sort()).toEqual([...STATES].sort());
  });
});

describe('what can be pressed', () => {
  test.each(STATES)('%s: a control works just where its move is legal', (state) => {
    const machine = new Machine<RunState, RunMove>(RUN_TABLE, state);
    const controls = runControls(state, FACTS);
    expect(controls.train).toBe(machine.can('train'));
    expect(controls.stop).toBe(machine.can('stop'));
    expect(controls.pause).toBe(machine.can('pause') || machine.can('resume'));
    expect(controls.source).toBe(machine.can('load'));
    // A saved run is trained on at once, so it needs what Train needs.
    expect(controls.load).toBe(machine.can('train'));
    expect(controls.rate && !controls.knobs).toBe(isLive(state) && state !== 'stopping');
  });

  test('without a network nothing is saved or measured; one of other data is saved only', () => {
    const none = runControls('ready', { ...FACTS, network: false, fits: false });
    expect([none.save, none.profile]).toEqual([false, false]);
    const other = runControls('ready', { ...FACTS, fits: false });
    expect([other.save, other.profile]).toEqual([true, false]);
    expect(runControls('reloading', FACTS).save).toBe(false);
  });

  test('on the CPU there is no device to destroy, and there are no kernels to time', () => {
    const { lose, profile } = runControls('training', FACTS);
    expect([lose, profile]).toEqual([true, true]);
    const cpu = runControls('training', { ...FACTS, backend: 'cpu' });
    expect([cpu.lose, cpu.profile]).toEqual([false, false]);
  });
});

describe('what is said', () => {
  const say = (state: RunState, facts: Partial<RunFacts> = {}) => runWords(state, { ...FACTS, ...facts });

  test('compiling is said until the first step, and not after it', () => {
    expect(say('compiling')).toBe('Compiling …');
    expect(say('compiling', { compiled: [3, 15] })).toBe('Compiling: 3 of 15 kernels');
    expect(say('training', { compiled: [15, 15], words: '7 parameters.' })).toBe('7 parameters. Training.');
    expect(say('training', { words: '7 parameters.' })).toBe('7 parameters. Training.');
  });

  test('kernels of the validation, built in the middle of a run, are said while they are being built', () => {
    expect(say('training', { compiled: [1, 4] })).toBe('Training; compiling 1 of 4 kernels.');
    expect(say('paused', { compiled: [4, 4] })).toBe('Paused. The network still answers.');
  });

  test('the CPU compiles no kernels', () => {
    for (const state of STATES) {
      expect(say(state, { backend: 'cpu', compiled: [1, 4] }), state).not.toMatch(/[Cc]ompil|kernel/);
    }
  });
});

describe('Playground and Optimizer race', () => {
  test('Play says what it does, and works while there is a run', () => {
    expect(playControls('paused')).toEqual({ play: true, step: true, reset: true, download: true, playText: 'Play' });
    expect(playControls('playing').playText).toBe('Pause');
    expect(playControls('opening').play || playControls('dead').reset).toBe(false);
  });

  test('after a failure a run that begins anew makes it work again', () => {
    const { play, reset } = playControls('failed');
    expect([play, reset]).toEqual([false, true]);
    expect(PLAY_TABLE.failed.begun).toBe('paused');
    expect(PLAY_TABLE.failed.opened).toBe('paused');
  });
});

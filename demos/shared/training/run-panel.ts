/** The buttons of a run and the status line next to them: both follow from the state alone. */

import { switchControls } from '../controls.ts';
import { element, messageOf, notify } from '../shell.ts';
import type { RunForm } from './run-form.ts';
import { isLive, type RunFacts, type RunState, runControls, runWords } from './run-state.ts';

/** What the buttons do. */
export interface RunActions {
  train(): unknown;
  pause(): unknown;
  stop(): unknown;
  save(): unknown;
  load(file: File): unknown;
  profile(): unknown;
  lose(): unknown;
}

type Switchable = HTMLInputElement | HTMLButtonElement;

export class RunPanel {
  constructor(
    private readonly form: RunForm,
    actions: RunActions,
  ) {
    for (const id of ['train', 'pause', 'stop', 'save', 'profile', 'lose'] as const) {
      element(id).addEventListener('click', () => perform(id, () => actions[id]()));
    }
    const load = element<HTMLInputElement>('load');
    load.addEventListener('change', () => {
      const [file] = load.files ?? [];
      // Choosing the same file again must count as a change.
      load.value = '';
      if (file !== undefined) perform('load', () => actions.load(file));
    });
  }

  show(state: RunState, facts: RunFacts): void {
    const text = runWords(state, facts);
    if (element('state').textContent !== text) element('state').textContent = text;
    element('pause').textContent = state === 'paused' ? 'Resume' : 'Pause';
    const { source, knobs, rate, ...buttons } = runControls(state, facts);
    const kinds = { source, knobs, rate };
    switchControls(
      new Map<string | Switchable, boolean>([
        ...Object.entries(buttons),
        ...this.form.controls.map(({ control, kind }) => [control, kinds[kind]] as const),
        ...[...element<HTMLFormElement>('address').elements].map((one) => [one as Switchable, source] as const),
        ['files', source],
      ]),
      isLive(state) ? ['pause', 'stop'] : ['train'],
    );
  }
}

/** Does what a button is for; what goes wrong is said. */
function perform(id: string, action: () => unknown): void {
  void (async () => action())().catch((error) => notify(messageOf(error), { kind: 'error', key: id }));
}

/**
 * Switches controls on and off without losing the keyboard focus: a control that has it and is switched off passes it
 * to the next one that can be used. If there is none yet, the first that can be used later gets it.
 */

import { element } from './shell.ts';

type Control = HTMLElement & { disabled: boolean };

/** A control that had the focus when everything was switched off. */
let waiting: HTMLElement | undefined;

/**
 * @param on what of each control's id, or of the control.
 * @param next who gets the focus of a control that goes off, best first.
 */
export function switchControls(
  on: ReadonlyMap<string | Control, boolean> | Readonly<Record<string, boolean>>,
  next: readonly string[],
): void {
  const focused = document.activeElement;
  const entries = on instanceof Map ? [...on] : Object.entries(on);
  for (const [control, isOn] of entries) {
    const found = typeof control === 'string' ? element<Control>(control) : (control as Control);
    if (!isOn && found === focused) waiting = found;
    if (found.disabled === isOn) found.disabled = !isOn;
  }
  if (waiting === undefined) return;
  // Somebody went on to another place meanwhile.
  const isFree = document.activeElement === null || document.activeElement === document.body;
  if (!isFree && document.activeElement !== waiting) waiting = undefined;
  if (waiting === undefined) return;
  const candidates = [waiting, ...next.map((id) => element(id))] as Control[];
  const heir = candidates.find((control) => !control.disabled);
  if (heir === undefined) return;
  waiting = undefined;
  heir.focus({ preventScroll: true });
}

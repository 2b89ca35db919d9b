/**
 * A number field that always has a valid value: input that is not a number, or out of range, gives a message that says
 * what would fit, and the last valid value stays.
 */

import { notify } from './shell.ts';

export interface NumberLimits {
  readonly min: number;
  readonly max: number;
  readonly whole?: boolean;
}

export class NumberField {
  private current: number;

  /** @param name what messages call it. @param onChange hears valid values that differ from the last. */
  constructor(
    readonly input: HTMLInputElement,
    private readonly name: string,
    private readonly limits: NumberLimits,
    value: number,
    onChange: (value: number) => void,
  ) {
    this.current = value;
    this.input.value = String(value);
    input.addEventListener('change', () => {
      const found = this.read();
      if (found !== undefined && found !== this.current) {
        this.current = found;
        onChange(found);
      }
      input.value = String(this.current);
    });
  }

  get value(): number {
    return this.current;
  }

  /** Sets a value that is known to be valid; `onChange` is not called. */
  set value(value: number) {
    this.current = value;
    this.input.value = String(value);
  }

  private read(): number | undefined {
    const { min, max, whole = false } = this.limits;
    const text = this.input.value.trim();
    const value = text === '' ? Number.NaN : Number(text);
    if (value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
    const found = this.input.validity.badInput ? 'something else' : text === '' ? 'nothing' : `"${text}"`;
    const kind = whole ? 'a whole number' : 'a number';
    notify(`${this.name} takes ${kind} from ${min} to ${max}, and found ${found}. It stays at ${this.current}.`, {
      kind: 'warning',
      key: `field-${this.input.id}`,
    });
    return undefined;
  }
}

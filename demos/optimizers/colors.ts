/** Colours of the race: a ramp of heights, and one colour for each optimizer, in the theme as it is now. */

import { themeChannels, themeColor } from '../shared/shell.ts';
import { NAMES, type OptimizerName } from './surfaces.ts';

export interface Palette {
  /** 256 colours as little-endian RGBA words, from the lowest height to the highest. */
  readonly ramp: Uint32Array;
  readonly contour: string;
  readonly ink: string;
  readonly ground: string;
  readonly racers: Readonly<Record<OptimizerName, string>>;
}

/** Name of a racer's colour among those of the theme. */
export const seriesOf = (name: OptimizerName): string => `series-${NAMES.indexOf(name) + 1}`;

export function palette(): Palette {
  const [low, high] = ['sunken', 'panel'].map(themeChannels);
  const accent = themeChannels('accent');
  // Valleys take a little of the accent, so that they are seen in both themes.
  const valley = low.map((one, k) => one + (accent[k] - one) * 0.3);
  const ramp = Uint32Array.from({ length: 256 }, (_, k) => {
    const [r, g, b] = valley.map((one, c) => Math.round(one + ((high[c] - one) * k) / 255));
    return 0xff000000 | (b << 16) | (g << 8) | r;
  });
  return {
    ramp,
    contour: themeColor('line'),
    ink: themeColor('ink'),
    ground: themeColor('panel'),
    racers: Object.fromEntries(NAMES.map((name) => [name, themeColor(seriesOf(name))])) as Palette['racers'],
  };
}

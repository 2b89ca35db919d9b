/**
 * Small pieces of text that several rooms print: attribute lists, byte counts; a hash to name them by.
 */

/**
 * JSON of plain data in which NaN, infinities and -0 keep their identity, so that equal text means equal attributes.
 */
export function attributesKey(attributes: unknown): string {
  return JSON.stringify(attributes, (_, value) => {
    if (typeof value !== 'number') return value;
    return Number.isFinite(value) && !Object.is(value, -0) ? value : `number:${Object.is(value, -0) ? '-0' : value}`;
  });
}

/** `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${units[unit]}`;
}

/** 32-bit FNV-1a of the text's UTF-16 units. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let k = 0; k < text.length; k++) hash = Math.imul(hash ^ text.charCodeAt(k), 0x01000193);
  return hash >>> 0;
}

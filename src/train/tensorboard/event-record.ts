/**
 * TFRecord framing: how events are stored in a file, one after another. A record is its length (u64), a masked CRC-32C
 * of the length, the bytes, and a masked CRC-32C of the bytes, all little end first.
 * Source: tensorflow/core/lib/io/record_writer.h (format), RFC 3720 B.4 (CRC-32C).
 */

const HEADER_BYTES = 12;
const FOOTER_BYTES = 4;
/** CRCs of data that holds CRCs are a weak check; the mask keeps them apart. */
const MASK_DELTA = 0xa282ead8;

/** `bytes` as one record. */
export function eventRecord(bytes: Uint8Array): Uint8Array {
  const record = new Uint8Array(HEADER_BYTES + bytes.length + FOOTER_BYTES);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(bytes.length), true);
  view.setUint32(8, maskedCrc(record.subarray(0, 8)), true);
  record.set(bytes, HEADER_BYTES);
  view.setUint32(HEADER_BYTES + bytes.length, maskedCrc(bytes), true);
  return record;
}

function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}

/** Castagnoli's polynomial, bits reversed. */
const POLYNOMIAL = 0x82f63b78;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  return crc;
});

/** CRC-32C, unmasked. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

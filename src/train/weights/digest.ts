/**
 * A fingerprint of a loss curve: 64-bit FNV-1a over the little-endian bytes of the f32 losses, as 16 hex digits. Two
 * runs with the same digest took the same steps to the bit.
 * Source: Fowler, Noll, Vo, "The FNV Non-Cryptographic Hash Algorithm" (IETF draft-eastlake-fnv).
 */

const OFFSET_BASIS = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;

/** 16 hex digits of the bits of `losses`. */
export function lossDigest(losses: Float32Array): string {
  let hash = OFFSET_BASIS;
  const view = new DataView(new ArrayBuffer(4));
  for (const loss of losses) {
    view.setFloat32(0, loss, true);
    for (let k = 0; k < 4; k++) hash = BigInt.asUintN(64, (hash ^ BigInt(view.getUint8(k))) * PRIME);
  }
  return hash.toString(16).padStart(16, '0');
}

// The draw of a room, as in domain/draw.py: see docs/waiting-room.md. Only pages by HTTPS or from this
// machine have `crypto.subtle`.

const ROUNDS = 90;
const SEED_BYTES = 32;

/** Return the place of an arrival, from 0. `drawn` arrived before the draw. */
export async function placeOf(number, drawn, seedHex) {
  if (number >= drawn) return number;
  const seed = bytesOf(seedHex);
  const pivots = await Promise.all(
    Array.from({ length: ROUNDS }, async (_, round) => {
      const hash = await sha256(Uint8Array.of(...seed, round));
      return Number(hash.getBigUint64(0, true) % BigInt(drawn));
    }),
  );
  const hashed = new DataView(new ArrayBuffer(SEED_BYTES + 5));
  seed.forEach((byte, at) => hashed.setUint8(at, byte));
  let place = number;
  for (const [round, pivot] of pivots.entries()) {
    // No bitwise operators on these numbers, which may have more than 32 bits.
    const other = (pivot - place + drawn) % drawn;
    const position = Math.max(place, other);
    hashed.setUint8(SEED_BYTES, round);
    hashed.setUint32(SEED_BYTES + 1, Math.floor(position / 256), true);
    const bits = await sha256(hashed);
    const byte = bits.getUint8(Math.floor((position % 256) / 8));
    if ((byte >> (position % 8)) & 1) place = other;
  }
  return place;
}

/** Return the SHA-256 of the seed's bytes, which was published before the draw. Both in hex. */
export async function commitment(seedHex) {
  const hash = await sha256(bytesOf(seedHex));
  const bytes = new Uint8Array(hash.buffer);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Compute a place anew. `isSame`: its seed is the promised one. */
export async function check({ seed, drawn }, { arrival, commitment: seen }) {
  const place = await placeOf(arrival, drawn, seed);
  return { isSame: (await commitment(seed)) === seen, arrival, drawn, place };
}

async function sha256(data) {
  return new DataView(await crypto.subtle.digest('SHA-256', data));
}

function bytesOf(seedHex) {
  if (!/^[0-9a-f]{64}$/i.test(seedHex)) throw new RangeError('a seed has 64 hexadecimal digits');
  return Uint8Array.from(seedHex.match(/../g), (pair) => parseInt(pair, 16));
}

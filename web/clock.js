// The shop's time. The visitor's clock may be wrong by hours, so it is used for intervals only.

let offset = null;

/** Take the time of an answer that has just come (ISO). */
export function setClock(iso) {
  const time = Date.parse(iso);
  if (!Number.isNaN(time)) offset = time - performance.now();
}

/** Return the shop's time in milliseconds since 1970, or null before its first answer. */
export function now() {
  return offset === null ? null : performance.now() + offset;
}

/** Return the milliseconds until a time of the shop (ISO), 0 if it has passed; null if unknown. */
export function until(iso) {
  if (!iso || offset === null) return null;
  return Math.max(0, Date.parse(iso) - now());
}

/** Return a duration as "1:02:03" or "02:03"; seconds are rounded up. */
export function asClock(milliseconds) {
  const seconds = Math.ceil(milliseconds / 1000);
  const two = (number) => String(number).padStart(2, '0');
  const parts = [two(Math.floor(seconds / 60) % 60), two(seconds % 60)];
  const hours = Math.floor(seconds / 3600);
  return (hours ? [hours, ...parts] : parts).join(':');
}

// The shop's time. The visitor's clock may be wrong by hours, so it measures intervals only.

let offset = null;

/** Take the time of an answer that has just come (ISO). */
export function setClock(iso) {
  if (iso) offset = Date.parse(iso) - performance.now();
}

/** Return the shop's time in ms since 1970; null before its first answer. */
export const now = () => (offset === null ? null : performance.now() + offset);

/** Return the milliseconds until a time of the shop (ISO), 0 if it has passed; null if unknown. */
export function until(iso) {
  return iso && offset !== null ? Math.max(0, Date.parse(iso) - now()) : null;
}

/** Return a duration as "1:02:03" or "02:03", rounded up. */
export function asClock(milliseconds) {
  const seconds = Math.ceil(milliseconds / 1000);
  const hours = Math.floor(seconds / 3600);
  const rest = [Math.floor(seconds / 60) % 60, seconds % 60];
  const two = rest.map((number) => String(number).padStart(2, '0')).join(':');
  return hours ? `${hours}:${two}` : two;
}

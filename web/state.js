// What the page shows: one state, computed from what the shop has said and what this browser
// remembers. Nothing else decides it.

import { now, until } from './clock.js';

const OF_ORDER = {
  PENDING: 'pending',
  RESERVED: 'reserved',
  CONFIRMED: 'paid',
  EXPIRED: 'expired',
  CANCELLED: 'cancelled',
};
// The same as in domain/room_estimates.py.
const SETTLING = 15;
const OFF = 0.3;
const CROWD = 3;

/** Return the room of the sale, or undefined. */
export const roomOf = (known) => known.sale?.room ?? undefined;

/** Return whether the buyer holds a ticket of the present room. */
export function hasTicket({ mine, sale }) {
  return Boolean(mine?.ticket) && (!sale?.room || mine.epoch === sale.room.epoch);
}

/** Return whether the buyer is inside the room now. */
export function isInside(known) {
  return Boolean(known.mine?.admission) && hasTicket(known) && until(known.mine.until) !== 0;
}

/** Return how many are called before the buyer; null if nobody can know it yet. */
export function aheadOf(known) {
  const room = roomOf(known);
  return known.place == null || !room ? null : Math.max(0, known.place - room.serving);
}

/** Return the fewest and the most seconds until so many are called, or null. */
export function waitOf(room, ahead) {
  const seconds = Math.min(60, (Date.parse(room.now) - Date.parse(room.opensAt)) / 1000);
  if (!room.callsLastMinute || seconds < SETTLING) return null;
  const wait = (ahead * seconds) / room.callsLastMinute;
  return [Math.floor(wait * (1 - OFF)), Math.ceil(wait * (1 + OFF))];
}

/** Return whether units will be left: "likely", "uncertain" or "unlikely". */
export function chanceOf(room, ahead) {
  const before = ahead + room.inside;
  if (before < room.stock) return 'likely';
  return before < CROWD * (room.stock + room.held) ? 'uncertain' : 'unlikely';
}

/** Return the state, one of the names in words.js. */
export function stateOf(known) {
  const { mine, order, sale } = known;
  if (mine?.order) return OF_ORDER[order?.status] ?? (known.orderMissing ? 'unknown' : 'pending');
  if (mine?.key) return 'pending';
  if (known.missing) return 'missing';
  if (!sale || now() === null) return 'loading';
  return sale.room ? inRoom(known, sale.room) : withoutRoom(sale.stock);
}

function inRoom(known, room) {
  if (['closed', 'prequeue', 'ended'].includes(room.state)) return room.state;
  if (isInside(known)) return room.stock ? 'turn' : 'sold_out';
  if (room.state !== 'open') return room.state;
  if (!hasTicket(known)) return 'waiting';
  if (known.mine.lapsed) return 'lapsed';
  return aheadOf(known) === 0 ? 'called' : 'waiting';
}

function withoutRoom(stock) {
  if (stock.state !== 'open') return stock.state;
  if (until(stock.opensAt)) return 'closed';
  return stock.stock ? 'turn' : 'sold_out';
}

// What the page shows: one state, of what the shop says and this browser remembers.

import { now, until } from './clock.js';

// As in domain/room_estimates.py.
const SETTLING = 15;
const OFF = 0.3;
const CROWD = 3;

export function hasTicket({ mine, sale }) {
  return Boolean(mine?.ticket) && (!sale?.room || mine.epoch === sale.room.epoch);
}

export function isInside(known) {
  return hasTicket(known) && Boolean(known.mine.admission) && until(known.mine.until) !== 0;
}

/** Return how many are called before the buyer, or null. */
export function aheadOf({ place, sale }) {
  return place == null || !sale?.room ? null : Math.max(0, place - sale.room.serving);
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

export function stateOf(known) {
  const { mine, order, sale } = known;
  if (mine?.order && order) return order.status === 'CONFIRMED' ? 'paid' : order.status.toLowerCase();
  if (mine?.order) return known.orderMissing ? 'unknown' : 'loading';
  if (mine?.key) return 'pending';
  if (known.missing) return 'missing';
  if (now() === null || !(sale?.room || sale?.stock)) return 'loading';
  return sale.room ? inRoom(known, sale.room) : withoutRoom(sale.stock);
}

function inRoom(known, room) {
  if (['closed', 'prequeue', 'ended'].includes(room.state)) return room.state;
  if (isInside(known)) return room.stock ? 'turn' : 'sold_out';
  if (room.state !== 'open') return room.state;
  if (!hasTicket(known)) return 'waiting';
  if (known.mine.lapsed) return 'lapsed';
  return known.place != null && known.place < room.serving ? 'called' : 'waiting';
}

function withoutRoom(stock) {
  if (stock.state !== 'open') return stock.state;
  if (until(stock.opensAt)) return 'closed';
  return stock.stock ? 'turn' : 'sold_out';
}

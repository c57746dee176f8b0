// All words of the page. In WORDS, `figure` is the large number, and `ends` (ISO) to what it counts
// down.

import { aheadOf, chanceOf, hasTicket, isInside, waitOf } from './state.js';

export const BUTTONS = {
  join: 'Join the queue',
  leave: 'Leave the queue',
  buy: 'Buy',
  pay: 'Pay now',
  cancel: 'Cancel the order',
  again: 'Join again',
  more: 'Buy another one',
  retry: 'Try again',
};

export const LIVE = {
  stream: 'Live',
  poll: 'Checked every few seconds',
  away: 'The shop does not answer. This page tries again.',
  redis: 'What you see may be old. Your place is safe.',
  postgresql: 'Orders are written later now. Yours is safe.',
};

// What the page says after an action that did not work, by the code of the answer.
export const SAID = {
  unauthorized: 'Sign in again to go on.',
  unavailable: 'The shop has trouble. The page tries again.',
  no_answer: 'No answer came. Try again.',
  forgotten: 'A purchase had no answer for a day. Ask the shop.',
  not_set: 'This shop has not set that.',
};

const CHANCES = {
  likely: 'More units than people before you',
  uncertain: 'Uncertain',
  unlikely: 'Small: three people for each unit',
};

export const number = (of) => new Intl.NumberFormat('en').format(of);

export function money({ price, amount = price, currency } = {}) {
  const style = currency ? { style: 'currency', currency } : { minimumFractionDigits: 2 };
  return amount == null ? '' : new Intl.NumberFormat('en', style).format(amount);
}

function duration(seconds) {
  if (seconds < 90) return `${Math.max(5, 5 * Math.round(seconds / 5))} seconds`;
  return `${Math.round(seconds / 60)} minutes`;
}

function outlook(known) {
  const ahead = aheadOf(known);
  if (ahead === null) return [];
  const wait = waitOf(known.sale.room, ahead)?.map(duration);
  return [
    ['Wait', wait ? `About ${[...new Set(wait)].join(' to ')}` : 'Not known at the moment', 'wait'],
    ['Chance', CHANCES[chanceOf(known.sale.room, ahead)], 'chance'],
    ['Place', number(known.place + 1), 'place'],
  ];
}

const joins = (known) => (known.sale.room && !hasTicket(known) ? ['join'] : []);
const order = (known) => [
  ['Order', known.mine.order, 'order'],
  ['Amount', money({ ...known.info, ...known.order }), 'amount'],
];

export const WORDS = {
  loading: () => ({ title: 'One moment' }),

  missing: () => ({
    title: 'There is no sale here',
    caption: 'If one begins here, this page shows it.',
  }),

  closed: ({ sale: { room, stock } }) => ({
    title: room ? 'The queue opens in' : 'The sale begins in',
    ends: room ? room.from : stock.opensAt,
    caption: 'This page goes on by itself.',
  }),

  prequeue: (known) => ({
    title: hasTicket(known) ? 'You are in. The sale begins in' : 'The sale begins in',
    ends: known.sale.room.opensAt,
    caption: hasTicket(known)
      ? 'You may close the page until then.'
      : known.sale.room.mode === 'fifo'
        ? 'Who joins first is called first.'
        : 'Places are drawn then, with equal chances.',
    facts: [['People in the queue', number(known.sale.room.issued), 'issued']],
    actions: joins(known),
  }),

  waiting: (known) =>
    hasTicket(known)
      ? {
          title: 'People before you',
          figure: aheadOf(known) === null ? '…' : number(aheadOf(known)),
          caption: 'You will be called here, and have five minutes to come.',
          facts: outlook(known),
        }
      : {
          title: 'People in the queue',
          figure: number(known.sale.room.waiting),
          caption: 'Who joins now is called after them.',
          actions: joins(known),
        },

  called: () => ({
    title: 'It is your turn',
    figure: 'Now',
    caption: 'You are let in as soon as somebody leaves.',
  }),

  turn: (known) =>
    isInside(known)
      ? {
          title: 'Your turn. You can buy for',
          ends: known.mine.until,
          caption: 'Only people who were called can buy now.',
          actions: ['buy', 'leave'],
        }
      : {
          title: 'The sale is open',
          figure: money(known.info) || 'Now',
          caption: 'Who presses the button first gets a unit.',
          actions: ['buy'],
        },

  pending: (known) => ({
    title: known.mine?.order ? 'Your unit is taken' : 'Your order is on its way',
    figure: '1',
    caption: known.mine?.order
      ? 'Your order is being written.'
      : 'If no answer comes, this page asks again. You cannot buy twice.',
    facts: known.mine?.order ? order(known) : [],
  }),

  reserved: (known) => ({
    title: 'It is yours if you pay within',
    ends: known.order.expiresAt,
    caption: 'Your unit is held until then. This page shows your payment.',
    facts: order(known),
    actions: ['pay', 'cancel'],
  }),

  paid: (known) => ({
    title: 'It is yours',
    figure: 'Paid',
    caption: 'This is your receipt. You find it at this address again.',
    facts: order(known),
    actions: ['more'],
  }),

  sold_out: (known) => ({
    title: 'All units are taken',
    figure: '0',
    caption: `${number((known.sale.room ?? known.sale.stock).held)} held until paid. What is not paid comes back here.`,
    facts: isInside(known) ? [] : outlook(known),
    actions: joins(known),
  }),

  expired: (known) => ({
    ...WORDS.cancelled(known),
    title: 'The time to pay is over',
    figure: '00:00',
    caption: 'Your unit is on sale again. A payment that comes now is refunded.',
  }),

  cancelled: (known) => ({
    title: 'The order is cancelled',
    figure: 'Off',
    caption: `${known.order.reason ?? ''} You owe nothing. What was paid is refunded.`,
    facts: order(known),
    actions: [known.sale?.room ? 'again' : 'retry'],
  }),

  lapsed: () => ({
    title: 'Your turn is over',
    figure: 'Over',
    caption: 'Its time has passed, or you bought on another device.',
    actions: ['again'],
  }),

  paused: (known) => ({
    title: 'The sale is paused',
    figure: '–',
    caption: 'All places are kept. This page goes on by itself.',
    actions: joins(known),
  }),

  ended: () => ({
    title: 'The sale is over',
    figure: 'Over',
    caption: 'Orders are kept.',
  }),

  unknown: (known) => ({
    title: 'The shop does not know this order',
    figure: '?',
    caption: 'It is another buyer’s, or was lost before it was written.',
    facts: [['Order', known.mine.order, 'order']],
    actions: ['retry'],
  }),
};

export const checked = ({ isSame, arrival, drawn, place }) => [
  isSame
    ? 'The fingerprint is the one that you saw when you joined.'
    : 'The fingerprint is NOT the one that you saw when you joined.',
  `You joined as number ${number(arrival + 1)} of ${number(drawn)}. It makes your place ${number(place + 1)}.`,
];

// Where the units are, by the fields of the stock.
export const PARTS = {
  stock: 'for sale',
  unsettled: 'being ordered',
  held: 'held until paid',
  settled: 'sold',
};

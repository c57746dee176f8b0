// All words of the page. `WORDS[state](known)` describes what one state shows:
// `title`; `figure`, the large number; `caption` below it; `facts`, pairs of a name and a text;
// `actions`, names of buttons in BUTTONS; `ends`, when the countdown in `figure` ends (ISO); `from`,
// when it began, for the bar below; `call`, what is said at once to a screen reader.

import { aheadOf, chanceOf, hasTicket, isInside, roomOf, waitOf } from './state.js';

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
  away: 'The shop does not answer. This page keeps trying.',
};

export const STORES = {
  redis: 'The sale cannot be read at the moment. What you see may be old, and your place is safe.',
  postgresql: 'Orders are written later at the moment. Yours is safe, and this page shows it as soon as it is.',
};

const CHANCES = {
  likely: 'Likely: there are more units than people before you',
  uncertain: 'Uncertain: it depends on how many before you buy',
  unlikely: 'Unlikely: three people and more come before you for each unit',
};

const number = new Intl.NumberFormat('en');
const count = (of, one, many) => `${number.format(of)} ${of === 1 ? one : many}`;
const time = (iso) => new Date(iso).toLocaleTimeString([], { timeStyle: 'short' });
const day = (iso) => new Date(iso).toLocaleString([], { dateStyle: 'long', timeStyle: 'short' });

export function money(amount, currency) {
  if (amount == null) return '';
  const style = currency ? { style: 'currency', currency } : { minimumFractionDigits: 2 };
  return new Intl.NumberFormat('en', style).format(amount);
}

/** Say a duration in words: "about 3 minutes". */
function duration(seconds) {
  if (seconds < 90) return `${Math.max(5, 5 * Math.round(seconds / 5))} seconds`;
  return count(Math.round(seconds / 60), 'minute', 'minutes');
}

function waitIn(room, ahead) {
  const wait = waitOf(room, ahead);
  if (room.why === 'paused') return 'Nobody is called at the moment';
  if (!wait) return 'Not known yet: the room has just opened';
  const [from, to] = wait.map(duration);
  return from === to ? `About ${from}` : `Between ${from} and ${to}`;
}

/** Return what a buyer who waits is told of their place. */
function place(known) {
  const room = roomOf(known);
  const ahead = aheadOf(known);
  if (ahead === null) return [];
  return [
    ['Wait', waitIn(room, ahead), 'wait'],
    ['Chance', CHANCES[chanceOf(room, ahead)], 'chance'],
    ['Place', number.format(known.place + 1), 'place'],
  ];
}

const returning = ({ sale }) => {
  const held = sale?.stock?.held ?? sale?.room?.held ?? 0;
  return held
    ? `${count(held, 'unit is', 'units are')} held for buyers who pay now. What they do not pay for comes back.`
    : 'A cancelled order may still give a unit back.';
};

const receipt = (known) => [
  ['Order', known.mine.order, 'order'],
  ['Amount', money(known.order?.amount ?? known.info?.price, known.order?.currency ?? known.info?.currency), 'amount'],
];

export const WORDS = {
  loading: () => ({ title: 'One moment', caption: 'The page asks the shop for the sale.' }),

  missing: () => ({
    title: 'There is no sale here',
    caption: 'This address names no product on sale. If the sale begins later, this page shows it by itself.',
  }),

  closed: (known) => {
    const room = roomOf(known);
    return {
      title: room ? 'The queue opens in' : 'The sale begins in',
      ends: room ? room.from : known.sale.stock.opensAt,
      caption: room
        ? `The sale begins at ${time(room.opensAt)}. You need not hurry: places are drawn among all who join before.`
        : 'All who wait here can buy at the same moment.',
      actions: [],
    };
  },

  prequeue: (known) => {
    const room = roomOf(known);
    const isDrawn = room.mode === 'draw_at_opening';
    const inQueue = hasTicket(known);
    return {
      title: inQueue ? 'You are in. Places are drawn in' : 'Places are drawn in',
      ends: room.opensAt,
      caption: inQueue
        ? 'Your ticket is saved in this browser. You may close the page, and come back when the sale begins.'
        : isDrawn
          ? 'All who join before then have the same chance, the first and the last.'
          : 'Who joins first is called first.',
      facts: [['In the queue', count(room.issued, 'person', 'people'), 'issued']],
      actions: inQueue ? [] : ['join'],
      call: inQueue && 'You have joined the queue.',
    };
  },

  waiting: (known) => {
    const room = roomOf(known);
    if (!hasTicket(known)) {
      return {
        title: 'People wait before you',
        figure: number.format(room.waiting),
        caption: 'The sale has begun. Who joins now is called after those who wait.',
        actions: ['join'],
      };
    }
    const ahead = aheadOf(known);
    return {
      title: 'People before you',
      figure: ahead === null ? '…' : number.format(ahead),
      caption: 'You will be called here. Your place is safe if you close the page, and you have five minutes to come.',
      facts: place(known),
    };
  },

  called: () => ({
    title: 'It is your turn',
    figure: 'Now',
    caption: 'The room lets you in as soon as somebody leaves it. That takes seconds.',
    call: 'It is your turn.',
  }),

  turn: (known) => ({
    title: isInside(known) ? 'Your turn. You can buy for' : 'The sale is open',
    ends: isInside(known) ? known.mine.until : null,
    figure: money(known.info?.price, known.info?.currency) || 'Now',
    caption: isInside(known)
      ? 'Only people who were called can buy now. Nobody can take this time from you.'
      : 'The first who press the button get a unit.',
    facts: isInside(known) ? [['Price', money(known.info?.price, known.info?.currency), 'price']] : [],
    actions: isInside(known) ? ['buy', 'leave'] : ['buy'],
    call: isInside(known) ? 'It is your turn. You can buy now.' : 'The sale is open. You can buy now.',
  }),

  pending: (known) => ({
    title: known.mine?.order ? 'Your unit is taken. Your order is being written' : 'Your order is on its way',
    figure: '1',
    caption: known.mine?.order
      ? 'This takes a second, and longer when the shop has trouble. Nobody else can get your unit.'
      : 'If the answer is lost, this page asks again. You cannot buy twice by this.',
    facts: known.mine?.order ? [['Order', known.mine.order, 'order']] : [],
    call: 'Your order is on its way.',
  }),

  reserved: (known) => ({
    title: 'It is yours if you pay within',
    ends: known.order.expiresAt,
    caption: known.paying
      ? 'If you have paid, this page shows it by itself as soon as the provider says so.'
      : 'Until then your unit is held, and nobody else can buy it.',
    facts: receipt(known),
    actions: ['pay', 'cancel'],
    call: 'Your unit is held. Pay now to keep it.',
  }),

  paid: (known) => ({
    title: 'It is yours',
    figure: 'Paid',
    caption: 'This page is your receipt. It is here again when you open this address in this browser.',
    facts: receipt(known),
    actions: ['more'],
    call: 'Your order is confirmed.',
  }),

  sold_out: (known) => ({
    title: 'All units are taken',
    figure: '0',
    caption: `${returning(known)} Stay on this page to see it.`,
    facts: hasTicket(known) && !isInside(known) ? place(known) : [],
    actions: hasTicket(known) || !roomOf(known) ? [] : ['join'],
    call: 'All units are taken. Some may come back.',
  }),

  expired: (known) => ({
    title: 'The time to pay is over',
    figure: '00:00',
    caption: 'Your unit went back on sale. A payment that comes now is refunded in full.',
    facts: receipt(known),
    actions: [roomOf(known) ? 'again' : 'retry'],
    call: 'The time to pay is over.',
  }),

  cancelled: (known) => ({
    title: 'The order was cancelled',
    figure: 'Off',
    caption: `${known.order.reason ?? ''} You owe nothing, and what was paid is refunded.`,
    facts: receipt(known),
    actions: [roomOf(known) ? 'again' : 'retry'],
    call: 'The order was cancelled.',
  }),

  lapsed: () => ({
    title: 'Your place was used',
    figure: 'Over',
    caption: 'Your time is over, or you bought on another device, which has the receipt. You can join again, at the end.',
    actions: ['again'],
    call: 'Your place was used, or its time is over.',
  }),

  paused: (known) => ({
    title: 'The sale is paused',
    figure: '–',
    caption: 'Nobody is called and nobody can buy. All places are kept. This page goes on by itself.',
    facts: hasTicket(known) ? place(known) : [],
    actions: hasTicket(known) || !roomOf(known) ? [] : ['join'],
    call: 'The sale is paused.',
  }),

  ended: () => ({
    title: 'The sale is over',
    figure: 'Over',
    caption: 'Thank you for coming. Orders that were made are kept.',
    call: 'The sale is over.',
  }),

  unknown: (known) => ({
    title: 'The shop does not know this order',
    figure: '?',
    caption: 'It may be another buyer’s. If it was yours, the shop lost it in a failure before it was written, and you owe nothing.',
    facts: [['Order', known.mine.order, 'order']],
    actions: ['retry'],
    call: 'The shop does not know this order.',
  }),
};

/** Return the title of the window. */
export function windowTitle(state, known, left) {
  const name = known.info?.name ?? 'Sale';
  if (state === 'turn' || state === 'called') return `Your turn · ${name}`;
  if (state === 'waiting' && aheadOf(known) !== null) return `${number.format(aheadOf(known))} before you · ${name}`;
  return left ? `${left} · ${name}` : name;
}

/** Return the line above the bar, and its four parts. */
export function books({ stock, unsettled, held, settled, initial }) {
  return {
    title: `Where all ${number.format(initial)} units are`,
    parts: [
      ['for sale', stock],
      ['being ordered', unsettled],
      ['held until paid', held],
      ['sold', settled],
    ],
  };
}

export { number, day };

/** What the page says after an action that did not work. */
export const SAID = {
  sold_out: 'The last unit went a moment ago.',
  purchase_limit: 'You have bought as many as one buyer may.',
  too_many_requests: 'That was too often. The page tries again by itself.',
  sale_not_open: 'The sale is not open now.',
  admission_over: 'Your time to buy was over.',
  admission_required: 'The room has not let you in, or you have bought with this turn.',
  ticket_invalid: 'Your ticket is of an earlier queue. Join again.',
  room_closed: 'The queue is not open yet.',
  hold_expiring: 'Less than ten seconds are left, which is too short to pay.',
  not_payable: 'This order cannot be paid now.',
  no_provider: 'This shop has set no way to pay.',
  amount_not_payable: 'The provider takes no such amount.',
  not_cancellable: 'This order cannot be cancelled now.',
  unauthorized: 'Sign in again to go on.',
  forbidden: 'You are signed in as somebody else.',
  unavailable: 'The shop has trouble. The page tries again.',
  none: 'No answer came. Try again.',
};

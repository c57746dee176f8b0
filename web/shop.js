// The page of one sale: it keeps what is known, does what is due, and draws the state.

import { call, isTrouble, NoAnswer } from './api.js';
import { now, setClock } from './clock.js';
import { commitment, placeOf } from './draw.js';
import { goToSignIn, madeUpUser, takeFragment } from './identity.js';
import { vary, watch } from './live.js';
import { onChange, sale as remembered, user } from './memory.js';
import { aheadOf, hasTicket, isInside, roomOf, stateOf } from './state.js';
import { alertBuyer, announce, draw, showChecks, showIdentity } from './view.js';
import { SAID } from './words.js';

// The last part of the path.
const product = decodeURIComponent(location.pathname.split('/').pop());
const id = encodeURIComponent(product);

// Everything that the page knows. See state.js for what becomes of it.
const known = { product, live: 'away' };
const fragment = takeFragment();
let endWatch = () => {};
let busy = false;
let state = 'loading';

function signIn(buyer) {
  known.buyer = buyer;
  known.mine = remembered(product, buyer);
  if (fragment.order) known.mine.save({ order: fragment.order });
  follow();
}

/** Follow the sale, and the order if there is one that may still change. */
function follow() {
  endWatch();
  known.order = known.orderMissing = known.paying = null;
  endWatch = watch(product, known.mine?.order, {
    live: (how) => change({ live: how }),
    missing: (what) => change(what === 'order' ? { orderMissing: true } : { missing: true }),
    signIn: () => change({ needsSignIn: true }),
    event: (name, data) => {
      if (name === 'order') change({ order: data, orderMissing: false });
      else if (name === 'unknown') change({ down: data.what });
      else if (name === 'sale') {
        setClock(data.now ?? data.room?.now);
        const down = data.stale ? (known.down ?? 'redis') : null;
        change({ sale: { ...known.sale, ...data }, missing: false, down });
      }
    },
  });
}

function change(what) {
  Object.assign(known, what);
  findPlace();
  show();
}

/** Compute the place from the draw, once for each seed. */
async function findPlace() {
  const room = roomOf(known);
  if (!room || !hasTicket(known)) {
    known.place = known.placeOf = null;
    return;
  }
  const { arrival } = known.mine;
  const isDrawn = room.mode === 'draw_at_opening';
  const name = `${room.epoch} ${room.seed} ${arrival}`;
  if (known.placeOf === name || (isDrawn && !room.seed)) return;
  known.placeOf = name;
  known.place =
    isDrawn && arrival < room.drawn ? await placeOf(arrival, room.drawn, room.seed) : arrival;
  show();
}

function show() {
  const before = state;
  state = stateOf(known);
  draw(state, known, busy);
  if (state !== before) alertBuyer(state, known);
  if (known.mine?.admission && !isInside(known)) known.mine.save({ admission: null, lapsed: true });
  if (!busy && known.buyer && now() >= (known.notBefore ?? 0)) {
    if (known.mine.key && !known.mine.order) run(buy);
    else if (state === 'called' && !document.hidden) run(enter);
  }
}

/** Do one thing at a time, and say what came of it. */
async function run(action) {
  if (busy) return;
  busy = true;
  show();
  try {
    await action();
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    later(2);
    announce(SAID.none);
  } finally {
    busy = false;
    show();
  }
}

/** Do nothing by itself for about so many seconds. */
function later(seconds) {
  known.notBefore = now() + vary(1000 * seconds);
  setTimeout(show, known.notBefore - now() + 10);
}

/** Say why the shop refused; ask again later if that was not for what was asked. */
function refused(answer) {
  const code = answer.body?.code ?? 'unavailable';
  if (answer.status === 401 && code === 'unauthorized') known.needsSignIn = true;
  if (isTrouble(answer)) later(answer.retryAfter ?? 2);
  announce(SAID[code] ?? answer.body?.detail ?? SAID.unavailable);
}

const ticket = () => (known.mine.ticket ? { ticket: known.mine.ticket } : {});
const named = () => (known.settings.auth === 'none' ? { userId: known.buyer } : {});

async function join() {
  const room = roomOf(known);
  const headers = hasTicket(known) ? ticket() : {};
  const answer = await call('POST', `v5/rooms/${id}/tickets`, { headers, body: named() });
  if (answer.status !== 200) return refused(answer);
  const { arrival } = answer.body;
  const place = { ticket: answer.body.ticket, arrival, epoch: room.epoch };
  known.mine.save({ ...place, commitment: room.commitment, lapsed: null, admission: null });
  change({});
}

async function enter() {
  const answer = await call('POST', `v5/rooms/${id}/admission`, { headers: ticket() });
  if (answer.status === 200) {
    known.mine.save({ admission: answer.body.admission, until: answer.body.expiresAt });
  } else if (answer.status === 202) {
    later(answer.retryAfter ?? 1);
  } else if (answer.status === 410) {
    known.mine.save({ lapsed: true });
  } else {
    if (answer.body?.code === 'ticket_invalid') known.mine.save({ ticket: null });
    else later(answer.retryAfter ?? 2);
    refused(answer);
  }
}

async function leave() {
  const answer = await call('DELETE', `v5/rooms/${id}/tickets/mine`, { headers: ticket() });
  if (answer.status !== 204) return refused(answer);
  known.mine.save({ ticket: null, admission: null });
}

/** Buy one unit. The key is stored first, so the same purchase is repeated until it has an answer. */
async function buy() {
  const { mine } = known;
  if (!mine.key) mine.save({ key: crypto.randomUUID() });
  show();
  const headers = { 'idempotency-key': mine.key };
  if (mine.admission) headers.admission = mine.admission;
  const body = { productId: product, ...named() };
  const answer = await call('POST', 'v5/buy', { headers, body });
  if (answer.status === 202) {
    setOrder(answer.body.orderId);
    return;
  }
  if (!isTrouble(answer)) mine.save({ key: null });
  if (answer.status === 403) mine.save({ admission: null, lapsed: Boolean(mine.ticket) || null });
  refused(answer);
}

/** Remember an order, or forget it; its address is in the fragment, to be kept or sent on. */
function setOrder(order) {
  fragment.order = null;
  known.mine.save({ order, key: null, admission: null, lapsed: roomOf(known) ? true : null });
  history.replaceState(null, '', order ? `#order=${encodeURIComponent(order)}` : location.pathname);
  follow();
}

async function pay() {
  const answer = await call('POST', `v5/orders/${encodeURIComponent(known.mine.order)}/payment`);
  if (answer.status !== 201) return refused(answer);
  if (!known.settings.pay) return announce(SAID.no_provider);
  const target = new URL(known.settings.pay, location.href);
  target.searchParams.set('payment', answer.body.paymentId);
  target.searchParams.set('return', location.href);
  target.hash = `secret=${answer.body.clientSecret}`;
  location.assign(target);
}

async function cancel() {
  const answer = await call('POST', `v5/orders/${encodeURIComponent(known.mine.order)}/cancel`);
  if (answer.status === 200) change({ order: answer.body });
  else refused(answer);
}

/** Forget the order that has ended; join again at the end, if there is a room. */
async function again() {
  if (known.mine.order) setOrder(null);
  if (hasTicket(known) && known.mine.lapsed) await join();
}

const ACTIONS = { join, leave, buy, pay, cancel, again, more: again, retry: again };

async function check() {
  const { seed, drawn } = roomOf(known);
  const { arrival, commitment: seen } = known.mine;
  const place = await placeOf(arrival, drawn, seed);
  showChecks({ isSame: (await commitment(seed)) === seen, arrival, drawn, place });
}

function askWho() {
  if (known.settings.auth === 'jwt') {
    if (known.settings.signIn) goToSignIn(known.settings.signIn);
    else announce('This shop has set no sign-in.');
    return;
  }
  const chosen = document.querySelector('#user').value.trim();
  user.set(chosen);
  signIn(chosen);
}

function on(selector, event, act) {
  document.querySelector(selector).addEventListener(event, (happened) => {
    happened.preventDefault();
    act(happened);
  });
}

on('#identity', 'submit', askWho);
on('#actions', 'click', ({ target }) => target.dataset.action && run(ACTIONS[target.dataset.action]));
on('#check', 'click', check);
on('#out', 'click', () => {
  user.set(null);
  location.assign(location.pathname);
});
document.addEventListener('visibilitychange', show);
onChange(() => {
  if (!known.mine) return;
  const { order } = known.mine;
  known.mine.refresh();
  if (known.mine.order !== order) follow();
  else change({});
});
setInterval(show, 250);

async function begin() {
  const answer = await fetch(new URL('files/settings.json', document.baseURI));
  known.settings = await answer.json();
  showIdentity(known.settings, madeUpUser());
  const buyer = known.settings.auth === 'jwt' ? fragment.buyer : user.get();
  if (buyer) signIn(buyer);
  else follow();
  const info = await call('GET', `products/${id}`);
  if (info.status === 200) change({ info: info.body });
}

/** Begin, and again until it works: the shop may be away when the page comes. */
(async function persist() {
  try {
    await begin();
  } catch {
    endWatch();
    setTimeout(persist, vary(2000));
  }
})();

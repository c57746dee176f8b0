// The page of one sale: keeps what is known, does what is due, and shows the state.

import { call, isTrouble, NoAnswer } from './api.js';
import { now, setClock } from './clock.js';
import { check, placeOf } from './draw.js';
import { fragmentOf, goToSignIn, madeUpUser, takeFragment } from './identity.js';
import { vary, watch } from './live.js';
import { sale as remembered, store, stored } from './memory.js';
import { hasTicket, isInside, stateOf } from './state.js';
import { announce, announceState, draw, showChecks, showIdentity } from './view.js';
import { SAID } from './words.js';

const product = decodeURIComponent(location.pathname.split('/').pop());
const room = `v5/rooms/${encodeURIComponent(product)}`;
// Milliseconds. The shop knows a key for a day.
const KEY_LIFE = 72e6;
// What the page knows: `buyer` (an id), `mine` (memory.js), `place` (of the draw), `sale` and `order`
// (of the shop); `redis` and `postgresql` while they are down.
const known = { product, live: 'away' };
const fragment = takeFragment();
let state = 'loading';
let busy = false;
let mayActFrom = 0;
let endWatch = () => {};

function signIn(buyer) {
  known.buyer = buyer;
  known.mine = remembered(product, buyer);
  const { key, order } = known.mine;
  if (fragment.order && !key && !order) known.mine.save({ order: fragment.order });
  follow();
}

/** Watch the order, whose address can be kept or sent on; else the sale. */
function follow() {
  endWatch();
  const order = known.mine?.order;
  if (known.mine) history.replaceState(null, '', location.pathname + fragmentOf(order));
  known.order = known.orderMissing = null;
  endWatch = watch(product, order, {
    live: (live) => change({ live }),
    missing: () => change({ missing: true }),
    orderMissing: () => change({ orderMissing: true, postgresql: null }),
    signIn: () => change({ mustSignIn: true }),
    event(name, data) {
      if (name === 'unknown') change({ [data.what]: 'down' });
      if (name === 'order') change({ order: data, orderMissing: false, postgresql: data.stale });
      if (name !== 'sale') return;
      const redis = data.stale || data.room?.stale;
      // The shop's workers have copies of different ages.
      if (redis && known.sale) return change({ redis });
      setClock(data.now ?? data.room?.now);
      const stock = data.stock ?? known.sale?.stock;
      change({ sale: { ...data, stock }, missing: false, redis });
    },
  });
}

function change(what) {
  Object.assign(known, what);
  findPlace();
  show();
}

/** Compute the place from the draw, once for each seed and arrival. */
async function findPlace() {
  const { mine, sale } = known;
  if (!sale?.room || !hasTicket(known)) {
    known.place = known.placeOf = null;
    return;
  }
  const { mode, seed, drawn } = sale.room;
  const isDrawn = mode === 'draw_at_opening';
  const name = `${seed} ${mine.arrival}`;
  if (known.placeOf === name || (isDrawn && !seed)) return;
  known.placeOf = name;
  known.place = isDrawn ? await placeOf(mine.arrival, drawn, seed) : mine.arrival;
  show();
}

function show() {
  const before = state;
  state = stateOf(known);
  draw(state, known, busy);
  if (state !== before) announceState();
  const { mine } = known;
  if (mine?.admission && !isInside(known)) mine.save({ admission: null, lapsed: true });
  if (busy || !known.buyer || known.mustSignIn || now() < mayActFrom) return;
  if (mine.key && Date.now() - mine.keyAt > KEY_LIFE) {
    if (!known.sale) return; // it clears notices
    mine.save({ key: null });
    show();
    return announce(SAID.forgotten);
  }
  if (mine.key && !mine.order) run(buy);
  else if (state === 'called' && !document.hidden) run(enter);
}

async function run(action) {
  if (busy || !action) return;
  busy = true;
  try {
    await action();
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    waitFor(2);
    announce(SAID.no_answer);
  } finally {
    busy = false;
    show();
  }
}

const waitFor = (seconds) => (mayActFrom = now() + vary(1000 * seconds));

function refused(answer) {
  const { code = 'unavailable', detail } = answer.body ?? {};
  if (code === 'unauthorized') known.mustSignIn = true;
  if (isTrouble(answer)) waitFor(answer.retryAfter ?? 2);
  announce(SAID[code] ?? detail);
}

const ticket = () => (known.mine.ticket ? { ticket: known.mine.ticket } : {});
const named = () => (known.settings.auth === 'none' ? { userId: known.buyer } : {});
const ofOrder = (what) => `v5/orders/${encodeURIComponent(known.mine.order)}/${what}`;

async function join() {
  const { epoch, commitment: seen } = known.sale.room;
  const headers = hasTicket(known) ? ticket() : {};
  const answer = await call('POST', `${room}/tickets`, { headers, body: named() });
  if (answer.status !== 200) return refused(answer);
  const place = { ticket: answer.body.ticket, arrival: answer.body.arrival, epoch };
  known.mine.save({ ...place, commitment: seen, lapsed: null, admission: null });
  change({});
}

async function enter() {
  const answer = await call('POST', `${room}/admission`, { headers: ticket() });
  const { status, body } = answer;
  if (status === 200) return known.mine.save({ admission: body.admission, until: body.expiresAt });
  if (status === 410) return known.mine.save({ lapsed: true });
  waitFor(answer.retryAfter ?? 2);
  if (body?.code === 'ticket_invalid') known.mine.save({ ticket: null });
  if (status !== 202) refused(answer);
}

async function leave() {
  const answer = await call('DELETE', `${room}/tickets/mine`, { headers: ticket() });
  // The place cannot be used again, and its ticket gives another one.
  if (answer.status === 204) known.mine.save({ lapsed: true, admission: null });
  else refused(answer);
}

/** Buy a unit. The key is stored first, and sent until there is an answer. */
async function buy() {
  const { mine } = known;
  await navigator.locks.request(room, () => {
    mine.save({}); // another tab may buy
    if (!mine.key && !mine.order) mine.save({ key: crypto.randomUUID(), keyAt: Date.now() });
  });
  if (mine.order) return follow();
  show();
  const used = { admission: null, lapsed: mine.ticket ? true : null };
  const headers = { 'idempotency-key': mine.key };
  if (mine.admission) headers.admission = mine.admission;
  const answer = await call('POST', 'v5/buy', { headers, body: { productId: product, ...named() } });
  if (answer.status === 202) {
    setOrder(answer.body.orderId, { key: null, ...used });
    change({ order: answer.body });
    return;
  }
  if (!isTrouble(answer)) {
    if (answer.status !== 401) mine.save({ key: null });
    if (answer.status === 403) mine.save(used);
  }
  show(); // a new state removes what was said of the one before
  refused(answer);
}

function setOrder(order, changes) {
  known.mine.save({ order, ...changes });
  follow();
}

async function pay() {
  if (!known.settings.pay) return announce(SAID.not_set);
  const answer = await call('POST', ofOrder('payment'));
  if (answer.status !== 201) return refused(answer);
  const target = new URL(known.settings.pay);
  target.searchParams.set('payment', answer.body.paymentId);
  target.searchParams.set('return', location.href);
  target.hash = `secret=${answer.body.clientSecret}`;
  location.assign(target);
}

async function cancel() {
  const answer = await call('POST', ofOrder('cancel'));
  if (answer.status === 200) change({ order: answer.body });
  else refused(answer);
}

/** Forget an ended order. Where there is a room, join again, at the end. */
async function again() {
  if (known.mine.order) setOrder(null);
  if (known.sale?.room && hasTicket(known) && known.mine.lapsed) await join();
}

const ACTIONS = { join, leave, buy, pay, cancel, again, more: again, retry: again };

function identify() {
  const { auth, signIn: address } = known.settings;
  if (auth === 'none') {
    const buyer = $('#user').value;
    store('user', buyer);
    signIn(buyer);
  } else if (address) goToSignIn(address, known.mine?.order ?? fragment.order);
  else announce(SAID.not_set);
}

const $ = (selector) => document.querySelector(selector);
$('#identity').onsubmit = (event) => (event.preventDefault(), identify());
$('#actions').onclick = ({ target }) => run(ACTIONS[target.dataset.action]);
$('#check').onclick = async () => showChecks(await check(known.sale.room, known.mine));
$('#out').onclick = () => (store('user', null), location.assign(location.pathname));
document.addEventListener('visibilitychange', show);
addEventListener('storage', () => {
  const order = known.mine?.order;
  known.mine?.save({}); // reads what another tab has stored
  if (known.mine?.order === order) change({});
  else follow();
});
setInterval(show, 250);

(async function begin() {
  try {
    known.settings ??= await (await fetch(new URL('files/settings.json', document.baseURI))).json();
    const { auth } = known.settings;
    showIdentity(auth, madeUpUser());
    const buyer = auth === 'none' ? stored('user') : fragment.buyer;
    if (buyer) signIn(buyer);
    else follow();
    const { status, body } = await call('GET', `products/${encodeURIComponent(product)}`);
    if (status === 200) change({ info: body });
  } catch {
    setTimeout(begin, vary(2000));
  }
})();

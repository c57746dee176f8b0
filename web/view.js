// Draws a state into the page. It changes only what differs, so that focus stays where it is.

import { asClock, now, until } from './clock.js';
import { switches } from './memory.js';
import { hasTicket, roomOf } from './state.js';
import { books, BUTTONS, LIVE, money, number, STORES, windowTitle, WORDS } from './words.js';

const $ = (selector) => document.querySelector(selector);
const shop = $('#shop');
const chosen = { motion: !matchMedia('(prefers-reduced-motion: reduce)').matches, ...switches.get() };
let began = {};

function text(selector, value) {
  const element = $(selector);
  if (element.textContent !== value) element.textContent = value;
  return element;
}

/** Show pairs of a name and a text in a list of definitions. */
function pairs(list, rows) {
  const wanted = JSON.stringify(rows);
  if (list.dataset.shown === wanted) return;
  list.dataset.shown = wanted;
  list.replaceChildren(
    ...rows.map(([name, value, key]) => {
      const [row, term, detail] = ['div', 'dt', 'dd'].map((tag) => document.createElement(tag));
      term.textContent = name;
      detail.textContent = value;
      if (key) detail.id = key;
      row.append(term, detail);
      return row;
    }),
  );
}

function buttons(names, busy) {
  const box = $('#actions');
  if (box.dataset.shown !== names.join()) {
    const hadFocus = box.contains(document.activeElement);
    box.dataset.shown = names.join();
    box.replaceChildren(
      ...names.map((name) => {
        const button = document.createElement('button');
        button.type = 'button';
        button.dataset.action = name;
        button.textContent = BUTTONS[name];
        return button;
      }),
    );
    if (hadFocus) $('#title').focus();
  }
  for (const button of box.children) button.setAttribute('aria-disabled', busy);
}

/** Show the large number. It fills the width, so its size follows from its length. */
function figure(value) {
  const element = text('#figure', value);
  element.style.setProperty('--length', Math.max(3, value.length));
}

/** Show the bar of the time that is left, from when the page first saw it. */
function bar(state, ends) {
  if (began.state !== state || began.ends !== ends) began = { state, ends, from: now() };
  const left = $('#left');
  left.hidden = !ends || !['turn', 'reserved'].includes(state);
  if (!left.hidden) left.value = until(ends) / Math.max(1, Date.parse(ends) - began.from);
}

function showBooks({ sale }) {
  const box = $('#books');
  box.hidden = !sale?.stock;
  if (box.hidden) return;
  const { title, parts } = books(sale.stock);
  text('#books-title', title);
  pairs($('#parts'), parts.map(([name, units]) => [name, number.format(units)]));
  parts.forEach(([, units], at) => {
    const part = $('#bar').children[at];
    part.hidden = !units;
    part.style.flexGrow = units;
  });
}

/** Draw a state. */
export function draw(state, known, busy) {
  const shown = { facts: [], actions: [], ...WORDS[state](known) };
  const left = until(shown.ends);
  const clock = left === null ? null : asClock(left);
  const isIn = known.buyer && !known.needsSignIn;
  shop.dataset.state = state;
  shop.dataset.live = known.live;
  document.title = windowTitle(state, known, clock);
  text('#product', [known.info?.name ?? known.product, money(known.info?.price, known.info?.currency)].filter(Boolean).join(' · '));
  text('#live', known.live === 'away' ? LIVE.away : (STORES[known.down] ?? LIVE[known.live]));
  text('#title', shown.title);
  figure(clock ?? shown.figure ?? '');
  text('#caption', shown.caption ?? '');
  bar(state, shown.ends);
  pairs($('#facts'), shown.facts);
  $('#identity').hidden = isIn || !known.settings || !shown.actions.length;
  buttons(isIn ? shown.actions : [], busy);
  text('#who', isIn ? `You are ${known.buyer}.` : '');
  $('#out').hidden = !isIn;
  const room = roomOf(known);
  $('#draw').hidden = !(room?.seed && hasTicket(known) && known.mine.arrival < room.drawn);
  showBooks(known);
}

/** Say something to everybody: below the buttons, and to screen readers when they have time. */
export function announce(words) {
  text('#notice', words);
}

/** Call the buyer: to screen readers at once, and by sound and notification if they want that. */
export function alertBuyer(state, known) {
  const words = WORDS[state](known).call;
  text('#notice', '');
  text('#alert', words || '');
  if (!chosen.alerts || !['turn', 'called'].includes(state) || !document.hidden) return;
  const context = new AudioContext();
  const tone = context.createOscillator();
  tone.connect(context.destination);
  tone.start();
  tone.stop(context.currentTime + 0.4);
  if (window.Notification?.permission === 'granted') new Notification(words);
}

/** Show how the draw was checked. */
export function showChecks({ isSame, arrival, drawn, place }) {
  const lines = [
    isSame
      ? 'The number is the one whose fingerprint this browser saw when you joined.'
      : 'This number is NOT the one whose fingerprint this browser saw when you joined.',
    `You joined as number ${number.format(arrival + 1)} of ${number.format(drawn)}. By this number your place is ${number.format(place + 1)}.`,
  ];
  $('#checked').replaceChildren(
    ...lines.map((line) => Object.assign(document.createElement('li'), { textContent: line })),
  );
}

/** Prepare the form that asks who buys. */
export function showIdentity({ auth }, suggestion) {
  $('#user').value = suggestion;
  for (const element of [$('#user'), $('#identity label')]) element.hidden = auth === 'jwt';
  $('#user').disabled = auth === 'jwt';
  if (auth === 'jwt') $('#identity button').textContent = 'Sign in';
}

function set(name, value) {
  chosen[name] = value;
  switches.set(chosen);
  $(`#${name}`).setAttribute('aria-pressed', Boolean(value));
  document.documentElement.dataset.motion = chosen.motion ? 'on' : 'off';
}

for (const name of ['alerts', 'motion']) {
  set(name, Boolean(chosen[name]));
  $(`#${name}`).addEventListener('click', () => {
    set(name, !chosen[name]);
    if (chosen.alerts && window.Notification?.permission === 'default') Notification.requestPermission();
  });
}

// Shows a state. It changes only what differs, so that the focus stays where it is.

import { asClock, now, until } from './clock.js';
import { hasTicket } from './state.js';
import { BUTTONS, checked, LIVE, money, number, PARTS, WORDS } from './words.js';

const $ = (selector) => document.querySelector(selector);
// The countdown that is shown, and when this page first saw it.
let counted = {};

function text(selector, value) {
  const element = $(selector);
  if (element.textContent !== value) element.textContent = value;
}

function make(tag, fields) {
  return Object.assign(document.createElement(tag), fields);
}

/** Fill an element by `children()` if what they are made of has changed. */
function fill(selector, content, children) {
  const element = $(selector);
  if (element.dataset.shown === JSON.stringify(content)) return;
  element.dataset.shown = JSON.stringify(content);
  const hadFocus = element.contains(document.activeElement);
  element.replaceChildren(...content.map(children));
  if (hadFocus) $('#title').focus();
}

function pair([name, value, id = '']) {
  const row = make('div');
  row.append(make('dt', { textContent: name }), make('dd', { textContent: value, id }));
  return row;
}

function button(name) {
  const element = make('button', { textContent: BUTTONS[name] });
  element.dataset.action = name;
  return element;
}

function showFigure(figure, ends, isRunning) {
  text('#figure', figure);
  // The number fills the width in every font.
  const { offsetWidth, style } = $('#figure');
  const em = parseFloat(getComputedStyle($('#figure')).fontSize);
  style.setProperty('--em', Math.max(1.5, offsetWidth / em));
  if (counted.ends !== ends) counted = { ends, from: now() };
  $('#left').hidden = !isRunning;
  const part = until(ends) / Math.max(1, Date.parse(ends) - counted.from);
  $('#left i').style.width = `${100 * part}%`;
}

function showBooks(stock) {
  $('#books').hidden = !stock;
  const parts = Object.entries(PARTS).map(([field, name]) => [name, stock?.[field] ?? 0]);
  fill('#parts', parts, ([name, units]) => pair([name, number(units)]));
  parts.forEach(([, units], at) => {
    const part = $('#bar').children[at];
    part.hidden = !units;
    part.style.flexGrow = units;
  });
}

export function draw(state, known, busy) {
  const { title, ends, caption = '', figure = '', facts = [], actions = [] } = WORDS[state](known);
  const { info, live, mine, sale } = known;
  const clock = until(ends) === null ? null : asClock(until(ends));
  const isIn = Boolean(known.buyer) && !known.mustSignIn;
  const isMyTime = Boolean(ends) && (state === 'turn' || state === 'reserved');
  Object.assign($('#shop').dataset, { state, live });
  const name = info?.name ?? known.product;
  const short = state === 'waiting' ? `${figure} before you` : clock;
  document.title = [isMyTime && 'Your turn', short, name].filter(Boolean).join(' · ');
  text('#product', [name, money(info)].filter(Boolean).join(' · '));
  const down = (known.redis && 'redis') || (known.postgresql && 'postgresql');
  text('#live', LIVE[live === 'away' ? live : down || live]);
  text('#title', title);
  showFigure(clock ?? figure, ends, isMyTime);
  text('#caption', caption);
  fill('#facts', facts, pair);
  $('#identity').hidden = isIn || !known.settings || !sale;
  fill('#actions', isIn ? actions : [], button);
  for (const one of $('#actions').children) one.setAttribute('aria-disabled', busy);
  text('#who', isIn ? `You are ${known.buyer}.` : '');
  $('#out').hidden = !isIn;
  $('#draw').hidden = !(sale?.room?.seed && hasTicket(known) && mine.arrival < sale.room.drawn);
  showBooks(sale?.stock);
}

export function announceState() {
  text('#notice', '');
  text('#alert', `${$('#title').textContent} ${$('#figure').textContent}`);
}

export const announce = (words) => text('#notice', words);

export function showChecks(check) {
  fill('#checked', checked(check), (line) => make('li', { textContent: line }));
}

export function showIdentity(auth, suggestion) {
  const isMadeUp = auth === 'none';
  Object.assign($('#user'), { value: suggestion, disabled: !isMadeUp });
  $('#user').parentElement.hidden = !isMadeUp;
  text('#identity button', isMadeUp ? 'Continue' : 'Sign in');
}

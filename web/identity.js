// Who buys. Where buyers need a token, the shop's own sign-in sends them back with it in the
// fragment of the address, which browsers send to nobody. It stays in memory. Stacks without tokens
// take a made-up user.

import { useToken } from './api.js';
import { user } from './memory.js';

const STATE = 'flashsale:state';
// Made-up users of a local stack.
const MADE_UP = 500;

/** Return the subject of a JSON Web Token. Only the shop checks tokens; the page shows the name. */
function subject(token) {
  try {
    const bytes = Uint8Array.from(
      atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')),
      (one) => one.charCodeAt(0),
    );
    return String(JSON.parse(new TextDecoder().decode(bytes)).sub);
  } catch {
    return null;
  }
}

/**
 * Take what the fragment of the address says, and remove a token from it at once.
 *
 * Return `{ buyer, order }`. A token counts only with the state that this page sent along, so that
 * no link of somebody else signs a visitor in.
 */
export function takeFragment() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const [token, state, order] = ['token', 'state', 'order'].map((name) => fragment.get(name));
  let buyer = null;
  if (token) {
    history.replaceState(null, '', location.pathname + location.search);
    const sent = sessionStorage.getItem(STATE);
    sessionStorage.removeItem(STATE);
    buyer = sent && sent === state ? subject(token) : null;
    if (buyer) useToken(token);
  }
  return { buyer, order };
}

/** Go to the shop's sign-in. It comes back to this address. */
export function goToSignIn(signIn) {
  const state = crypto.randomUUID();
  sessionStorage.setItem(STATE, state);
  const target = new URL(signIn, location.href);
  target.searchParams.set('return', location.href.split('#')[0]);
  target.searchParams.set('state', state);
  location.assign(target);
}

/** Return a made-up user to begin with: the last one, or another. */
export function madeUpUser() {
  return user.get() ?? `u-${String(1 + Math.floor(Math.random() * MADE_UP)).padStart(5, '0')}`;
}

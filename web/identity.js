// Who buys. The shop's own sign-in sends buyers back with a token in the fragment of the address,
// which browsers send to nobody. Stacks without tokens take made-up users.

import { useToken } from './api.js';
import { store, stored } from './memory.js';

/** Return the subject of a JSON Web Token. Only the shop itself checks tokens. */
function subjectOf(token) {
  try {
    const payload = atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'));
    return JSON.parse(payload).sub;
  } catch {
    return null;
  }
}

/**
 * Return the `buyer` and the `order` that the fragment names; remove a token from it at once.
 *
 * A token counts only with the state that this page sent along, so nobody's link signs a visitor in.
 */
export function takeFragment() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const token = fragment.get('token');
  if (!token) return { order: fragment.get('order') };
  const { state, order } = stored('sign-in') ?? {};
  history.replaceState(null, '', location.pathname + fragmentOf(order));
  store('sign-in', null);
  const buyer = state && state === fragment.get('state') ? subjectOf(token) : null;
  if (buyer) useToken(token);
  return { buyer, order };
}

export const fragmentOf = (order) => (order ? `#order=${encodeURIComponent(order)}` : '');

/** Go to the shop's sign-in, which comes back to this page and this order. */
export function goToSignIn(address, order) {
  const state = crypto.randomUUID();
  store('sign-in', { state, order });
  const target = new URL(address);
  target.searchParams.set('return', location.origin + location.pathname);
  target.searchParams.set('state', state);
  location.assign(target);
}

export function madeUpUser() {
  return stored('user') ?? `u-${String(1 + Math.floor(500 * Math.random())).padStart(5, '0')}`;
}

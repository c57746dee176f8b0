// Calls of the shop's public API, as any client makes them.

const BASE = new URL('../api/', document.baseURI);
// Milliseconds. The API answers within 3 s.
const PATIENCE = 10_000;

/** No answer came: nobody knows whether the request had an effect. */
export class NoAnswer extends Error {}

// In memory only.
let token = null;
export const useToken = (value) => (token = value);

/** Return whether an answer says nothing of its request, which may be sent again. */
export const isTrouble = ({ status, body }) =>
  !(status < 400) && (!body?.code || status === 408 || status === 429 || status >= 500);

/** Send a request. Return its response, which may be a stream. */
export function send(path, { headers, ...options } = {}) {
  const who = token && { authorization: `Bearer ${token}` };
  const safe = { cache: 'no-store', credentials: 'omit' };
  return fetch(new URL(path, BASE), { ...safe, ...options, headers: { ...who, ...headers } });
}

/**
 * Call the API. Return `{ status, body, retryAfter }`; `retryAfter` is in seconds, or null.
 *
 * Throw NoAnswer if none comes.
 */
export async function call(method, path, { body, headers } = {}) {
  try {
    const response = await send(path, {
      method,
      headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: text.startsWith('{') ? JSON.parse(text) : null,
      retryAfter: Number(response.headers.get('retry-after')) || null,
      date: response.headers.get('date'),
    };
  } catch (error) {
    throw new NoAnswer(error);
  }
}

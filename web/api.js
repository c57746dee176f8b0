// Calls of the shop's public API, as any client makes them.

const BASE = new URL('../api/', document.baseURI);
// Milliseconds. The API answers within 3 s, also when its stores do not.
const PATIENCE = 10_000;

/** No answer came: nobody knows whether the request had an effect. */
export class NoAnswer extends Error {}

let token = null;

/** Send this token from now on. It is kept in memory only. */
export function useToken(value) {
  token = value;
}

export function address(path) {
  return new URL(path, BASE);
}

/** Return the headers that name the buyer. */
export function identity() {
  return token ? { authorization: `Bearer ${token}` } : {};
}

/**
 * Call the API. Return `{ status, body, retryAfter }`, with seconds or null in `retryAfter`.
 *
 * Throw NoAnswer if none comes.
 */
export async function call(method, path, { body, headers = {} } = {}) {
  let response;
  try {
    response = await fetch(address(path), {
      method,
      headers: {
        ...identity(),
        ...headers,
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      body: body && JSON.stringify(body),
      cache: 'no-store',
      credentials: 'omit',
      signal: AbortSignal.timeout(PATIENCE),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      body: text && isJson ? JSON.parse(text) : null,
      retryAfter: Number(response.headers.get('retry-after')) || null,
    };
  } catch (error) {
    throw new NoAnswer(String(error));
  }
}

/** Return whether the answer says nothing of the request itself: it may be sent again. */
export function isTrouble({ status }) {
  return status === 408 || status === 429 || status >= 500;
}

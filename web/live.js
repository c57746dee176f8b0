// The newest state of a sale and of an order: by a stream of events, or by polling where the shop
// has no streams or no room for one more.

import { address, call, identity, NoAnswer } from './api.js';

// Milliseconds: without a byte until a stream counts as dead (it has a comment each 10 s); until
// another stream is tried where there was none; between two tries while the shop does not answer.
const SILENCE = 25_000;
const NO_STREAMS = 60_000;
const AWAY = 1_500;
// Seconds between two looks at an order, and at a sale without a room.
const ORDER = 2;
const SALE = 4;

/** Vary a time by up to a quarter, so that clients do not come all at once. */
export function vary(time) {
  return time * (0.75 + Math.random() / 2);
}

/** Call `event(name, data)` for each event of a stream, and `alive()` for each piece of it. */
async function readEvents(stream, alive, event) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    alive();
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop();
    for (const block of blocks) {
      const name = /^event: ?(.*)$/m.exec(block)?.[1];
      const data = /^data: ?(.*)$/m.exec(block)?.[1];
      if (name && data) event(name, JSON.parse(data));
    }
  }
}

/**
 * Watch a sale, and an order of it if there is one. Return a function that ends the watch.
 *
 * `on.event(name, data)` gets "sale", "order" and "unknown" (a store is down); `on.live(how)` says
 * how they come: "stream", "poll" or "away"; `on.missing(what)` that the shop has no such "sale" or
 * "order"; `on.signIn()` that it wants another token.
 */
export function watch(product, order, on) {
  const sale = `v5/products/${encodeURIComponent(product)}`;
  const mine = order && `v5/orders/${encodeURIComponent(order)}`;
  const room = `v5/rooms/${encodeURIComponent(product)}`;
  const ending = new AbortController();
  const { signal } = ending;
  let streamsFrom = 0;
  let roomFrom = 0;

  const pause = (time) =>
    new Promise((wake) => {
      const timer = setTimeout(wake, vary(time));
      signal.addEventListener('abort', () => (clearTimeout(timer), wake()), { once: true });
    });

  /** Stream until it ends. Set `streamsFrom` if there is none. */
  async function stream() {
    const quiet = new AbortController();
    const quit = () => quiet.abort();
    signal.addEventListener('abort', quit);
    let timer = setTimeout(quit, SILENCE);
    try {
      const response = await fetch(address(`${mine ?? sale}/events`), {
        headers: { ...identity(), accept: 'text/event-stream' },
        cache: 'no-store',
        credentials: 'omit',
        signal: quiet.signal,
      });
      if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
        const seconds = Number(response.headers.get('retry-after'));
        streamsFrom = Date.now() + (1000 * seconds || NO_STREAMS);
        await response.body?.cancel();
        return;
      }
      on.live('stream');
      const alive = () => {
        clearTimeout(timer);
        timer = setTimeout(quit, SILENCE);
      };
      await readEvents(response.body, alive, (name, data) => {
        if (name !== 'end') on.event(name, data);
        else if (data.reason === 'newer') streamsFrom = Date.now() + NO_STREAMS;
      });
    } catch {
      // The poll that follows says whether the shop is there.
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', quit);
    }
  }

  /** Ask once for the present state. Return seconds until the next time. */
  async function poll() {
    const none = { status: 404 };
    const [inRoom, stock, state] = await Promise.all([
      Date.now() < roomFrom ? none : call('GET', room),
      call('GET', `${sale}/stock`),
      mine && call('GET', mine),
    ]);
    if (signal.aborted) return 0;
    if (state?.status === 200) on.event('order', state.body);
    else if (state?.status === 404) on.missing('order');
    else if (state?.status === 401) on.signIn();
    const found = [inRoom, stock].filter(({ status }) => status === 200);
    const isDown = [inRoom, stock, state].some((answer) => answer?.status >= 500);
    if (!found.length && isDown) throw new NoAnswer();
    on.live('poll');
    if (!found.length) {
      on.missing('sale');
      return SALE;
    }
    if (inRoom.status === 404 && !roomFrom) roomFrom = Date.now() + NO_STREAMS;
    on.event('sale', {
      room: inRoom.body ?? null,
      stock: stock.status === 200 ? stock.body : null,
      stale: isDown || Boolean(inRoom.body?.stale),
    });
    return mine ? (state.retryAfter ?? ORDER) : (inRoom.body?.pollAfter ?? SALE);
  }

  (async () => {
    while (!signal.aborted) {
      if (Date.now() >= streamsFrom) await stream();
      if (signal.aborted) return;
      let seconds = 0;
      try {
        seconds = await poll();
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        if (!signal.aborted) on.live('away');
      }
      // A stream that broke is soon replaced by another one.
      await pause(seconds && Date.now() < streamsFrom ? 1000 * seconds : AWAY);
    }
  })();
  return () => ending.abort();
}

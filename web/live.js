// The newest state of a sale and an order, by a stream of events, or by polling where there is none.

import { call, isTrouble, NoAnswer, send } from './api.js';

// Milliseconds: until a silent stream is dead (it has a comment each 10 s), until another one is
// tried, and between two looks at the stock of a room.
const SILENCE = 25_000;
const NO_STREAMS = 60_000;
const STOCK = 30_000;
// Seconds between two looks while the shop is away, at an order, and at a sale without a room.
const AWAY = 1.5;
const ORDER = 2;
const SALE = 4;

/** Vary a time, so that clients do not come all at once. */
export const vary = (time) => time * (0.75 + Math.random() / 2);

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
      const [, name] = /^event: (.*)$/m.exec(block) ?? [];
      const [, data] = /^data: (.*)$/m.exec(block) ?? [];
      if (name && data) event(name, JSON.parse(data));
    }
  }
}

/**
 * Watch a sale, and its order if there is one. Return a function that ends the watch.
 *
 * `on.event(name, data)` gets "sale", "order" and "unknown" (a store is down); `on.live(how)` gets
 * "stream", "poll" or "away". `on.missing` (no such sale), `on.orderMissing` and `on.signIn` (another
 * token is needed) get nothing.
 */
export function watch(product, order, on) {
  const sale = `v5/products/${encodeURIComponent(product)}`;
  const room = `v5/rooms/${encodeURIComponent(product)}`;
  let mine = order && `v5/orders/${encodeURIComponent(order)}`;
  const ending = new AbortController();
  const { signal } = ending;
  let streamsFrom = 0;
  let stockFrom = 0;

  function event(name, data) {
    // Another status is final, so only the sale is watched from then on.
    if (name === 'order' && !/PENDING|RESERVED/.test(data.status)) mine = null;
    on.event(name, data);
  }

  /** Stream until it ends. Set `streamsFrom` if there is none. */
  async function stream() {
    const quiet = new AbortController();
    const quit = () => quiet.abort();
    let timer;
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(quit, SILENCE);
    };
    signal.addEventListener('abort', quit);
    alive();
    try {
      const response = await send(`${mine ?? sale}/events`, { signal: quiet.signal });
      if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
        streamsFrom = Date.now() + (1000 * response.headers.get('retry-after') || NO_STREAMS);
        quit();
        return;
      }
      on.live('stream');
      await readEvents(response.body, alive, (name, data) => {
        if (name !== 'end') event(name, data);
        else if (data.reason === 'newer') streamsFrom = Date.now() + NO_STREAMS;
      });
    } catch {
      // The poll that follows says whether the shop is there.
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', quit);
    }
  }

  /** Ask once. Return seconds until the next time. */
  async function poll() {
    const [inRoom, stock, state] = await Promise.all([
      call('GET', room),
      Date.now() < stockFrom ? {} : call('GET', `${sale}/stock`),
      mine && call('GET', mine),
    ]);
    if (signal.aborted) return 0;
    const isRoom = inRoom.status === 200;
    // Without an answer about the room, nobody knows whether there is one.
    if (!isRoom && (isTrouble(inRoom) || isTrouble(stock))) {
      stockFrom = 0;
      throw new NoAnswer();
    }
    const units = stock.status === 200 ? stock.body : null;
    if (isRoom && units) stockFrom = Date.now() + vary(STOCK);
    on.live('poll');
    if (state?.status === 200) event('order', state.body);
    if (state?.status === 404) on.orderMissing();
    if (state?.status === 401) on.signIn();
    if (state?.status >= 500) event('unknown', { what: 'postgresql' });
    const now = inRoom.body?.now ?? stock.date;
    const stale = stock.status >= 500;
    if (isRoom || units) event('sale', { now, room: isRoom && inRoom.body, stock: units, stale });
    else on.missing();
    return mine ? (state.retryAfter ?? ORDER) : (inRoom.body?.pollAfter ?? SALE);
  }

  (async () => {
    while (!signal.aborted) {
      if (Date.now() >= streamsFrom) await stream();
      if (signal.aborted) return;
      let seconds = AWAY;
      try {
        const next = await poll();
        // A stream that broke is soon replaced by another one.
        if (Date.now() < streamsFrom) seconds = next;
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        if (!signal.aborted) on.live('away');
      }
      await new Promise((wake) => setTimeout(wake, vary(1000 * seconds)));
    }
  })();
  return () => ending.abort();
}

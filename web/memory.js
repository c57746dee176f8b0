// What this browser remembers of a buyer, so that a reload, a crash or a second tab goes on where
// they were. Everything is written before the request that it belongs to is sent. Tokens of a
// sign-in are never written.

const USER = 'flashsale:user';
const SWITCHES = 'flashsale:switches';

/** Return the stored value of a name, or `otherwise` if there is none that can be read. */
function read(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** Store a value. Without storage (a private window may have none) the page works until it is closed. */
function write(name, value) {
  try {
    if (value == null) localStorage.removeItem(name);
    else localStorage.setItem(name, JSON.stringify(value));
  } catch {
    /* see above */
  }
}

export const user = { get: () => read(USER, null), set: (id) => write(USER, id) };

export const switches = { get: () => read(SWITCHES, {}), set: (all) => write(SWITCHES, all) };

/**
 * Return what is remembered of one buyer in one sale.
 *
 * Its fields: `ticket`, `arrival`, `epoch`, `commitment` of a place in the waiting room; `admission`
 * and `until` (ISO) of a turn; `key`, the Idempotency-Key of a purchase that has no answer yet;
 * `order`, its id. `save(changes)` changes some of them; null deletes one.
 */
export function sale(product, buyer) {
  const name = `flashsale:${product}:${buyer}`;
  const mine = { ...read(name, {}) };
  mine.save = (changes) => {
    // Another tab may have changed the rest.
    const fresh = { ...read(name, {}), ...changes };
    for (const [field, value] of Object.entries(fresh)) if (value == null) delete fresh[field];
    write(name, fresh);
    for (const field of Object.keys(mine)) if (field !== 'save') delete mine[field];
    Object.assign(mine, fresh);
  };
  mine.refresh = () => mine.save({});
  return mine;
}

/** Call `changed` when another tab has written something. */
export function onChange(changed) {
  addEventListener('storage', (event) => {
    if (!event.key || event.key.startsWith('flashsale:')) changed();
  });
}

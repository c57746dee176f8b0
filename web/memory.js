// What this browser remembers of a buyer, so that a reload, a crash or a second tab goes on where
// they were. Each thing is stored before the request is sent that needs it. Tokens never are.

/** Store a value. A browser without storage works too, until the page is closed. */
export function store(name, value) {
  try {
    localStorage.setItem(`flashsale:${name}`, JSON.stringify(value));
  } catch {}
}

export function stored(name) {
  try {
    return JSON.parse(localStorage.getItem(`flashsale:${name}`));
  } catch {
    return null;
  }
}

/**
 * Return what is remembered of a buyer in a sale. `save(changes)` changes fields; null deletes.
 *
 * `ticket`, `arrival`, `epoch`, `commitment`: of a place in the room, which is used if `lapsed`;
 * `admission`, `until` (ISO): of a turn; `key`: of a purchase without an answer yet; `order`: its id.
 */
export function sale(product, buyer) {
  const name = `${product}:${buyer}`;
  const mine = {
    save(changes) {
      const { save, ...present } = mine;
      // Another tab may have saved.
      const fields = { ...(stored(name) ?? present), ...changes };
      for (const field in present) delete mine[field];
      for (const field in fields) if (fields[field] != null) mine[field] = fields[field];
      store(name, mine);
    },
  };
  mine.save({});
  return mine;
}

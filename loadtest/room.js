// Takes buyers through a waiting room: they join, poll as they are told, are admitted, and buy.
// `make spike ROOM=1` runs it. Options, each given as `-e NAME=value`:
//
//   BUYERS       who come, each once                  BASE_URL     of the API, without a slash at its end
//   LATE         share of them who join afterwards    HOST_HEADER  Host that selects the function
//   NO_SHOWS     share who never ask to be admitted   PRODUCT      the product with the room
//   BUY_SECONDS  until an admitted buyer buys         IDS          {"users": […]}, of `flashsale seed`
//   OPENS_IN     seconds until the room opens         SUMMARY      JSON file to write, if any
//   SECONDS      after which all buyers give up
//   CRASHES      share of the polls after which the client tries to buy without an admission
import exec from 'k6/execution';
import http from 'k6/http';
import hashes from 'k6/crypto';
import { SharedArray } from 'k6/data';
import { Counter, Rate, Trend } from 'k6/metrics';
import { sleep } from 'k6';
import { placeOf } from '../web/draw.js';

// k6's own digest takes no DataView, which the page's module gives it.
globalThis.crypto = {
  subtle: { digest: async (_, data) => hashes.sha256(data.buffer ? data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) : data, 'binary') },
};

const number = (name, fallback) => Number(__ENV[name] === undefined ? fallback : __ENV[name]);
const BUYERS = number('BUYERS', 300);
const LATE = number('LATE', 0.2);
const NO_SHOWS = number('NO_SHOWS', 0.3);
const BUY_SECONDS = number('BUY_SECONDS', 4);
const OPENS_IN = number('OPENS_IN', 10);
const SECONDS = number('SECONDS', 120);
const CRASHES = number('CRASHES', 0.1);
const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8000';
const PRODUCT = __ENV.PRODUCT || 'p-01';
const ROOM = `${BASE_URL}/api/v5/rooms/${PRODUCT}`;
const TIMEOUT_S = 30;
const NEAR = 20; // seconds before its turn from which on a client polls as often as it may
const OFTEN = 2;

const users = new SharedArray('users', () => JSON.parse(open(__ENV.IDS || '../.local/ids.json')).users);

const COUNTERS = ['joined', 'polls', 'called', 'no_shows', 'admitted', 'room_full', 'lapsed', 'turned_away', 'bought',
  'nothing_left', 'admission_over', 'gave_up', 'other_place', 'crashes_refused', 'crashes_sold_out',
  'crashes_bought', 'failed'];
const counters = Object.fromEntries(COUNTERS.map((name) => [name, new Counter(name)]));
const count = (name) => counters[name].add(1);
const waited = new Trend('waited_s'); // from the opening, or from joining later, until admitted
// Of the estimates that clients got: those of the first seconds after the opening, and later ones.
const EARLY = 15;
const told = { early: new Rate('early_in_range'), later: new Rate('later_in_range') };
const off = { early: new Trend('early_off_s'), later: new Trend('later_off_s') };

// `answered` decides which answers are failures, not k6.
http.setResponseCallback(null);

export const options = {
  scenarios: {
    buyers: { executor: 'per-vu-iterations', vus: BUYERS, iterations: 1, exec: 'buyer', maxDuration: `${OPENS_IN + SECONDS + TIMEOUT_S}s` },
  },
  summaryTrendStats: ['med', 'p(95)', 'max'],
};

const headers = { 'content-type': 'application/json' };
if (__ENV.HOST_HEADER) headers.host = __ENV.HOST_HEADER;
const sending = (more) => ({ headers: { ...headers, ...more }, timeout: `${TIMEOUT_S}s`, redirects: 0 });
const now = () => Date.now() / 1000;
const varied = (seconds) => seconds * (0.75 + Math.random() / 2);

function answered(answer) {
  if (answer.status === 0 || answer.status >= 500) count('failed');
  return answer;
}

const codeOf = (answer) => (answer.body ? answer.json('code') : '');

/** Return the public state of the room; null if it could not be had. */
function look() {
  count('polls');
  const answer = answered(http.get(ROOM, sending({})));
  return answer.status === 200 ? answer.json() : null;
}

function join(userId) {
  const body = JSON.stringify({ userId });
  for (;;) {
    const answer = answered(http.post(`${ROOM}/tickets`, body, sending({})));
    if (answer.status === 200) return answer.json();
    if (answer.status < 500 && answer.status !== 0 && answer.status !== 429) exec.test.abort(`tickets: ${answer.status} ${answer.body}`);
    sleep(varied(1));
  }
}

export async function buyer() {
  const userId = users[exec.scenario.iterationInTest % users.length];
  const late = Math.random() < LATE;
  sleep(late ? OPENS_IN + Math.random() * OPENS_IN : Math.random() * OPENS_IN * 0.8);
  const ticket = join(userId);
  count('joined');
  const since = Math.max(now(), Date.parse(ticket.opensAt) / 1000);
  const end = Date.parse(ticket.opensAt) / 1000 + SECONDS;
  let place = null;
  const estimates = [];
  while (now() < end) {
    const room = look();
    if (room === null) {
      sleep(varied(OFTEN));
      continue;
    }
    if (room.state === 'sold_out' || room.state === 'ended') break;
    if (room.seed === undefined) { // before the draw nobody has a place
      sleep(varied(Math.min(room.pollAfter, Math.max(0.5, (Date.parse(room.opensAt) - Date.parse(room.now)) / 1000))));
      continue;
    }
    if (place === null) {
      place = await placeOf(ticket.arrival, room.drawn, room.seed);
      ask(ticket.ticket, place);
    }
    const ahead = place - room.serving;
    if (ahead < 0) {
      called(estimates, Date.parse(ticket.opensAt) / 1000);
      if (Math.random() < NO_SHOWS) {
        count('no_shows');
        return;
      }
      enter(userId, ticket.ticket, since, end);
      return;
    }
    if (room.callsLastMinute) estimates.push({ at: now(), ...estimate(room, ahead) });
    if (Math.random() < CRASHES) crash(userId);
    const seconds = (ahead / Math.max(room.ratePerMinute, 1)) * 60;
    sleep(seconds < NEAR ? varied(OFTEN) : varied(room.pollAfter));
  }
  count('gave_up');
}

/** Ask to be admitted before the turn. The room must tell the same place; that costs Redis nothing. */
function ask(ticket, place) {
  const answer = answered(http.post(`${ROOM}/admission`, null, sending({ Ticket: ticket })));
  if (answer.status === 202 && answer.json('place') !== place) count('other_place');
}

/** Return the fewest and the most seconds to wait, as `wait_of` in domain/room_estimates.py does. */
function estimate(room, ahead) {
  const seconds = Math.min(60, Math.max(1, (Date.parse(room.now) - Date.parse(room.opensAt)) / 1000));
  const wait = (ahead * seconds) / room.callsLastMinute;
  return { from: wait * 0.7, to: wait * 1.3 };
}

function called(estimates, opened) {
  count('called');
  for (const { at, from, to } of estimates) {
    const when = at - opened < EARLY ? 'early' : 'later';
    const seconds = now() - at;
    // This client looks each two seconds, so it sees its turn up to that much later.
    told[when].add(seconds >= from - OFTEN && seconds <= to + OFTEN);
    off[when].add(Math.abs(seconds - (from + to) / 2));
  }
}

function enter(userId, ticket, since, end) {
  let answer;
  for (;;) {
    answer = answered(http.post(`${ROOM}/admission`, null, sending({ Ticket: ticket })));
    if (answer.status === 410) return count('lapsed');
    if (answer.status === 200) break;
    if (answer.status === 202) count('room_full');
    else if (answer.status < 500 && answer.status !== 0) exec.test.abort(`admission: ${answer.status} ${answer.body}`);
    if (now() >= end) return count('turned_away');
    sleep(varied(Number(answer.headers['Retry-After'] || 1)));
    const room = look();
    if (room && room.state === 'sold_out') return count('turned_away');
  }
  count('admitted');
  waited.add(now() - since);
  sleep(-Math.log(1 - Math.random()) * BUY_SECONDS);
  buy(userId, answer.json('admission'));
}

function buy(userId, admission) {
  const answer = purchase(userId, { Admission: admission });
  const code = codeOf(answer);
  if (answer.status === 202) count('bought');
  else if (code === 'sold_out') count('nothing_left');
  else if (code === 'admission_over' || code === 'admission_required') count('admission_over');
}

function purchase(userId, more) {
  const body = JSON.stringify({ productId: PRODUCT, userId });
  return answered(http.post(`${BASE_URL}/api/v5/buy`, body, sending(more)));
}

/** Try to buy past the room: with nothing, or with something that is no admission. */
function crash(userId) {
  const answer = purchase(userId, Math.random() < 0.5 ? {} : { Admission: 'eyJhbGciOiJub25lIn0.e30.' });
  const code = codeOf(answer);
  if (answer.status === 202) count('crashes_bought');
  else if (code === 'admission_required') count('crashes_refused');
  else if (code === 'sold_out') count('crashes_sold_out');
}

export function handleSummary(data) {
  const of = (name, figure) => (data.metrics[name] ? data.metrics[name].values[figure] : null);
  const summary = Object.fromEntries(COUNTERS.map((name) => [name, of(name, 'count') || 0]));
  for (const name of ['waited_s', 'early_off_s', 'later_off_s']) {
    summary[name] = data.metrics[name] ? { p50: of(name, 'med'), p95: of(name, 'p(95)') } : null;
  }
  for (const name of ['early_in_range', 'later_in_range']) summary[name] = of(name, 'rate');
  summary.seconds = data.state.testRunDurationMs / 1000;
  const files = { stdout: `${JSON.stringify(summary)}\n` };
  if (__ENV.SUMMARY) files[__ENV.SUMMARY] = JSON.stringify(summary, null, 1);
  return files;
}

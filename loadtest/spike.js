// Sends purchases at the rates of a profile of profiles.json, without waiting for answers.
// `make spike` runs it. `k6 inspect` shows the load. Options, each given as `-e NAME=value`:
//
//   PROFILE      spike, smoke or soak                      P95_MS      service level: p95 of accepted
//   SCALE        multiplies the rates                      ERROR_RATE  service level: share of failed
//   GENERATION   1 to 5                                    IDS         {"users": […]}, of `flashsale seed`
//   BASE_URL     of the API, without a slash at its end    PRODUCT     the product to buy
//   HOST_HEADER  Host that selects the function            SUMMARY     JSON file to write, if any
//   MAX_VUS      maximum of buyers that wait at the same time, 2000
//
// There are no retries. A throttled attempt is counted as throttled.
import exec from 'k6/execution';
import http from 'k6/http';
import { SharedArray } from 'k6/data';
import { Counter, Rate, Trend } from 'k6/metrics';

const PROFILE = __ENV.PROFILE || 'spike';
const SCALE = Number(__ENV.SCALE || 1);
const GENERATION = Number(__ENV.GENERATION || 5);
const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8000';
const PRODUCT = __ENV.PRODUCT || 'p-01';
const P95_MS = Number(__ENV.P95_MS || 1000);
const ERROR_RATE = Number(__ENV.ERROR_RATE || 0.01);
const MAX_VUS = Number(__ENV.MAX_VUS || 2000);
const MOST_UNSENT = 0.01; // share of all purchases; spike/outcome.py has the same value
const TIMEOUT_S = 30;

const profile = JSON.parse(open('profiles.json'))[PROFILE];
const users = new SharedArray('users', () => JSON.parse(open(__ENV.IDS || '../.local/ids.json')).users);

const rate = (perSecond) => Math.round(perSecond * SCALE); // k6 accepts whole numbers only
const peak = Math.max(rate(profile.start), ...profile.stages.map((stage) => rate(stage.rate)));
const purchases = profile.stages.reduce(
  (sum, stage, index) => sum + ((rate(index ? profile.stages[index - 1].rate : profile.start) + rate(stage.rate)) / 2) * stage.seconds,
  0,
);
const vus = (seconds) => Math.min(MAX_VUS, Math.max(50, Math.ceil(peak * seconds)));

const OUTCOMES = ['accepted', 'sold_out', 'throttled', 'refused', 'failed'];
const counters = Object.fromEntries(OUTCOMES.map((name) => [name, new Counter(name)]));
const failedShare = new Rate('failed_share');
const acceptedMs = new Trend('accepted_ms', true);

// `outcome` decides which answers are failures, not k6.
http.setResponseCallback(null);

export const options = {
  scenarios: {
    purchases: {
      executor: 'ramping-arrival-rate',
      timeUnit: '1s',
      startRate: rate(profile.start),
      stages: profile.stages.map((stage) => ({ duration: `${stage.seconds}s`, target: rate(stage.rate) })),
      preAllocatedVUs: vus(0.25), // enough for answers of 250 ms; while k6 creates more, it drops some iterations
      maxVUs: vus(10),
      gracefulStop: `${TIMEOUT_S + 5}s`, // so that each attempt gets its answer and is counted
    },
  },
  thresholds: {
    accepted_ms: [`p(95)<${P95_MS}`],
    failed_share: [`rate<${ERROR_RATE}`],
    dropped_iterations: [`count<=${Math.floor(purchases * MOST_UNSENT)}`], // or the load was not that of the profile
  },
  summaryTrendStats: ['med', 'p(95)', 'p(99)', 'max'],
};

// The same rules as `classify_answer` in infra/flashsale_local/sale/answers.py.
function outcome(status, body) {
  if (status === 201 || status === 202) return 'accepted';
  if (status === 400 && body.includes('Out of stock')) return 'sold_out';
  if (status === 409 && body.includes('"sold_out"')) return 'sold_out';
  // LocalStack's Function URL answers 500 if it throttles an invocation.
  if (status === 429 || (status >= 500 && body.includes('"TooManyRequestsException"'))) return 'throttled';
  return status === 0 || status >= 500 ? 'failed' : 'refused'; // 0: no answer
}

const headers = { 'content-type': 'application/json' };
if (__ENV.HOST_HEADER) headers.host = __ENV.HOST_HEADER;
const params = { headers, timeout: `${TIMEOUT_S}s`, redirects: 0 };

export default function () {
  const userId = users[exec.scenario.iterationInTest % users.length];
  const body = JSON.stringify({ productId: PRODUCT, userId });
  const answer = http.post(`${BASE_URL}/api/v${GENERATION}/buy`, body, params);
  const kind = outcome(answer.status, answer.body || '');
  counters[kind].add(1);
  failedShare.add(kind === 'failed');
  if (kind === 'accepted') acceptedMs.add(answer.timings.connecting + answer.timings.duration);
}

export function handleSummary(data) {
  const count = (name) => (data.metrics[name] ? data.metrics[name].values.count : 0);
  const outcomes = Object.fromEntries(OUTCOMES.map((name) => [name, count(name)]));
  const latency = data.metrics.accepted_ms.values;
  const kept = (name) => Object.values(data.metrics[name].thresholds).every((threshold) => threshold.ok);
  const summary = {
    profile: PROFILE,
    scale: SCALE,
    generation: GENERATION,
    product: PRODUCT,
    seconds: data.state.testRunDurationMs / 1000,
    outcomes,
    unsent: count('dropped_iterations'), // due while all VUs waited for an answer
    accepted_ms: { p50: latency.med, p95: latency['p(95)'], p99: latency['p(99)'], max: latency.max },
    thresholds: [
      { name: `p95 of accepted below ${P95_MS} ms`, value: latency['p(95)'], kept: kept('accepted_ms') },
      { name: `share of failed below ${ERROR_RATE}`, value: data.metrics.failed_share.values.rate, kept: kept('failed_share') },
    ],
  };
  const lines = Object.entries(outcomes).map(([name, number]) => `${name} ${number}`);
  const verdicts = summary.thresholds.map((one) => `${one.kept ? 'kept' : 'MISSED'}: ${one.name} (${one.value})`);
  if (!kept('dropped_iterations')) verdicts.push(`MISSED: k6 could not send ${summary.unsent} purchases`);
  const files = { stdout: `${[lines.join(', '), ...verdicts].join('\n')}\n` };
  if (__ENV.SUMMARY) files[__ENV.SUMMARY] = JSON.stringify(summary, null, 1);
  return files;
}

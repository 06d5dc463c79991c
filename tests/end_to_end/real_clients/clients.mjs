// HTTP clients of Node, each with the retries that it brings: reads jobs as JSON from stdin, and does some at once.
import { randomUUID } from 'node:crypto';
import axios from 'axios';
import axiosRetry from 'axios-retry';
import got from 'got';
import ky from 'ky';
import { Agent, RetryAgent, request } from 'undici';

// Longer than the fake takes on any machine, for what is not held up on purpose.
const TIMEOUT = 3000;
const AT_ONCE = 8;
const ATTEMPTS = 3;
const STATUSES = [429, 500, 502, 503, 504];
const BODY = { email: 'ada@example.com' };
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

function headersOf(job) {
  return {
    authorization: `Bearer ${job.secret}`,
    'content-type': 'application/json',
    'idempotency-key': randomUUID(),
    'paylera-version': '2026-04-01',
    'user-agent': job.client,
  };
}

const CLIENTS = {
  async fetch(job) {
    const headers = headersOf(job);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (attempt && job.renews) headers['idempotency-key'] = randomUUID();
      try {
        const signal = AbortSignal.timeout(TIMEOUT);
        const answer = await fetch(job.url, { method: 'POST', headers, body: JSON.stringify(BODY), signal });
        await answer.text();
        if (!STATUSES.includes(answer.status)) return;
        await sleep(1000 * Number(answer.headers.get('retry-after') ?? 0));
      } catch {
        continue;
      }
    }
  },
  async axios(job) {
    const client = axios.create({ timeout: TIMEOUT });
    const isWorthIt = (error) => !error.response || STATUSES.includes(error.response.status);
    axiosRetry(client, { retries: ATTEMPTS - 1, retryCondition: isWorthIt, shouldResetTimeout: true });
    if (job.renews) {
      client.interceptors.request.use((config) => {
        config.headers.set('Idempotency-Key', randomUUID());
        return config;
      });
    }
    await client.post(job.url, BODY, { headers: headersOf(job) });
  },
  async got(job) {
    const retry = {
      limit: ATTEMPTS - 1,
      methods: ['POST'],
      statusCodes: STATUSES,
      calculateDelay: ({ computedValue, retryAfter }) => computedValue && (retryAfter ?? 10),
    };
    const renew = (_error, _count) => {};
    await got.post(job.url, {
      json: BODY,
      headers: headersOf(job),
      timeout: { request: TIMEOUT },
      retry,
      hooks: {
        beforeRetry: [job.renews ? (error) => { error.options.headers['idempotency-key'] = randomUUID(); } : renew],
      },
    });
  },
  async ky(job) {
    const retry = {
      limit: ATTEMPTS - 1,
      methods: ['post'],
      statusCodes: STATUSES,
      afterStatusCodes: [429],
      retryOnTimeout: true,
      delay: () => 10,
    };
    await ky.post(job.url, {
      json: BODY,
      headers: headersOf(job),
      timeout: TIMEOUT,
      retry,
      hooks: {
        beforeRetry: [({ request: sent }) => { if (job.renews) sent.headers.set('Idempotency-Key', randomUUID()); }],
      },
    });
  },
  async undici(job) {
    const agent = new RetryAgent(new Agent({ headersTimeout: TIMEOUT, bodyTimeout: TIMEOUT }), {
      maxRetries: ATTEMPTS - 1,
      methods: ['POST'],
      statusCodes: STATUSES,
      minTimeout: 10,
      errorCodes: ['ECONNRESET', 'UND_ERR_SOCKET', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'],
    });
    const options = { method: 'POST', headers: headersOf(job), body: JSON.stringify(BODY), dispatcher: agent };
    await (await request(job.url, options)).body.text();
  },
};

let input = '';
for await (const piece of process.stdin) input += piece;
const jobs = JSON.parse(input);
const ended = [];
async function work() {
  while (jobs.length > 0) {
    const index = jobs.length - 1;
    const job = jobs.pop();
    ended[index] = await CLIENTS[job.client](job).then(() => 'fulfilled', (error) => error.name);
  }
}
await Promise.all(Array.from({ length: AT_ONCE }, work));
console.log(JSON.stringify(ended));
process.exit(0);

// With Node's fetch: a client that waits as it is told, and sends the same key again.
//
//   paylera-mock exec -- node --test retry-after.test.mjs
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";

const { PAYLERA_CONTROL_URL } = process.env;

async function json(url, body) {
  const answer = await fetch(url, body && {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return answer.json();
}

// What of an SDK is tested. `wait` is the test's, so that nothing sleeps.
async function createCustomer(baseUrl, key, email, wait) {
  const headers = {
    "Authorization": `Bearer ${key}`,
    "Content-Type": "application/json",
    "Idempotency-Key": randomUUID(),
    "Paylera-Version": "2026-04-01",
  };
  for (;;) {
    const answer = await fetch(`${baseUrl}/v1/customers`, { method: "POST", headers, body: JSON.stringify({ email }) });
    if (answer.status !== 429) return answer.json();
    await wait(Number(answer.headers.get("Retry-After")));
  }
}

test("a 429 is waited for, and repeated with the same key", async () => {
  const { url, control_url: control } = await json(`${PAYLERA_CONTROL_URL}/namespaces`, {});
  const { secret } = await json(`${control}/tokens`, { audience: "service", scopes: ["customers:write"] });
  await json(`${control}/faults`, { action: "answer", retry_after: 30 });

  await createCustomer(url, secret, "ada@example.com", (seconds) => json(`${control}/clock/advance`, { seconds }));

  const { data } = await json(`${control}/journal?method=POST`);
  assert.deepEqual(data.map((attempt) => attempt.answer.status), [429, 201]);
  assert.equal(data[0].headers["Idempotency-Key"], data[1].headers["Idempotency-Key"]);
});

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openNamespace } from "paylera-mock";
import { createCustomer } from "../client.js";

let fake;
before(async () => {
  fake = await openNamespace(); // in the fake of `paylera-mock exec`, or in one that it starts
});
after(() => fake.close());

test("a lost answer creates one customer", async () => {
  await fake.call("POST", "/faults", { body: { action: "drop", at: "after_commit" } });

  await createCustomer({ baseUrl: fake.url, key: fake.key }, "ada@example.com");

  const { count } = await fake.call("GET", "/objects", { query: { kind: "customer" } });
  assert.equal(count, 1);
});

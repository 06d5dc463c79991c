"use strict";

// For `globalSetup` of Jest and Vitest: one program for the whole run, in which each test file has a fake of its own.
// Under `paylera-mock exec` it is that which runs: it says at the end what the client did wrong.
const { startFake } = require("./lib/fake.js");

module.exports = async () => {
  if (process.env.PAYLERA_CONTROL_URL) return () => {};
  const started = await startFake();
  process.env.PAYLERA_MOCK_SHARED_URL = started.controlUrl;
  globalThis[Symbol.for("paylera-mock.run")] = started;
  return () => started.close(); // which Vitest calls; Jest has global-teardown.js
};

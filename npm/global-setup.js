"use strict";

// For `globalSetup` of Jest and Vitest: one program for the whole run, in which each test file has a fake of its own.
const { startFake } = require("./lib/fake.js");

module.exports = async () => {
  const started = await startFake();
  process.env.PAYLERA_MOCK_SHARED_URL = started.controlUrl;
  globalThis[Symbol.for("paylera-mock.run")] = started;
  return () => started.close(); // which Vitest calls; Jest has global-teardown.js
};

"use strict";

// The fake of one test file, which the set-up files open and close.
const { openNamespace } = require("./fake.js");

// A runner may load this package twice, for the set-up file and for the tests.
const CURRENT = Symbol.for("paylera-mock.file");

/** Open a fake for the test file that begins, and name it in the environment: what closes it. */
async function openFile() {
  const opened = await openNamespace();
  const named = {
    PAYLERA_MOCK_SHARED_URL: process.env.PAYLERA_MOCK_SHARED_URL ?? process.env.PAYLERA_CONTROL_URL,
    PAYLERA_BASE_URL: opened.url,
    PAYLERA_LIVE_BASE_URL: opened.liveUrl,
    PAYLERA_CONTROL_URL: opened.controlUrl,
    PAYLERA_KEY: opened.key,
    PAYLERA_ADMIN_KEY: opened.adminKey,
  };
  const before = Object.fromEntries(Object.keys(named).map((name) => [name, process.env[name]]));
  setAll(named);
  globalThis[CURRENT] = opened;
  return async () => {
    setAll(before);
    delete globalThis[CURRENT];
    await opened.close();
  };
}

function setAll(variables) {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}

/** The fake of this test file. Throws where no set-up file has opened one. */
function fake() {
  const opened = globalThis[CURRENT];
  if (opened) return opened;
  throw new Error(
    'there is no fake for this test file: add "paylera-mock/jest" to setupFilesAfterEnv of Jest, or ' +
      '"paylera-mock/vitest" to setupFiles of Vitest; elsewhere call openNamespace() or startFake()',
  );
}

module.exports = { fake, openFile };

"use strict";

const { spawn } = require("node:child_process");
const readline = require("node:readline");
const { explainSpawnError, findCommand } = require("./command.js");
const { callControl } = require("./control.js");

/** Start a fake on a free port. It ends with `close()`, and with this process at the latest. */
async function startFake({ args = [], env = process.env } = {}) {
  const [program, ...first] = findCommand(env);
  const child = spawn(program, [...first, "serve", "--port=0", "--quiet", "--exit-with-parent", ...args], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
    windowsHide: true,
  });
  const ended = new Promise((resolve) => {
    const command = [program, ...first].join(" ");
    child.once("exit", (code, signal) =>
      resolve(`it ended with ${signal ?? `status ${code}`} (${command}); stderr has its reason`),
    );
    child.once("error", (error) => resolve(explainSpawnError(program, error, env)));
  });
  const stop = () => child.kill();
  process.once("exit", stop);
  const line = await Promise.race([firstLine(child.stdout), ended.then((reason) => ({ reason }))]);
  if (line.reason) {
    process.removeListener("exit", stop);
    throw new Error(`the fake did not start: ${line.reason}`);
  }
  // A test that forgets to close it does not hang.
  child.unref();
  child.stdout.unref();
  const ready = JSON.parse(line.text);
  const place = { url: ready.url, liveUrl: ready.live_url, controlUrl: ready.control_url, controlToken: undefined };
  return {
    ...place,
    ready,
    call: (method, path, options) => callControl(place, method, path, options),
    namespace: (options) => openNamespace({ ...options, controlUrl: place.controlUrl }),
    close: async () => {
      process.removeListener("exit", stop);
      child.ref();
      child.kill();
      await ended;
    },
  };
}

async function firstLine(stream) {
  const lines = readline.createInterface({ input: stream });
  for await (const text of lines) return { text };
  return new Promise(() => {}); // it has ended without a line, which the end of the program tells
}

/**
 * A fake of its own within a running one: the one that is named, or that the environment names
 * (`paylera-mock exec`, `paylera-mock/global-setup`), or else one that is started for it.
 */
async function openNamespace({ controlUrl, controlToken, settings = {}, env = process.env } = {}) {
  const named = controlUrl ?? env.PAYLERA_MOCK_SHARED_URL ?? env.PAYLERA_CONTROL_URL;
  const started = named ? undefined : await startFake({ env });
  const shared = { controlUrl: named ?? started.controlUrl, controlToken: controlToken ?? env.PAYLERA_CONTROL_TOKEN };
  const made = await callControl(shared, "POST", "/namespaces", { body: settings });
  const place = { controlUrl: made.control_url, controlToken: shared.controlToken };
  const call = (method, path, options) => callControl(place, method, path, options);
  const mint = async (body) => (await call("POST", "/tokens", { body })).secret;
  return {
    id: made.id,
    url: made.url,
    liveUrl: made.live_url,
    controlUrl: made.control_url,
    sharedUrl: shared.controlUrl,
    key: await mint({ audience: "service", scopes: ["*"] }),
    adminKey: await mint({ audience: "admin", scopes: ["*"], aal: 2 }),
    call,
    close: async () => {
      await callControl(shared, "DELETE", "/namespaces/{id}", { path: { id: made.id } });
      await started?.close();
    },
  };
}

module.exports = { openNamespace, startFake };

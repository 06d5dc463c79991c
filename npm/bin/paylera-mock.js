#!/usr/bin/env node
"use strict";

// Runs the Python program with the arguments it was given, and ends as it does.
const { spawn } = require("node:child_process");
const { constants } = require("node:os");
const { CommandNotFoundError, explainSpawnError, findCommand } = require("../lib/command.js");

const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR2"];
// What is typed at a terminal reaches the program directly, and must not reach it twice.
const FROM_TERMINAL = new Set(["SIGINT", "SIGQUIT"]);

function run([program, ...first], args) {
  let child;
  // Before the program runs: it may make itself known to who sends a signal before `spawn` returns.
  for (const signal of FORWARDED) {
    process.on(signal, () => {
      if (!(FROM_TERMINAL.has(signal) && process.stdin.isTTY)) child.kill(signal);
    });
  }
  child = spawn(program, [...first, ...args], { stdio: "inherit" });
  child.on("error", (error) => fail(explainSpawnError(program, error), error.code === "ENOENT" ? 127 : 126));
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
    for (const each of FORWARDED) process.removeAllListeners(each);
    if (signal) process.kill(process.pid, signal);
  });
}

function fail(message, status) {
  process.stderr.write(`paylera-mock: ${message}\n`);
  process.exitCode = status;
}

try {
  run(findCommand(), process.argv.slice(2));
} catch (error) {
  if (!(error instanceof CommandNotFoundError)) throw error;
  fail(error.message, 127);
}

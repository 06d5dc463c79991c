"use strict";

// Calls of the control API. By node:http, since a test's environment may have no fetch, or a fake one.
const http = require("node:http");
const https = require("node:https");

/** The control API refused a call: its status, and the problem document that it answered with. */
class ControlError extends Error {
  constructor(method, path, status, problem) {
    const said = (problem.errors ?? []).map((each) => `${each.field}: ${each.message}`).join("; ");
    super(`${method} ${path}: ${status} ${said || problem.detail || problem.title || ""}`.trim());
    this.name = "ControlError";
    this.status = status;
    this.problem = problem;
  }
}

/** Call a control API: its result, `undefined` where it has none. */
async function callControl({ controlUrl, controlToken }, method, path, { path: inPath = {}, query = {}, body } = {}) {
  const filled = path.replace(/{(\w+)}/g, (_, name) => {
    if (inPath[name] == null) throw new Error(`${method} ${path}: path.${name} is missing`);
    return encodeURIComponent(inPath[name]);
  });
  const url = new URL(controlUrl + (filled === "/" ? "" : filled));
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  const { status, text } = await send(url, method, controlToken, body).catch((error) => {
    if (error.code !== "ECONNREFUSED") throw error;
    const reason = `nothing answers at ${controlUrl}: the fake was closed, or is not running`;
    throw new Error(`${method} ${path}: ${reason}`, { cause: error });
  });
  const result = text ? JSON.parse(text) : undefined;
  if (status >= 400) throw new ControlError(method, path, status, result ?? {});
  return result;
}

function send(url, method, controlToken, body) {
  const headers = { "Content-Type": "application/json" };
  if (controlToken) headers.Authorization = `Bearer ${controlToken}`;
  const { request } = url.protocol === "https:" ? https : http;
  return new Promise((resolve, reject) => {
    // No connection is kept: none holds up the end of a test run.
    const sent = request(url, { method, headers, agent: false }, (answer) => {
      const pieces = [];
      answer.on("data", (piece) => pieces.push(piece));
      answer.on("end", () => resolve({ status: answer.statusCode, text: Buffer.concat(pieces).toString("utf8") }));
      answer.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

module.exports = { ControlError, callControl };

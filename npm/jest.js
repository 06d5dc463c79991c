"use strict";

// For `setupFilesAfterEnv`. Jest waits for the function, so that a test file finds its fake in the environment at once.
const { openFile } = require("./lib/file.js");

module.exports = async () => {
  const close = await openFile();
  afterAll(close);
};

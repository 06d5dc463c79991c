"use strict";

const { CommandNotFoundError } = require("./lib/command.js");
const { ControlError } = require("./lib/control.js");
const { openNamespace, startFake } = require("./lib/fake.js");
const { fake } = require("./lib/file.js");

module.exports = { CommandNotFoundError, ControlError, fake, openNamespace, startFake };

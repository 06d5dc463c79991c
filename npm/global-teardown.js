"use strict";

module.exports = async () => {
  await globalThis[Symbol.for("paylera-mock.run")]?.close();
};

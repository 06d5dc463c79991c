// Copies what the pages of the dashboard load from node_modules into the package, and writes down what each file is.
// As in: cd mock_server/vendor && npm ci --ignore-scripts && npm run vendor

import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

const TARGET = new URL("../paylera_mock/dashboard/assets/vendor/", import.meta.url);

// A package, the file of it that holds its licence, and the files that are taken, by the names that they get.
const LIBRARIES = [
  {
    name: "htmx.org",
    licence: "LICENSE",
    files: { "htmx.min.js": "dist/htmx.min.js", "hx-sse.min.js": "dist/ext/hx-sse.min.js" },
  },
];

mkdirSync(TARGET, { recursive: true });
const table = LIBRARIES.map((library) => {
  const folder = new URL(`node_modules/${library.name}/`, import.meta.url);
  const about = JSON.parse(readFileSync(new URL("package.json", folder), "utf-8"));
  const named = { ...library.files, [`${library.name}.LICENSE.txt`]: library.licence };
  const files = Object.entries(named).map(([name, source]) => {
    copyFileSync(new URL(source, folder), new URL(name, TARGET));
    const sha256 = createHash("sha256").update(readFileSync(new URL(name, TARGET))).digest("hex");
    return { name, source, sha256 };
  });
  return { package: library.name, version: about.version, licence: about.license, files };
});
writeFileSync(new URL("vendored.json", TARGET), JSON.stringify(table, null, 2) + "\n");

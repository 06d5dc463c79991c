// Copies what the pages of the dashboard load from node_modules into the package, and writes down what each file is.
// As in: cd mock_server/vendor && npm ci --ignore-scripts && npm run vendor

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const TARGET = new URL("../paylera_mock/dashboard/assets/vendor/", import.meta.url);

// A package, the file of it that holds its licence, and the files that are taken, by the names that they get. What is
// named `.gz` is compressed, and served so.
const LIBRARIES = [
  {
    name: "htmx.org",
    licence: "LICENSE",
    files: { "htmx.min.js": "dist/htmx.min.js", "hx-sse.min.js": "dist/ext/hx-sse.min.js" },
  },
  {
    name: "swagger-ui-dist",
    licence: "LICENSE",
    files: {
      "swagger-ui-bundle.js.gz": "swagger-ui-bundle.js",
      "swagger-ui.css.gz": "swagger-ui.css",
      "swagger-ui-bundle.js.LICENSE.txt": "swagger-ui-bundle.js.LICENSE.txt", // of the libraries that are in the bundle
      "swagger-ui-dist.NOTICE.txt": "NOTICE",
    },
  },
];

mkdirSync(TARGET, { recursive: true });
const table = LIBRARIES.map((library) => {
  const folder = new URL(`node_modules/${library.name}/`, import.meta.url);
  const about = JSON.parse(readFileSync(new URL("package.json", folder), "utf-8"));
  const named = { ...library.files, [`${library.name}.LICENSE.txt`]: library.licence };
  const files = Object.entries(named).map(([name, source]) => {
    const body = readFileSync(new URL(source, folder));
    writeFileSync(new URL(name, TARGET), name.endsWith(".gz") ? gzipSync(body, { level: 9 }) : body);
    const sha256 = createHash("sha256").update(body).digest("hex");
    return { name, source, sha256 };
  });
  return { package: library.name, version: about.version, licence: about.license, files };
});
writeFileSync(new URL("vendored.json", TARGET), JSON.stringify(table, null, 2) + "\n");

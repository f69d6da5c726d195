// `npm run gen`: makes every generated file from the tables in mappings/. With --check it writes nothing
// and exits 1 when a committed file differs, naming it.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { generators } from "./gen/index.ts";

const check = process.argv.includes("--check");
const stale: string[] = [];
for (const generate of generators) {
  for (const [path, text] of Object.entries(await generate())) {
    const before = existsSync(path) ? readFileSync(path, "utf8") : undefined;
    if (before === text) continue;
    stale.push(path);
    if (check) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}
if (check && stale.length > 0) {
  console.error(`stale: ${stale.join(", ")}. Run \`npm run gen\` and commit the result.`);
  process.exit(1);
}
console.log(stale.length === 0 ? "generated files are up to date" : `wrote ${stale.join(", ")}`);

#!/usr/bin/env node
// Starts Tapline on Node 24: on this Node when it is new enough, else on the one that comes with the package. What was
// compiled once is kept beside what was installed, where only who may change the code may change it. A collector gets bounds
// for its memory.
import { spawn } from "node:child_process";
import module from "node:module";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { boundMemory } from "./memory.js";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

if (Number(process.versions.node.split(".")[0]) >= 24) {
  if (process.argv[2] === "run") boundMemory();
  module.enableCompileCache(here("../node_modules/.cache/tapline"));
  await import("../src/main.ts");
} else {
  const node = here("../node_modules/node/bin/node");
  const child = spawn(node, [here("tapline.js"), ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(`tapline: cannot start ${node}: ${error.message}. Run \`npm ci\` first.`);
    process.exit(3);
  });
  child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

#!/usr/bin/env node
// Starts Tapline on Node 24: on this Node when it is new enough, else on the one that comes with the package. What was
// compiled once is kept beside what was installed, where only who may change the code may change it. A collector gets a bound
// for its heaps: without one V8 lets four times as much garbage stand as there is alive.
import { spawn } from "node:child_process";
import module from "node:module";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { getHeapStatistics } from "node:v8";

/** MiB that each thread's old objects may take, some five times what is alive. NODE_OPTIONS can say otherwise. */
const HEAP_MB = 1024;

/** Starts over in the same process with the bound, which can only be given at the start. */
function boundHeap() {
  const named = [...process.execArgv, process.env.NODE_OPTIONS ?? ""].some((text) =>
    /max-old-space|max-heap/.test(text),
  );
  if (
    named ||
    process.execve === undefined ||
    getHeapStatistics().heap_size_limit <= HEAP_MB * 1.25 * 2 ** 20
  )
    return;
  const flags = [`--max-old-space-size=${HEAP_MB}`, ...process.execArgv];
  process.execve(process.execPath, [process.execPath, ...flags, ...process.argv.slice(1)]);
}

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

if (Number(process.versions.node.split(".")[0]) >= 24) {
  if (process.argv[2] === "run") boundHeap();
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

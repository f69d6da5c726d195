// One of many processes that ask one policy: takes from a rate, or lists tools. Prints how many were let through. Tries
// again when a busy machine gave it no turn in time, as callers may: what counts is that nothing is lost or taken twice.
import { TaplineError } from "../../src/core/errors.ts";
import { FileState } from "../../src/policy/state.ts";

const [dir, what, times] = process.argv.slice(2) as [string, string, string];
const state = new FileState(dir);
let passed = 0;

function once(i: number): void {
  if (what === "rate") passed += state.take("tools.t ada", { calls: 40, per_s: 3600 }, Date.now()) ? 1 : 0;
  else state.see(`server s${i}`, [{ name: what, hash: "sha256:1" }], Date.now());
}

for (let i = 0; i < Number(times); i++) {
  for (;;) {
    try {
      once(i);
      break;
    } catch (error) {
      if (!(error instanceof TaplineError && error.code === "TURN_LATE")) throw error;
    }
  }
}
console.log(passed);

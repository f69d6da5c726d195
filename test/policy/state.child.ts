// One of many processes that ask one policy: takes from a rate, or lists tools. Prints how many were let through.
import { FileState } from "../../src/policy/state.ts";

const [dir, what, times] = process.argv.slice(2) as [string, string, string];
const state = new FileState(dir);
let passed = 0;
for (let i = 0; i < Number(times); i++) {
  if (what === "rate") passed += state.take("tools.t ada", { calls: 40, per_s: 3600 }, Date.now()) ? 1 : 0;
  else state.see(`server s${i}`, [{ name: what, hash: "sha256:1" }], Date.now());
}
console.log(passed);

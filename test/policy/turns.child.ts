// One of many processes that take turns: adds to a number in a file, with reading and writing apart. `die`: ends in the
// middle of a turn. Says `ready` when it may be started.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { takeTurn } from "../../src/core/turns.ts";

const [dir, times, die] = process.argv.slice(2) as [string, string, string | undefined];
const count = join(dir, "count");
for (let i = 0; i < Number(times); i++) {
  const giveBack = takeTurn(join(dir, "turn"), 60_000);
  const n = Number(readFileSync(count, "utf8"));
  if (die !== undefined && i === Number(die)) process.kill(process.pid, "SIGKILL");
  writeFileSync(count, String(n + 1));
  giveBack();
}

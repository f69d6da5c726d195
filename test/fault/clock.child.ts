// Loaded before a collector: its wall clock is off by the milliseconds that a file names, also when they change while it
// runs. Timers go on as they are, as they do when a real clock is set.
import { readFileSync } from "node:fs";

const path = process.env["TAPLINE_TEST_CLOCK"]!;
const now = Date.now.bind(Date);
let offset = 0;
function look(): void {
  offset = Number(readFileSync(path, "utf8"));
}
look();
setInterval(look, 50).unref();
const Usual = Date;
globalThis.Date = class extends Usual {
  constructor(...of: [] | [number | string | Date]) {
    if (of.length === 0) super(now() + offset);
    else super(...of);
  }
  static override now(): number {
    return now() + offset;
  }
} as DateConstructor;

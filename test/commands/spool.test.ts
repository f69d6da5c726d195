// A spool that is read once: what is settled is deleted before the run ends, what may still grow stays.
import { spawnSync } from "node:child_process";
import { appendFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { SpoolWriter } from "../../src/chokepoint/spool-writer.ts";
import { actionsOf, configure, entriesOf, newHome, tapline } from "./tapline.ts";

let calls = 0;
const call = (): string =>
  JSON.stringify({
    ts: new Date(Date.UTC(2026, 10, 1, 12, 0, calls)).toISOString(),
    dir: "c2s",
    conn: "c",
    session: "s",
    server: { name: "board" },
    msg: { jsonrpc: "2.0", id: calls++, method: "tools/call", params: { name: "post", arguments: {} } },
  });

test("finished segments are gone after run --once, those of a stream that is open stay", async () => {
  const home = newHome();
  const dir = join(home, "spool");
  const writers = [200, 1_000_000, 200].map(
    (segment_bytes) => new SpoolWriter({ dir, kind: "mcp", durability: "process", segment_bytes }),
  );
  for (const writer of writers) for (let i = 0; i < 3; i++) writer.append(call());
  for (const writer of writers.slice(0, 2)) writer.end(call());
  expect(readdirSync(dir).length).toBeGreaterThan(5);
  const config = configure(home, {
    workers: 2,
    sources: { spool: { type: "spool", dir } },
    sinks: { none: { type: "null" } },
  });
  for (const known of [11, 11]) {
    expect((await tapline(home, ["run", "--once", "-c", config])).code).toBe(0);
    const entries = await entriesOf(join(home, "state", "ledger"));
    expect([actionsOf(entries, "tool-call").length, actionsOf(entries, "gap")]).toEqual([known, []]);
    // The last segment of the third may still grow.
    expect(readdirSync(dir).map((name) => name.split(".")[0])).toEqual([writers[2]!.stream]);
  }
});

test("a stream whose writer was killed in the middle of a line does not hold the run up", async () => {
  const home = newHome();
  const dir = join(home, "spool");
  const code = `const { SpoolWriter } = await import(${JSON.stringify(resolve("src/chokepoint/spool-writer.ts"))});
    new SpoolWriter({ dir: ${JSON.stringify(dir)}, kind: "mcp", durability: "process" }).append(${JSON.stringify(call())});
    process.kill(process.pid, "SIGKILL");`;
  expect(spawnSync(process.execPath, ["--input-type=module", "-e", code]).signal).toBe("SIGKILL");
  const [name] = readdirSync(dir);
  appendFileSync(join(dir, name!), '{"n":2,"cut');
  const config = configure(home, {
    sources: { spool: { type: "spool", dir } },
    sinks: { none: { type: "null" } },
  });
  for (const _ of [1, 2]) expect((await tapline(home, ["run", "--once", "-c", config])).code).toBe(0);
  expect(actionsOf(await entriesOf(join(home, "state", "ledger")), "tool-call")).toHaveLength(1);
});

// The viewer's process: bounded in memory as a whole, started again when it dies, under the same link, and no matter of the
// collector's.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test, vi } from "vitest";
import type { Order, Said } from "../../src/viewer/main.ts";
import { configure, entriesOf, field, newHome, start } from "../commands/tapline.ts";
import { SECRETS, newAssets, newDir } from "./serve.ts";

const MAIN = resolve("src/viewer/main.ts");

async function saidBy(child: ChildProcess): Promise<{ said: Said[]; code: number | null }> {
  const said: Said[] = [];
  child.on("message", (one: Said) => said.push(one));
  const [code] = (await once(child, "exit")) as [number | null];
  return { said, code };
}

test("a process that has more memory than it may ends, and says so", async () => {
  const state_dir = newDir();
  const place = { state_dir, store_dir: join(state_dir, "local"), ledger_dir: join(state_dir, "ledger") };
  const order: Order = {
    place: { ...place, host: "h", namespace: "default", memory_mb: 256 },
    rules: [],
    port: 0,
    any_port: true,
    assets_dir: newAssets(),
    secrets: SECRETS,
    most_mb: 16, // Node alone has more
  };
  const child = fork(MAIN, [], { env: {}, stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const ended = saidBy(child);
  child.send(order);
  const { said, code } = await ended;
  expect(code).toBe(1);
  expect(said.at(-1)).toEqual({
    type: "warn",
    message: expect.stringMatching(/^viewer: its process has \d+ MB of memory, and may have 16$/) as string,
  });
}, 120_000);

/** Child processes of a process whose arguments have a word in them. */
function childrenOf(pid: number, word: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((one) => {
      try {
        const parent = Number(readFileSync(`/proc/${one}/stat`, "utf8").split(") ")[1]!.split(" ")[1]);
        return parent === pid && readFileSync(`/proc/${one}/cmdline`, "utf8").includes(word);
      } catch {
        return false; // it ended meanwhile
      }
    });
}

test.skipIf(process.platform !== "linux")(
  "killed, it is started again under the same link, and the collector does not notice",
  async () => {
    const home = newHome();
    const log = join(home, "app.jsonl");
    const line = (n: number): string =>
      `${JSON.stringify({ ts: new Date().toISOString(), dir: "c2s", conn: "c", session: "s", server: { name: "ops" }, msg: { jsonrpc: "2.0", id: n, method: "tools/call", params: { name: "deploy", arguments: {} } } })}\n`;
    writeFileSync(log, line(1));
    const config = configure(home, {
      bundled_rules: false,
      sources: { app: { type: "file", include: [log], format: "mcp" } },
      sinks: { local: { type: "store" } },
      viewer: { port: 0 },
    });
    const collector = start(home, "run", "-c", config);
    let printed = "";
    for (const stream of [collector.stdout!, collector.stderr!])
      stream.on("data", (chunk: Buffer) => (printed += chunk.toString()));
    const wait = <T>(look: () => T | Promise<T>): Promise<T> =>
      vi.waitFor(look, { timeout: 100_000, interval: 200 });
    const link = await wait(() => {
      const found = /viewer +(http:\/\/127\.0\.0\.1:\d+\/open\?token=\S+)/.exec(printed);
      if (found === null) throw new Error(printed);
      return found[1]!;
    });
    const calls = async (): Promise<number> =>
      (await entriesOf(join(home, "state", "ledger"))).filter(
        (entry) => field(entry, "event.action") === "tool-call",
      ).length;
    await wait(async () => expect(await calls()).toBe(1));
    for (const turn of [1, 2]) {
      const [viewer] = await wait(() => {
        const found = childrenOf(collector.pid!, "viewer/main");
        expect(found).toHaveLength(1);
        return found;
      });
      process.kill(viewer!, "SIGKILL");
      appendFileSync(log, line(turn + 1));
      await wait(async () => expect(await calls()).toBe(turn + 1));
      await wait(async () => {
        const opened = await fetch(link, { redirect: "manual" });
        expect(opened.status).toBe(303);
      });
      expect(childrenOf(collector.pid!, "viewer/main")).not.toContain(viewer);
      await wait(() =>
        expect(printed.match(/the viewer's process ended \(SIGKILL\), started again/g)).toHaveLength(turn),
      );
    }
    collector.kill("SIGTERM");
    const [code] = (await once(collector, "exit")) as [number | null];
    expect(code).toBe(0);
  },
  300_000,
);

// A collector that is asked how it is: alive, ready, and figures that are those of `tapline status`; by its own names only.
import { request } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Status } from "../../src/status.ts";
import { configure, ended, newHome, start, tapline } from "./tapline.ts";

const home = newHome();

function config(listen: string): string {
  return configure(home, {
    sources: { sample: { type: "file", include: [join(process.cwd(), "sample/*.jsonl")] } },
    sinks: { out: { type: "null" } },
    viewer: { enabled: false },
    health: { listen },
  });
}

interface Answer {
  readonly status: number;
  readonly text: string;
}
function get(url: URL, path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = url;
    request({ hostname, port, path, headers, method }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode!, text }));
    })
      .on("error", reject)
      .end();
  });
}

test("alive, ready and counted like the status; strangers and other methods are refused", async () => {
  const path = config("127.0.0.1:0");
  const collector = start(home, "run", "-c", path);
  let said = "";
  collector.stdout!.on("data", (chunk: Buffer) => (said += chunk.toString()));
  await expect.poll(() => said, { timeout: 60_000 }).toMatch(/health +http:\/\/127\.0\.0\.1:\d+\//);
  const url = new URL(/health +(\S+)/.exec(said)![1]!);
  expect(await get(url, "/healthz")).toEqual({ status: 200, text: "alive\n" });
  await expect.poll(() => get(url, "/readyz"), { timeout: 60_000 }).toEqual({ status: 200, text: "ready\n" });
  const valueOf = (text: string, name: string): number =>
    Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1]);
  await expect
    .poll(async () => valueOf((await get(url, "/metrics")).text, "tapline_events_total"), { timeout: 60_000 })
    .toBeGreaterThan(50);
  // Heartbeats go on: both are asked until nothing came between.
  await expect
    .poll(
      async () => {
        const { stdout } = await tapline(home, ["status", "-c", path, "--json"]);
        const { entries, tally } = JSON.parse(stdout) as Status;
        const { text } = await get(url, "/metrics");
        const names = ["records_read_total", "events_total", "alerts_total", "ledger_entries"];
        const told = names.map((name) => valueOf(text, `tapline_${name}`));
        return JSON.stringify(told) === JSON.stringify([tally.read, tally.events, tally.alerts, entries]);
      },
      { timeout: 60_000 },
    )
    .toBe(true);
  expect((await get(url, "/metrics", { host: "attacker.example" })).status).toBe(403);
  expect((await get(url, "/metrics", { origin: "http://127.0.0.1" })).status).toBe(403);
  expect((await get(url, "/metrics", {}, "POST")).status).toBe(405);
  expect((await get(url, "/status.json")).status).toBe(404);
  collector.kill("SIGTERM");
  expect((await ended(collector)).code).toBe(0);
  await expect(get(url, "/healthz")).rejects.toThrow(/ECONNREFUSED/);
}, 240_000);

test("an address that cannot be listened on, or is none, is told", async () => {
  const wrong = await tapline(home, ["check", "-c", config("everywhere")]);
  expect([wrong.code, wrong.stdout + wrong.stderr]).toEqual([
    expect.any(Number),
    expect.stringContaining("an address and a port: 127.0.0.1:9464 at health.listen"),
  ]);
  expect(wrong.code).not.toBe(0);
  const taken = await tapline(home, ["run", "-c", config("192.0.2.1:9")]);
  expect([taken.code, taken.stderr]).toEqual([3, expect.stringContaining("cannot listen on 192.0.2.1:9")]);
}, 120_000);

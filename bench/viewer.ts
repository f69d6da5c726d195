// Asks a viewer in this process what its pages ask, each once and once more, over a store that bench/store.ts filled.
// Prints wall time and CPU (of the whole process: DuckDB's threads, the server and this client) as one table.
//   node bench/viewer.ts --state DIR [--memory 1024] [--only NAME]     the store in DIR/local, the ledger in DIR/ledger
import assert from "node:assert";
import { mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { openReader } from "../src/ledger/reader.ts";
import { BUNDLED_RULES, VIEWER_PAGES } from "../src/paths.ts";
import { Context } from "../src/viewer/context.ts";
import { cookieName } from "../src/viewer/guard.ts";
import { Rules } from "../src/viewer/rules.ts";
import { openServer } from "../src/viewer/server.ts";
import { Warmth } from "../src/viewer/warm.ts";

const { values } = parseArgs({
  options: {
    state: { type: "string" },
    memory: { type: "string", default: "1024" },
    only: { type: "string", default: "" },
  },
});
assert(values.state !== undefined, "--state a directory with local/ and ledger/");
const state_dir = values.state;
const memory_mb = Number(values.memory);
const place = {
  state_dir,
  store_dir: join(state_dir, "local"),
  ledger_dir: join(state_dir, "ledger"),
  host: "bench",
  namespace: "bench",
  memory_mb,
};
const secrets = { owner: "a", reader: "b", owner_cookie: "bench", reader_cookie: "c" };

const cpu_ms = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};
const context = await Context.open(place, openReader(place.ledger_dir), new Rules([BUNDLED_RULES]));
const before_ms = cpu_ms();
await warm();
console.log(`made ready: ${((cpu_ms() - before_ms) / 1_000).toFixed(1)} s of CPU`);
const options = { context, port: 0, assets_dir: VIEWER_PAGES, secrets, onBug: console.error };
const { port } = await openServer(options);

/** What the viewer's process does in the background, until it is done with every file that stays. */
async function warm(): Promise<void> {
  const kept = join(state_dir, "viewer");
  mkdirSync(kept, { recursive: true });
  const warmth = new Warmth(context.database, context.figures, kept, () => context.readAhead());
  const done = warmth.run();
  const parts = (await context.database.view()).parts.filter(({ stays }) => stays).length;
  while (readdirSync(kept).length < parts) await sleep(200);
  // What was kept before is read, too.
  for (let cells = -1; cells !== context.figures.cells; await sleep(5_000)) cells = context.figures.cells;
  warmth.close();
  await done;
}

const headers = { cookie: `${cookieName(port)}=bench` };

async function get(path: string): Promise<{ body: string; first_ms: number; all_ms: number; cpu: number }> {
  const begin_ms = performance.now();
  const begin_cpu = cpu_ms();
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
  let first_ms = 0;
  let body = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body!) {
    body += decoder.decode(chunk as Uint8Array, { stream: true });
    if (first_ms === 0) first_ms = performance.now() - begin_ms;
  }
  assert(response.ok || response.status === 404, `${path}: ${response.status} ${body}`);
  return { body, first_ms, all_ms: performance.now() - begin_ms, cpu: cpu_ms() - begin_cpu };
}

interface Line {
  readonly type: string;
  readonly events?: readonly { index: number; id: string }[];
}
const lines = (body: string): Line[] =>
  body
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
const hitsOf = (body: string) => lines(body).flatMap(({ events }) => events ?? []);

const [newest] = hitsOf((await get("/api/events?limit=1&q=event.action:tool-result&total=no")).body);
const oldest = Number(/"first":(\d+)/.exec(readFileSync(join(place.store_dir, "manifest.json"), "utf8"))![1]);
const old = hitsOf((await get(`/api/events?limit=1&total=no&q=event.sequence:${oldest + 777}`)).body)[0]!;
const alert = (
  JSON.parse((await get("/api/alerts?limit=20")).body) as { alerts: { event: { id: string } }[] }
).alerts.at(-1)!;
const session = (
  JSON.parse((await get("/api/sessions?limit=20")).body) as { sessions: { id: string }[] }
).sessions.at(-1)!;
const rule = (JSON.parse((await get("/api/rules")).body) as { rules: { id: string }[] }).rules[0]!;
const q = encodeURIComponent;

const PAGES: [string, string][] = [
  ["first 50, tool:fetch", "/api/events?total=no&q=tool:fetch"],
  ["first 50, a word of most events", "/api/events?total=no&q=resolver"],
  ["first 50, rule.name:* (rare)", `/api/events?total=no&q=${q("rule.name:* level:critical")}`],
  ["totals, no condition", "/api/events"],
  ["totals, tool:fetch", "/api/events?q=tool:fetch"],
  ["totals, last 90 days, user:*", `/api/events?from=now-90d&q=${q("user:*")}`],
  ["totals, a field no chart has", `/api/events?q=${q("tapline.data.bytes_out:>100")}`],
  ["a word that occurs nowhere", "/api/events?q=zzunheardof"],
  ["first 50, a word of one event in a hundred", "/api/events?total=no&q=part76"],
  ["totals, a word of one event in a hundred", "/api/events?q=part76"],
  ["totals, a path of few events", `/api/events?q=${q("part76/file_397.ts")}`],
  ["sessions", "/api/sessions"],
  ["sessions, tool:fetch", "/api/sessions?q=tool:fetch"],
  ["one session", `/api/sessions/${q(session.id)}`],
  ["alerts", "/api/alerts"],
  ["one alert", `/api/alerts/${q(alert.event.id)}`],
  ["newest event, by index", `/api/events/${newest!.index}`],
  ["oldest event, by id", `/api/events/${q(old.id)}`],
  ["an event that is not there", "/api/events/nosuchidentifier"],
  ["controls", "/api/controls"],
  ["control A.6.2.6", "/api/controls/A.6.2.6"],
  ["control A.6.2.6, 30 days", "/api/controls/A.6.2.6?from=now-30d"],
  ["rules", "/api/rules"],
  ["one rule", `/api/rules/${q(rule.id)}`],
  ...["operation", "incidents", "use", "data", "exfiltration", "coverage"].flatMap(
    (id): [string, string][] => [
      [`dashboard ${id}, its period`, `/api/dashboards/${id}/data`],
      [`dashboard ${id}, 90 days`, `/api/dashboards/${id}/data?from=now-90d`],
      [`dashboard ${id}, 30 days, one server`, `/api/dashboards/${id}/data?from=now-30d&q=server:github`],
    ],
  ),
];

const seconds = (ms: number): string => (ms / 1_000).toFixed(2);
console.log(
  "| asked | first byte, s | all, s | CPU, s | again, s | again, CPU, s |\n|---|---|---|---|---|---|",
);
for (const [name, path] of PAGES) {
  if (!new RegExp(values.only).test(name)) continue;
  const once = await get(path);
  const again = await get(path);
  console.log(
    `| ${name} | ${[once.first_ms, once.all_ms, once.cpu, again.all_ms, again.cpu].map(seconds).join(" | ")} |`,
  );
}
console.log(
  `${context.figures.cells} figures remembered; memory: ${Math.round(process.memoryUsage.rss() / 1_048_576)} MB, load ${readFileSync("/proc/loadavg", "utf8").slice(0, 14)}`,
);
process.exit(0);

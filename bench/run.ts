// `npm run bench [-- --events N] [NAME]`: micro benches of each stage, then whole collectors from files to each
// sink. Tiny by default, so that they cannot rot; `--events 1000000` gives the figures of bench/README.md.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { generate } from "./generate.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    events: { type: "string", default: "20000" },
    only: { type: "string" },
    dir: { type: "string" },
    // Of `peers`, of `kafka` and of `latency`.
    runs: { type: "string" },
    entrants: { type: "string" },
    cases: { type: "string" },
    url: { type: "string" },
    engine: { type: "string" },
    pid: { type: "string" },
  },
});
const only = values.only ?? positionals[0];
const events = Number(values.events);
const here = import.meta.dirname;
const work = values.dir ?? join(tmpdir(), `tapline-bench-${process.pid}`);
const wanted = (name: string): boolean => only === undefined || name.includes(only);

console.log(`${cpus().length} × ${cpus()[0]!.model}, Node ${process.version}, ${events} events`);
for (const file of readdirSync(join(here, "hot")).filter((name) => name.endsWith(".ts"))) {
  if (!wanted(`hot/${file}`)) continue;
  console.log(`hot/${file}`);
  process.stdout.write(execFileSync(process.execPath, [join(here, "hot", file)], { encoding: "utf8" }));
}

async function data(files: number): Promise<string> {
  const dir = join(work, `data-${events}-${files}`);
  if (!existsSync(dir)) await generate(dir, events, files);
  return dir;
}

function flow(options: Record<string, string>): void {
  const args = Object.entries(options).flatMap(([key, value]) => [`--${key}`, value]);
  const state = join(work, "state");
  process.stdout.write(
    execFileSync(
      process.execPath,
      [join(here, "flow", "bounded.ts"), join(here, "flow", "case.ts"), "--state", state, ...args],
      { encoding: "utf8" },
    ),
  );
  rmSync(state, { recursive: true, force: true });
}

/** Ten that matter, for a collector that does not run them all. */
const TEN = [
  "agent/privilege_escalation_bypass_mode",
  "credentials/credential_access_credential_file",
  "execution/command_and_control_reverse_shell",
  "execution/execution_download_to_shell",
  "execution/impact_destructive_command",
  "exfiltration/exfiltration_drop_service",
  "exfiltration/exfiltration_secret_in_call",
  "injection/initial_access_tool_poisoning",
  "injection/stealth_invisible_text",
  "unsanctioned/initial_access_server_without_tls",
].join(",");

mkdirSync(work, { recursive: true });
if (wanted("file_to_null")) {
  flow({ sink: "null", dir: await data(8) });
  flow({ sink: "null", dir: await data(8), rules: TEN });
  flow({ sink: "null", dir: await data(8), workers: "1" });
  flow({ sink: "null", dir: await data(1) });
}
if (wanted("file_to_store")) flow({ sink: "store", dir: await data(8) });
if (wanted("file_to_bulk")) {
  const server = spawn(process.execPath, [join(here, "flow", "bulk-server.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(server.stdout, "data")) as [Buffer];
  flow({ sink: "bulk", dir: await data(8), url: line.toString().trim() });
  server.kill();
}
if (wanted("mcp_proxy")) {
  const args = [join(here, "flow", "mcp_proxy.ts"), "--calls", String(Math.min(events / 20, 10_000))];
  process.stdout.write(execFileSync(process.execPath, args, { encoding: "utf8" }));
}
function run(file: string, options: Record<string, string | undefined>): void {
  const args = Object.entries(options).flatMap(([key, value]) =>
    value === undefined ? [] : [`--${key}`, value],
  );
  execFileSync(process.execPath, [join(here, "flow", file), ...args], { stdio: "inherit" });
}
if (wanted("peers")) {
  // Only asked for by name it takes more than a moment.
  const { runs, entrants, cases = only === undefined ? "b" : undefined } = values;
  run("peers/main.ts", { events: values.events, dir: work, runs, entrants, cases });
}
// With a broker of their own these take a while: only asked for by name they run with as many events as the others.
const with_kafka = only === undefined ? String(Math.min(events, 2_000)) : values.events;
if (wanted("kafka"))
  run("kafka.ts", { events: with_kafka, runs: values.runs ?? (only === undefined ? "1" : undefined) });
if (wanted("hosts")) {
  const { url, engine, pid } = values;
  run("hosts.ts", { events: with_kafka, url, engine, pid });
}
if (wanted("latency")) {
  const { url, engine } = values;
  const short = only === undefined ? { seconds: "2", rates: "1000", poll: "20" } : {};
  run("latency.ts", { url, engine, ...short });
}
if (values.dir === undefined) rmSync(work, { recursive: true, force: true });

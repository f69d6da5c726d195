// `tapline run`: collect until stopped. With no configuration: this machine's agents into the ledger and the store.
import { homedir } from "node:os";
import { join } from "node:path";
import { type Collector, openCollector } from "../collector.ts";
import { type Typed, sinksOf } from "../components.ts";
import { type Config, parseConfig } from "../config.ts";
import { SUBMISSIONS } from "../core/incident.ts";
import { reasonOf } from "../core/errors.ts";
import type { Event } from "../core/generated/event.ts";
import { openLog } from "../core/log.ts";
import { plain } from "../core/said.ts";
import type { EngineResult } from "../engine.ts";
import type { AlertNote } from "../detect/judge.ts";
import { discover } from "../discover.ts";
import { submissionsDir } from "../incident/submit.ts";
import { BUNDLED_SAMPLE } from "../paths.ts";
import { SOURCES } from "../sources/index.ts";
import { Progress } from "../progress.ts";
import type { Status } from "../status.ts";
import { VERSION } from "../version.ts";
import { type Command, UsageError, globsOf, readArgs, readConfig } from "./usage.ts";

/** Signals closer together than this are one press of Ctrl-C: npm and the launcher pass it on beside the terminal. */
const SAME_SIGNAL_MS = 500;

const say = (line: string): void => console.log(line);
const tilde = (path: string): string => path.replace(homedir(), "~");

/** What to read when the configuration names no source: paths of the command line, else what the machine has. */
function addSources(config: Config, paths: readonly string[], once: boolean): Config {
  const extra: Record<string, unknown> = {};
  if (paths.length > 0) {
    extra["paths"] = { type: "file", include: paths.flatMap(globsOf) };
    say(`reading     ${paths.join(", ")}`);
  } else if (Object.keys(config.sources).length === 0) {
    for (const found of discover(config.state_dir)) {
      say(`found       ${found.name.padEnd(12)} ${tilde(found.root)}`);
      extra[found.name] =
        found.type === "spool"
          ? { type: "spool", dir: found.root }
          : { type: "file", include: found.include };
    }
    if (Object.keys(extra).length === 0) {
      say("found       no agent on this machine: reading the bundled sample instead");
      extra["sample"] = { type: "file", include: [join(BUNDLED_SAMPLE, "*.jsonl")] };
    }
  }
  // Through the schema once more, so that defaults are filled in.
  const sinks = Object.keys(config.sinks).length === 0 ? { local: { type: "store" } } : config.sinks;
  if (Object.hasOwn(config.sources, SUBMISSIONS))
    throw new UsageError(`a source cannot have the name ${SUBMISSIONS}: it is the collector's own`);
  const sources: Record<string, unknown> = { ...config.sources, ...extra };
  sources[SUBMISSIONS] = { type: "spool", dir: submissionsDir(config.state_dir) };
  if (once) for (const name in sources) sources[name] = unfollowed(sources[name] as Typed);
  return parseConfig(JSON.stringify({ ...config, sources, sinks }), "configuration");
}

/** A source that reads what is there and ends. A receiver has no end: it is there while the others read. */
function unfollowed(source: Typed): object {
  const { shape } = SOURCES[source.type as keyof typeof SOURCES].config;
  return "follow" in shape ? { ...source, follow: false } : source;
}

function describeAlert(alert: AlertNote): string {
  return `ALERT       ${alert.level.padEnd(8)} ${alert.time}  ${alert.reason}`;
}

/** What an analyst should hear of at once: that more alerts joined is in the list. */
function describeIncident(incident: Event): string | undefined {
  if (incident["tapline.incident.transition"] === "joined") return undefined;
  const id = incident["tapline.incident.id"]!.slice(0, 8);
  return `INCIDENT    ${plain(incident["message"]!.replace(/^incident/, id))}`;
}

function summary(actions: Readonly<Record<string, number>>): string {
  const rows = Object.entries(actions).toSorted((a, b) => b[1] - a[1]);
  return rows.map(([action, count]) => `${action} ${count.toLocaleString("en-US")}`).join(", ");
}

function introduce(collector: Collector, config: Config): void {
  say(`ledger      ${tilde(join(config.state_dir, "ledger"))}: ${collector.ledger.size} entries`);
  for (const [name, sink] of sinksOf(config)) {
    const where = sink.type === "store" ? `  ${tilde(join(config.state_dir, name))}` : "";
    say(`sink        ${name} (${sink.type})${where}`);
  }
  const resting =
    collector.resting === 0 ? "" : `, ${collector.resting} at rest (see \`tapline rules list\`)`;
  say(`rules       ${collector.rules}${resting}, set ${collector.ruleset.slice(0, 19)}`);
}

/** Aborts `stop` at the first signal, ends the process at a second one. */
function stopOnSignals(stop: AbortController): void {
  let at_ms = 0;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      const now_ms = performance.now();
      if (!stop.signal.aborted) {
        say("stopping    (again to stop at once)");
        at_ms = now_ms;
        stop.abort();
      } else if (now_ms - at_ms > SAME_SIGNAL_MS) process.exit(130);
    });
  }
}

/** The viewer, unless it is switched off or the run ends by itself; trouble of it is told and stops nothing. */
async function openViewer(
  config: Config,
  once: boolean,
  line: (text: string) => void,
): Promise<{ close(): Promise<void> } | undefined> {
  const problem = (message: string): void => line(`problem     ${message}`);
  if (once || !config.viewer.enabled) return undefined;
  // Loaded when it is wanted.
  const { startViewer } = await import("../viewer/start.ts");
  try {
    const viewer = await startViewer(config, problem);
    if (viewer !== undefined) line(`viewer      ${viewer.links.owner}`);
    return viewer;
  } catch (error) {
    problem(`viewer: ${reasonOf(error)}`);
    return undefined;
  }
}

/** Tells how the collector is, where the configuration asks for that; from before the ledger is open to the end. */
async function openHealth(
  config: Config,
  once: boolean,
  status: () => Status | undefined,
): Promise<{ close(): Promise<void> } | undefined> {
  if (once || config.health === undefined) return undefined;
  const { HealthServer } = await import("../health.ts");
  const health = new HealthServer(config.health.listen, status);
  await health.open();
  say(`health      ${health.url}`);
  return health;
}

async function collect(config: Config, once: boolean): Promise<number> {
  let collector: Collector | undefined;
  const health = await openHealth(config, once, () => collector?.status());
  try {
    return await collectUntil(config, once, (opened) => (collector = opened));
  } finally {
    await health?.close();
  }
}

async function collectUntil(
  config: Config,
  once: boolean,
  onOpen: (collector: Collector) => void,
): Promise<number> {
  const stop = new AbortController();
  stopOnSignals(stop);
  // A collector whose reader went away stops cleanly; other commands just end.
  process.stdout.removeAllListeners("error").on("error", () => stop.abort());
  const actions: Record<string, number> = {};
  const progress = new Progress();
  const collector = await openCollector(config, openLog(), {
    onAlert: (alert) => progress.line(describeAlert(alert)),
    onIncident: (incident) => {
      const told = describeIncident(incident);
      if (told !== undefined) progress.line(told);
    },
    onDurable: (results: readonly EngineResult[]) => {
      for (const result of results) {
        for (const action in result.actions)
          actions[action] = (actions[action] ?? 0) + result.actions[action]!;
      }
    },
    onProblem: (problem) => progress.line(`problem     ${problem}`),
  });
  onOpen(collector);
  introduce(collector, config);
  // Nothing waits for the viewer: its link is printed when it is there.
  const viewer = openViewer(config, once, (line) => progress.line(line));
  const { tally } = collector;
  const counts = () =>
    `${tally.read.toLocaleString("en-US")} records, ${tally.events.toLocaleString("en-US")} events, ${tally.alerts} alerts`;
  progress.start(() => `read        ${counts()}`);
  try {
    await collector.run(stop.signal, once);
  } finally {
    progress.stop();
    await (await viewer)?.close();
  }
  for (const [action, count] of collector.own) actions[action] = (actions[action] ?? 0) + count;
  say(`this run    ${summary(actions)}`);
  for (const { name, cursor, trouble } of collector.deliveries) {
    const filtered = cursor.filtered === 0 ? "" : `, ${cursor.filtered} of them filtered`;
    const dead = cursor.dead === 0 ? "" : `, ${cursor.dead} refused: see \`tapline dlq list\``;
    const why = trouble === undefined ? "" : `  ! ${trouble}`;
    say(`sink        ${name}: ${cursor.acked} of ${collector.ledger.size} entries${filtered}${dead}${why}`);
  }
  say(`ledger      ${collector.ledger.size} entries, checkpoint at ${collector.ledger.published}`);
  // With --once the caller waits for the sinks: one that did not take everything is trouble with the world.
  return once && collector.deliveries.some(({ trouble }) => trouble !== undefined) ? 3 : 0;
}

export const run: Command = {
  help: `usage: tapline run [-c FILE] [--once] [PATH…]

  -c, --config FILE   configuration (default: TAPLINE_CONFIG, else discover this machine's agents)
  --once              read what is there, wait for the sinks, stop
  PATH                files or directories to read in addition

Exit code 3 when, with --once, a sink did not take everything and its trouble lasted ten seconds: the ledger
holds it, the next run goes on from there.`,
  async run(argv) {
    const options = { config: { type: "string", short: "c" }, once: { type: "boolean" } } as const;
    const { values, positionals } = readArgs(argv, { options, allowPositionals: true });
    const once = values.once === true;
    say(`tapline ${VERSION}`);
    const config = addSources(await readConfig(values.config), positionals, once);
    return collect(config, once);
  },
};

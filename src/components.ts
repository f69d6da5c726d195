// Makes sources and sinks of the configuration through the registries. The one place where their types are erased:
// the configuration was checked by the very schemas of the components it is handed to.
import { join } from "node:path";
import { type Config, ledgerOrigin } from "./config.ts";
import type { Log } from "./core/log.ts";
import type { RangeSink, Sink, SinkContext, Source } from "./core/stage.ts";
import { submit } from "./incident/submit.ts";
import { SINKS } from "./sinks/index.ts";
import { SOURCES } from "./sources/index.ts";

interface Registered {
  create(options: unknown, context: SinkContext): unknown;
}

export interface Typed {
  readonly type: string;
}

export function sinksOf(config: Config): [string, Typed][] {
  return Object.entries(config.sinks);
}

/** Directory of the first store; undefined when the sinks are none. Without any sink a collector has a store named so. */
export function storeDirOf(config: Config): string | undefined {
  const sinks = sinksOf(config);
  const [name, options] =
    sinks.find(([, { type }]) => type === "store") ??
    (sinks.length === 0 ? (["local", { type: "store" }] as const) : []);
  if (name === undefined) return undefined;
  return (options as { readonly path?: string }).path ?? join(config.state_dir, name);
}

export function sourcesOf(config: Config): [string, Typed][] {
  return Object.entries(config.sources);
}

function contextOf(config: Config, name: string, log: Log): SinkContext {
  return {
    name,
    state_dir: config.state_dir,
    origin: ledgerOrigin(config),
    now: Date.now,
    log: (level, message, fields) => log(level, message, { ...fields, component: name }),
    submit: (said) => void submit(config.state_dir, said),
    // Loaded when asked for: most collectors never read their ledger back.
    incidents: async () => (await import("./incident/read.ts")).incidentEvents(config),
  };
}

function create(registry: object, options: Typed, context: SinkContext): unknown {
  const component = (registry as Record<string, Registered>)[options.type]!;
  return component.create(options, context);
}

/** Sources wait by `clock`, which is not set back. */
export function createSource(
  config: Config,
  name: string,
  options: Typed,
  log: Log,
  clock: () => number,
): Source {
  const context = { ...contextOf(config, name, log), now: clock };
  return create(SOURCES, options, context) as Source;
}

export function createSink(config: Config, name: string, options: Typed, log: Log): Sink | RangeSink {
  return create(SINKS, options, contextOf(config, name, log)) as Sink | RangeSink;
}

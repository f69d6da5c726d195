// The whole configuration: the union of the registries' schemas, read from YAML, secrets from files or environment.
// Every problem is reported at once, with its place and a remedy.
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { parseDocument } from "yaml";
import { z } from "zod";
import { TaplineError, reasonOf } from "./core/errors.ts";
import { stateHome } from "./core/home.ts";
import { LIMITS } from "./core/limits.ts";
import { closest } from "./core/suggest.ts";
import {
  chokepointSchema,
  healthSchema,
  ledgerSchema,
  retentionSchema,
  viewerSchema,
} from "./config-parts.ts";
import { checksSchema } from "./checks/config.ts";
import { deadlinesSchema, incidentsSchema } from "./incident/config.ts";
import { FORMATS } from "./normalise/formats/index.ts";
import { jsonMapping } from "./normalise/formats/json.ts";
import { ANCHORS } from "./ledger/anchors/index.ts";
import { SINKS } from "./sinks/index.ts";
import { SOURCES } from "./sources/index.ts";

const NAME = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, "a name: a-z, 0-9, - and _, at most 63 characters");

const RESERVED = ["ledger", "cursors", "keys", "dlq", "spool", "policy", "submissions", "notices", "anchors"];
// A store lives in a directory of its sink's name, beside what the collector itself keeps.
const SINK_NAME = NAME.refine((name) => !RESERVED.includes(name), {
  error: `a sink cannot have the name of a directory of the collector: ${RESERVED.join(", ")}`,
});

const sourceSchemas = Object.values(SOURCES).map((component) => component.config);
const sinkSchemas = Object.values(SINKS).map((component) => component.config);
const anchorSchemas = Object.values(ANCHORS).map((component) => component.config);

export const configSchema = z.strictObject({
  state_dir: z.string().default(stateHome).describe("Directory of the ledger, keys, cursors and the store"),
  namespace: z
    .string()
    .regex(/^[a-z0-9_]{1,100}$/, "a namespace: a-z, 0-9 and _, at most 100 characters")
    .default("default")
    .describe("Namespace of the data streams: logs-tapline.<dataset>-<namespace>"),
  host: z.string().default(hostname).describe("Name of this host in events and in the ledger's origin"),
  workers: z.int().min(1).max(64).default(2).describe("Worker threads"),
  sources: z.record(NAME, z.discriminatedUnion("type", sourceSchemas as never)).default({}),
  rules: z
    .array(z.string())
    .default([])
    .describe("Directories or files of Sigma rules, beside the bundled ones"),
  bundled_rules: z.boolean().default(true).describe("Whether the rules that come with Tapline are used"),
  placeholders: z
    .record(
      z.string().regex(/^\w{1,64}$/, "a placeholder: letters, digits and _, at most 64"),
      z.array(z.string()),
    )
    .default({})
    .describe("Values of %name% in rules, such as sanctioned_servers: [github, jira]"),
  policy: z
    .string()
    .min(1)
    .optional()
    .describe("The policy file; `policy.yml` in the state directory by default, if it is there"),
  soa: z
    .string()
    .min(1)
    .optional()
    .describe("The organisation's statement of applicability, which `tapline report` holds evidence against"),
  impact: z
    .string()
    .min(1)
    .optional()
    .describe("The organisation's impact assessment: harms, and the rules that watch for them"),
  sinks: z.record(SINK_NAME, z.discriminatedUnion("type", sinkSchemas as never)).default({}),
  ledger: ledgerSchema,
  anchors: z.record(NAME, z.discriminatedUnion("type", anchorSchemas as never)).default({}),
  chokepoint: chokepointSchema,
  incidents: incidentsSchema,
  deadlines: deadlinesSchema,
  checks: checksSchema,
  retention: retentionSchema,
  viewer: viewerSchema,
  health: healthSchema,
  heartbeat_s: z.int().min(1).max(86_400).default(60).describe("Seconds between heartbeat entries"),
});
export type Config = z.output<typeof configSchema>;

/** Name of the ledger and of its key. */
export function ledgerOrigin(config: Config): string {
  return `tapline/${config.host.replaceAll(/[^\w.-]/g, "_")}`;
}

/** Keys that the object at a path of the configuration may have. */
function keysAt(path: readonly PropertyKey[], raw: unknown): string[] {
  if (path.length === 0) return Object.keys(configSchema.shape);
  const registry = registryOf(path);
  const entry = (raw as Record<string, Record<string, { type?: string }>>)?.[String(path[0])]?.[
    String(path[1])
  ];
  const type = String(entry?.type);
  let schema: unknown = Object.hasOwn(registry, type) ? registry[type]!.config : undefined;
  const mapping = path[0] === "sources" && path[2] === "options";
  if (mapping) schema = jsonMapping;
  for (const key of path.slice(mapping ? 3 : 2)) schema = shapeOf(schema)[String(key)];
  return Object.keys(shapeOf(schema));
}

/** Properties of an object's schema, through defaults around it. */
function shapeOf(schema: unknown): Record<string, unknown> {
  let inner = schema as { shape?: Record<string, unknown>; def?: { innerType?: unknown } } | undefined;
  while (inner?.def?.innerType !== undefined) inner = inner.def.innerType as typeof inner;
  return inner?.shape ?? {};
}

function registryOf(path: readonly PropertyKey[]): Record<string, { config: unknown }> {
  return path[0] === "sources" ? SOURCES : path[0] === "anchors" ? ANCHORS : SINKS;
}

const isString = (value: unknown): value is string => typeof value === "string";

function valueAt(path: readonly PropertyKey[], raw: unknown): unknown {
  return path.reduce((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], raw);
}

function describe(issue: z.core.$ZodIssue, raw: unknown): string {
  const place = issue.path.length === 0 ? "" : ` at ${issue.path.join(".")}`;
  if (issue.code === "unrecognized_keys") {
    const known = keysAt(issue.path, raw);
    const hints = issue.keys.map((key) => {
      const near = closest(key, known);
      return near === undefined ? `"${key}"` : `"${key}" (did you mean "${near}"?)`;
    });
    return `unknown key ${hints.join(", ")}${place}`;
  }
  if (issue.code === "invalid_key") return `${issue.issues.map((one) => one.message).join(", ")}${place}`;
  if (issue.code === "invalid_union" && issue.path.length === 3 && issue.path[2] === "type") {
    const types = Object.keys(registryOf(issue.path));
    const type = valueAt(issue.path, raw);
    const near = isString(type) ? closest(type, types) : undefined;
    const what = type === undefined ? "type is missing" : `unknown type ${JSON.stringify(type)}`;
    return `${what}${near === undefined ? "" : ` (did you mean "${near}"?)`}${place}: one of ${types.join(", ")}`;
  }
  if (issue.code === "invalid_type" && valueAt(issue.path, raw) === undefined)
    return `${issue.path.join(".")} is missing`;
  return `${issue.message}${place}`;
}

/** What is wrong with the formats of the sources and their options, which the sources themselves do not know. */
function formatProblems(config: Config, raw: unknown): string[] {
  const problems: string[] = [];
  const sharing = Object.entries(config.sources).filter(([, source]) => "matches" in (source as object));
  for (const [name] of sharing.slice(1))
    problems.push(`one source shares matches, and ${sharing[0]![0]} does: sources.${name}.matches`);
  // The collector's own submissions come from its own spool and nowhere else.
  const all = FORMATS.map(({ name }) => name).filter((name) => name !== "tapline");
  for (const [name, source] of Object.entries(config.sources)) {
    const { type, format, options } = source as { type: string; format?: string; options?: unknown };
    // Events of other collectors come from where only collectors write.
    const names = type === "kafka" ? all : all.filter((one) => one !== "tapline-event");
    const place = `sources.${name}`;
    if (format !== undefined && !names.includes(format)) {
      const near = closest(format, names);
      const hint = near === undefined ? "" : ` (did you mean "${near}"?)`;
      problems.push(`no format "${format}"${hint} at ${place}.format: one of ${names.join(", ")}`);
    } else if (format === "json") {
      for (const issue of jsonMapping.safeParse(options ?? {}).error?.issues ?? [])
        problems.push(describe({ ...issue, path: ["sources", name, "options", ...issue.path] }, raw));
    } else if (options !== undefined) problems.push(`options are for \`format: json\` at ${place}.options`);
  }
  return problems.slice(0, LIMITS.config_problems);
}

/** Reads and checks a configuration. Throws CONFIG_INVALID with every problem in the message, one a line. */
export function parseConfig(text: string, file: string): Config {
  const document = parseDocument(text, { schema: "core", prettyErrors: true });
  const problems = [...document.errors, ...document.warnings]
    .slice(0, LIMITS.config_problems)
    .map((e) => e.message.split("\n")[0]!.replace(/:$/, ""));
  let raw: unknown;
  try {
    if (problems.length === 0) raw = document.toJS() as unknown;
  } catch (error) {
    problems.push(reasonOf(error));
  }
  if (problems.length === 0) {
    const parsed = configSchema.safeParse(raw ?? {});
    if (parsed.success) problems.push(...formatProblems(parsed.data, raw));
    if (parsed.success && problems.length === 0) {
      const { state_dir, policy } = parsed.data;
      return {
        ...parsed.data,
        state_dir: resolve(state_dir),
        ...(policy === undefined ? {} : { policy: resolve(policy) }),
      };
    }
    for (const issue of parsed.error?.issues.slice(0, LIMITS.config_problems) ?? [])
      problems.push(describe(issue, raw));
  }
  throw new TaplineError("CONFIG_INVALID", problems.map((problem) => `${file}: ${problem}`).join("\n"), {
    remedy: "see docs/reference.md for every option",
  });
}

export async function loadConfig(path: string): Promise<Config> {
  let text: Buffer;
  try {
    text = await readFile(path);
  } catch (cause) {
    throw new TaplineError("CONFIG_UNREADABLE", `cannot read ${path}: ${reasonOf(cause)}`, {
      remedy: "check the path of the configuration and its permissions",
      cause,
    });
  }
  if (text.length > LIMITS.config_bytes) {
    throw new TaplineError("CONFIG_INVALID", `${path}: larger than ${LIMITS.config_bytes} bytes`);
  }
  return parseConfig(text.toString("utf8"), path);
}

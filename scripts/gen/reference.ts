// Makes docs/reference.md: fields, event classes, controls, configuration, commands, exit codes, formats, redaction,
// errors, environment and limits, from the tables and from the code itself, so that it cannot drift from either.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { COMMANDS } from "../../src/commands/index.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { FORMATS } from "../../src/normalise/formats/index.ts";
import { classesMade } from "./made.ts";
import { code, table } from "./markdown.ts";
import { optionsSection, policySection } from "./options.ts";
import { readControls } from "../../src/evidence/map.ts";
import { type Field, readClasses, readFields } from "./tables.ts";

const ORIGINS: Readonly<Record<string, string>> = {
  ecs: "ECS",
  "ecs-next": "ECS, next version",
  otel: "OpenTelemetry",
  tapline: "Tapline",
};
const VARIABLES: Readonly<Record<string, string>> = {
  TAPLINE_CONFIG: "Configuration file, when no `-c` is given",
  TAPLINE_LOG:
    "Level of the collector's own log on standard error: debug, info, warn, error, silent. Default warn",
  XDG_STATE_HOME: "Where the default state directory is",
  CLAUDE_CONFIG_DIR: "Where Claude Code keeps its files, when not in `~/.claude`",
  CODEX_HOME: "Where Codex keeps its files, when not in `~/.codex`",
  COPILOT_HOME: "Where Copilot CLI keeps its files, when not in `~/.copilot`",
};

const READS: Readonly<Record<string, string>> = {
  mcp: 'MCP as JSON-RPC lines, both eras of the protocol: `{ts, dir: "c2s"|"s2c", msg, conn?, session?, server?, client?, user?, agent?}`, and captures of whole HTTP exchanges. `client` may hold `name`, `version`, and of its process `pid`, `started` and `cwd`, by which a stream without `session` finds the transcript it belongs to',
  hook: "Payloads of agents' hooks as they are spooled, one a line: `{ts, hook, event, payload, decision?, pid?, user?, cwd?}`, where `hook` is `claude-code`, `codex`, `copilot`, `cursor`, `gemini`, `kiro` or `windsurf`, `payload` is what the client wrote, and `decision` is `{verdict, action, mode, rule, reason, policy}`. Those of Cursor, Kiro and Windsurf are read by their documentation alone",
  "claude-code": "Transcripts of Claude Code, `projects/<slug>/<session>.jsonl`, and of its subagents",
  codex: "Codex rollouts, old and new, and the output of `codex exec --json`",
  "otlp-json":
    "OTLP as JSON, one export request a line, as collectors write files and as the source `otlp` makes lines of what it receives: logs and spans. Metrics are counted, not kept",
  chat: "Conversations in the chat-completions shape: a line is `{session?, messages: [...]}`",
  gemini: "Chats of Gemini CLI, `tmp/<project>/chats/session-*.jsonl`",
  "gemini-telemetry":
    "The telemetry file of Gemini CLI: log records and spans of its OpenTelemetry SDK as JSON over several lines, back to back. Metrics are counted, not kept",
  copilot: "Sessions of Copilot CLI, `session-state/<id>/events.jsonl`",
  cursor:
    "Agent transcripts of Cursor, `agent-transcripts/<id>/<id>.jsonl`. They have no times, no ids and mostly no results",
  "claude-desktop":
    "MCP logs of Claude Desktop, `mcp-server-NAME.log`: best effort, by lines that users posted. `mcp.log` repeats what these hold: read the one or the others",
  agentgateway: "Request log of agentgateway, lines of `key=value`; arguments and results are not in it",
  kuadrant: "Access log of the Kuadrant MCP gateway as JSON, by its guide on auditing",
  "docker-mcp":
    "What Docker MCP Gateway writes of calls to standard error: no times, no ids, in newer versions no arguments",
  contextforge: "Envelopes of IBM ContextForge's SIEM export as JSON",
  tapline:
    "What people and sinks say of incidents, in the collector's own spool, `submissions` in the state directory: written by `tapline incident` and by sinks that notify",
  "tapline-event":
    "What other collectors made of their records, as the source `kafka` reads it from their sinks: events keep their ids, and name the ledger, index and hash that they had there",
  json: "Any JSON lines, by a mapping in the configuration",
  unknown: "What no format recognises: each record is kept as it is",
};

const codeFiles = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts") && !name.includes("generated"))
  .toSorted()
  .map((name) => ({ path: `src/${name}`, text: readFileSync(join("src", name), "utf8") }));

function fieldRow({ name, type, from, about }: Field): string[] {
  return [code(name), type, ORIGINS[from] ?? from, about];
}

function fieldsSection(): string {
  const { ecs, fields, sinkFields, presentFields } = readFields();
  const head = ["field", "type", "origin", "meaning"];
  return `## Fields

Every field that a document can have, from \`mappings/fields.yml\`. Names follow ECS ${ecs} first, then OpenTelemetry. \`object\` is one
\`flattened\` (Elasticsearch) or \`flat_object\` (OpenSearch) field; \`stored\` is kept and not indexed; \`[]\` is a list.

${table(head, fields.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(fieldRow))}

Added by sinks, never in an entry of the ledger:

${table(head, sinkFields.map(fieldRow))}

In the index \`tapline-incident-state\` beside \`tapline.incident.*\`: what an incident is at present, a view and never evidence:

${table(head, presentFields.map(fieldRow))}`;
}

function classesSection(): string {
  const classes = Object.entries(readClasses());
  const names = classes.map(([name]) => name);
  const made = classesMade(names, codeFiles);
  const rows = classes.map(([name, row]) => {
    const [dataset, kind, category, type, direct, supporting] = row;
    const tags = [direct.join(", "), supporting.join(", ")];
    return [
      code(name) + (made.has(name) ? "" : " *"),
      dataset,
      kind,
      category.join(", "),
      type.join(", "),
      ...tags,
    ];
  });
  const head = [
    "event.action",
    "data set",
    "event.kind",
    "event.category",
    "event.type",
    "direct",
    "supporting",
  ];
  return `## Event classes

\`event.action\` names the class; \`data_stream.dataset\` is \`tapline.<data set>\`. The last two columns are the controls of ISO/IEC 42001
Annex A that an event of the class is evidence for. This version makes no events of the classes with * by
itself; a mapping of the \`json\` format can.

${table(head, rows)}`;
}

function controlsSection(): string {
  const { controls, framework, map_version } = readControls();
  const shown = { direct: "direct", supporting: "supporting", none: "not collected here" };
  const rows = Object.entries(controls).map(([id, c]) => {
    const asked = [c.direct, c.supporting].flatMap((query) => (query === undefined ? [] : [code(query)]));
    return [id, c.title, shown[c.evidence], c.shows, asked.join("<br>")];
  });
  return `## Controls

${framework} Annex A, map version ${map_version}: what records of agents' actions can be evidence for. *Supporting* is evidence beside a
document or a process, never in its place; *not collected here* means that nothing in these records speaks to the control. The last column is the question that finds the evidence, the
direct first: reports, the viewer and dashboards all ask it.

${table(["control", "title", "evidence", "what it is, or would be", "question"], rows)}`;
}

async function commandsSection(): Promise<string> {
  const parts: string[] = [];
  for (const [name, command] of Object.entries(COMMANDS)) {
    const { help } = await command.load();
    parts.push(`### tapline ${name}\n\n${command.about}\n\n\`\`\`\n${help}\n\`\`\``);
  }
  const main = readFileSync("src/main.ts", "utf8");
  const exits = [...(/^\/\/ (0 fine.*)\.$/m.exec(main)?.[1] ?? "").matchAll(/(\d) ((?:\([^)]*\)|[^,(])+)/g)];
  if (exits.length !== 4) throw new Error("src/main.ts no longer says its exit codes in its head");
  return `## Commands

${parts.join("\n\n")}

### Exit codes

${table(["code", "meaning"], [...exits.map(([, n, about]) => [n!, about!.trim()]), ["130", "`tapline run` was told to stop twice"]])}`;
}

function formatsSection(): string {
  const rows = FORMATS.map(({ name, vantage }) => {
    if (READS[name] === undefined)
      throw new Error(`scripts/gen/reference.ts: say what the format ${name} reads`);
    return [code(name), vantage, READS[name]];
  });
  return `## Formats

Told from content, unless a source names one. A record is a line, or, in files that begin with an opening brace alone,\nan object printed over several lines. The vantage is where a format sees an agent from.

${table(["format", "vantage", "what it reads"], rows)}`;
}

function redactionSection(): string {
  const shape = z.looseObject({ id: z.string(), keywords: z.array(z.string()) });
  const { rules } = z
    .looseObject({ rules: z.array(shape) })
    .parse(parse(readFileSync("mappings/secrets.yml", "utf8")));
  const rows = rules.map(({ id, keywords }) => [code(id), keywords.map(code).join(" ")]);
  return `## Redaction

Secrets that are found become \`[REDACTED:<rule>:<mark>]\`; equal secrets have equal marks on one installation, and the mark tells nothing
of the secret. \`tapline.data.secrets\` names the rules. A rule looks only where one of its words stands (\`mappings/secrets.yml\`).

${table(["rule", "words"], rows)}`;
}

const CODE = /(?<!\[|=== )"(STOPPED|[A-Z]+(?:_[A-Z]+)+|rules_[a-z]+)"/g;
const TEXT = /^\s*(?:: "\w+")?,\s*(?:"([^"]*)"|`((?:[^`\\]|\\.)*)`)/;

/** Text of a message as the code writes it, with … for what it fills in. */
function messageAfter(text: string): string {
  const [, plain, template] = TEXT.exec(text) ?? [];
  return plain ?? template?.replaceAll(/\$\{(?:[^{}]|\{[^}]*\})*\}/g, "…").replaceAll("\\`", "") ?? "";
}

function errorsSection(): string {
  const found = new Map<string, { places: Set<string>; message: string }>();
  for (const { path, text } of codeFiles) {
    if (!text.includes("TaplineError")) continue;
    // What several codes have in common, where the caller names the code.
    const shared = messageAfter(text.split("new TaplineError(code", 2)[1] ?? "");
    for (const match of text.matchAll(CODE)) {
      const known = found.get(match[1]!) ?? { places: new Set<string>(), message: "" };
      known.places.add(path);
      known.message ||= messageAfter(text.slice(match.index + match[0].length)) || shared;
      found.set(match[1]!, known);
    }
  }
  const rows = [...found].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `## Error codes

Trouble with the world: disk, network, permissions, configuration. The message says what and where, mostly with a remedy. What is wrong with
a rule is a problem of that rule, not an error.

${table(
  ["code", "message, for example", "from"],
  rows.map(([name, { places, message }]) => [code(name), message, [...places].map(code).join(" ")]),
)}`;
}

function environmentSection(): string {
  const read = new Set(
    codeFiles.flatMap(({ text }) => [...text.matchAll(/env\["(\w+)"\]/g)].map(([, name]) => name!)),
  );
  const rows = [...read].toSorted().map((name) => {
    if (VARIABLES[name] === undefined) throw new Error(`scripts/gen/reference.ts: say what ${name} is for`);
    return [code(name), VARIABLES[name]];
  });
  return `## Environment

${table(["variable", "what"], rows)}`;
}

const limitsText = (): string =>
  ["limits", "limits-judging", "limits-report"]
    .map((name) => readFileSync(`src/core/${name}.ts`, "utf8"))
    .join("\n");

function limitsSection(): string {
  const values: Readonly<Record<string, number>> = LIMITS;
  const parts: string[] = [];
  let rows: string[][] = [];
  const flush = (): void => {
    if (rows.length > 0) parts.push(table(["limit", "value", "what"], rows));
    rows = [];
  };
  for (const line of limitsText().split("\n")) {
    const [, heading] = /^ {2}\/\/ (.*)$/.exec(line) ?? [];
    const [, name, about] = /^ {2}(\w+): .*?,(?: \/\/ (.*))?$/.exec(line) ?? [];
    if (heading !== undefined) {
      flush();
      parts.push(`### ${heading}`);
    } else if (name !== undefined) {
      rows.push([code(name), values[name]!.toLocaleString("en-US"), about ?? ""]);
    }
  }
  flush();
  return `## Limits

Every bound, from \`src/core/limits.ts\`, \`limits-judging.ts\` and \`limits-report.ts\`. They are constants; units are in the names.

${parts.join("\n\n")}`;
}

export async function referenceSource(): Promise<Record<string, string>> {
  const sections = [
    "# Reference\n\nGenerated by `npm run gen` from the tables in `mappings/` and from the code. Do not edit.",
    fieldsSection(),
    classesSection(),
    controlsSection(),
    optionsSection(),
    policySection(),
    await commandsSection(),
    formatsSection(),
    redactionSection(),
    errorsSection(),
    environmentSection(),
    limitsSection(),
  ];
  return { "docs/reference.md": `${sections.map((section) => section.trim()).join("\n\n")}\n` };
}

// The work that all collectors of this bench do, said once: 15 fields, 5 conditional tags, 50 rules on the records of
// ../../generate.ts. The files beside this one say it in each collector's own language. Patterns keep to what Sigma, VRL,
// OTTL, Bloblang, POSIX and Lua read alike; where Lua has no such pattern, `lua` says it in several.

/** a: parse; b: a, map, tag; c: b and 50 rules; d: b into a bulk endpoint; check: c into the endpoint, to compare hits. */
export type Case = "a" | "b" | "c" | "d" | "check";
export const CASES = ["a", "b", "c", "d"] as const;

export const hasRules = (of: Case): boolean => of === "c" || of === "check";
export const isSent = (of: Case): boolean => of === "d" || of === "check";

/** Field of the document, and where the record has it. */
export const FIELDS = [
  ["@timestamp", "ts"],
  ["gen_ai.conversation.id", "session"],
  ["user.name", "user"],
  ["tapline.server.name", "server.name"],
  ["tapline.server.version", "server.version"],
  ["tapline.server.command", "server.command"],
  ["tapline.server.transport", "server.transport"],
  ["tapline.connection", "conn"],
  ["tapline.direction", "dir"],
  ["mcp.method.name", "msg.method"],
  ["jsonrpc.request.id", "msg.id"],
  ["gen_ai.tool.name", "msg.params.name"],
  ["gen_ai.tool.call.arguments", "msg.params.arguments"],
  ["gen_ai.tool.call.result", "msg.result"],
  ["file.path", "msg.params.arguments.path"],
] as const;

export type Operator = "equals" | "contains" | "regex";

export interface Condition {
  readonly name: string;
  /** Path in the record. */
  readonly from: string;
  /** Field of the document, for Sigma. */
  readonly field: string;
  readonly operator: Operator;
  readonly value: string;
  /** Lua patterns, one of which matches where the regular expression does. */
  readonly lua?: readonly string[];
}

const PLACES = {
  tool: ["msg.params.name", "gen_ai.tool.name"],
  server: ["server.name", "tapline.server.name"],
  version: ["server.version", "tapline.server.version"],
  transport: ["server.transport", "tapline.server.transport"],
  user: ["user", "user.name"],
  session: ["session", "gen_ai.conversation.id"],
  method: ["msg.method", "mcp.method.name"],
  path: ["msg.params.arguments.path", "file.path"],
  query: ["msg.params.arguments.query", "gen_ai.tool.call.arguments.query"],
} as const;
type Place = keyof typeof PLACES;

const condition = (
  name: string,
  place: Place,
  operator: Operator,
  value: string,
  lua?: readonly string[],
): Condition => {
  const [from, field] = PLACES[place];
  return { name, from, field, operator, value, ...(lua === undefined ? {} : { lua }) };
};

export const TAGS: readonly Condition[] = [
  condition("tag-call", "method", "equals", "tools/call"),
  condition("tag-egress", "server", "equals", "fetch"),
  condition("tag-code", "server", "equals", "github"),
  condition("tag-chat", "server", "equals", "slack"),
  condition("tag-source", "query", "contains", "/srv/work/src/"),
];

const EQUAL: readonly (readonly [Place, string])[] = [
  ["tool", "run_command"],
  ["tool", "delete_repository"],
  ["tool", "execute_sql"],
  ["tool", "create_issue"],
  ["tool", "send_email"],
  ["tool", "write_file"],
  ["tool", "export_all"],
  ["server", "unknown"],
  ["server", "shadow"],
  ["server", "browser"],
  ["user", "root"],
  ["user", "admin"],
  ["transport", "http"],
  ["version", "0.0.1"],
  ["session", "sess-0-00000000"],
];

const CONTAIN: readonly (readonly [Place, string])[] = [
  ["query", "sudo "],
  ["query", "/etc/passwd"],
  ["query", "/etc/shadow"],
  ["query", ".ssh/id_rsa"],
  ["query", "aws_secret_access_key"],
  ["query", "webhook.site"],
  ["query", "pastebin.com"],
  ["query", "ngrok.io"],
  ["query", "nc -e"],
  ["query", "/dev/tcp/"],
  ["query", "eval("],
  ["query", "exfiltrat"],
  ["query", "document.cookie"],
  ["query", "disregard the above"],
  ["query", "metadata.google.internal"],
  ["query", "169.254.169.254"],
  ["query", "part42/file_4"],
  ["path", "/doc/77"],
  ["path", ".."],
  ["path", ".git/"],
];

const times = (what: string, count: number): string => what.repeat(count);
const REGEX: readonly (readonly [Place, string, readonly string[]])[] = [
  ["query", "part8[0-9]/file_77[0-9][.]ts", ["part8[0-9]/file_77[0-9][.]ts"]],
  ["query", "file_(12|13)[.]ts", ["file_12[.]ts", "file_13[.]ts"]],
  ["query", "[0-9a-f]{7}-00[0-9a-f]+ ", [`${times("[0-9a-f]", 7)}%-00[0-9a-f]+ `]],
  ["query", "password[ =:]+[^ ]{6,}", [`password[ =:]+${times("[^ ]", 6)}`]],
  ["query", "(curl|wget) +https?://[^ ]+", ["curl +https?://[^ ]+", "wget +https?://[^ ]+"]],
  ["query", "BEGIN [A-Z]+ PRIVATE KEY", ["BEGIN [A-Z]+ PRIVATE KEY"]],
  ["query", "AKIA[0-9A-Z]{16}", [`AKIA${times("[0-9A-Z]", 16)}`]],
  ["query", "ghp_[0-9A-Za-z]{36}", [`ghp_${times("[0-9A-Za-z]", 36)}`]],
  ["query", "rm +-[a-z]*r[a-z]* +/", ["rm +%-[a-z]*r[a-z]* +/"]],
  ["query", "base64 +-d", ["base64 +%-d"]],
  ["query", "(drop|truncate) +table ", ["drop +table ", "truncate +table "]],
  [
    "query",
    "ignore (all )?previous instructions",
    ["ignore previous instructions", "ignore all previous instructions"],
  ],
  ["path", "^/srv/work/doc/99[0-9]+[.]md$", ["^/srv/work/doc/99[0-9]+[.]md$"]],
  ["path", "^/(etc|root)/", ["^/etc/", "^/root/"]],
  ["path", "[.](pem|key|env)$", ["[.]pem$", "[.]key$", "[.]env$"]],
];

const numbered = (index: number): string => `rule-${String(index + 1).padStart(2, "0")}`;

/** 35 of equality and containment, 15 regular expressions. */
export const RULES: readonly Condition[] = [
  ...EQUAL.map(([place, value], i) => condition(numbered(i), place, "equals", value)),
  ...CONTAIN.map(([place, value], i) => condition(numbered(15 + i), place, "contains", value)),
  ...REGEX.map(([place, value, lua], i) => condition(numbered(35 + i), place, "regex", value, lua)),
];

/** What the case asks of every record. */
export function conditionsOf(of: Case): readonly Condition[] {
  if (of === "a") return [];
  return hasRules(of) ? [...TAGS, ...RULES] : TAGS;
}

const MODIFIER = { equals: "cased", contains: "contains|cased", regex: "re" } as const;

/** A condition as a Sigma rule; of calls alone where results repeat what their call has said. */
export function sigma({ name, field, operator, value }: Condition, place: number, calls = false): string {
  return [
    `title: ${name}`,
    `id: 00000000-0000-4000-8000-${String(place).padStart(12, "0")}`,
    "status: test",
    `logsource: {product: tapline${calls ? ", category: tool-call" : ""}}`,
    "detection:",
    `  selection: {${field}|${MODIFIER[operator]}: '${value}'}`,
    "  condition: selection",
    "level: medium",
    "",
  ].join("\n");
}

/** The mapping in the configuration of our own `json` format. `joined` makes calls and results of the records, so that
 * they find each other; without it they stand alone, as with all others. */
export function mapping(joined: boolean): Record<string, unknown> {
  const action = joined ? { field: "dir", map: { c2s: "tool-call", s2c: "tool-result" } } : "record";
  const fields = FIELDS.filter(([, from]) => from !== "ts" && from !== "session");
  return {
    action,
    time: "ts",
    session: "session",
    fields: Object.fromEntries([
      ...fields,
      // A call and its result have this in common.
      ...(joined ? [["gen_ai.tool.call.id", "msg.id"]] : []),
    ]) as Record<string, string>,
  };
}

/** What a collector is given: where it reads, where it sends to, where its files may lie. */
export interface Where {
  readonly input: string;
  readonly url: string;
  readonly dir: string;
}

/** Another collector: what it is called, and what it has to be told for a case. */
export interface Peer {
  readonly name: string;
  /** Names under which its binary is found, the first that is there. */
  readonly binaries: readonly string[];
  /** What it sends to, when it cannot write `_bulk`. */
  readonly sends?: string;
  /** Arguments that make it say its version. */
  readonly version: readonly string[];
  /** What this installation lacks of what the work needs, in words; `dir` is for files of the question. */
  lacks?(command: string, dir: string): string | undefined;
  /** Its configuration: files by name below `dir`, and arguments. */
  configure(
    of: Case,
    at: Where,
  ): { readonly files: Readonly<Record<string, string>>; readonly args: readonly string[] };
}

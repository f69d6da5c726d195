// A policy file in, a compiled policy out: YAML, schema, and what a schema cannot say. Reports every problem at once,
// with its place. Imported only when a file has to be compiled.
import { type Document, LineCounter, isScalar, parseDocument, visit } from "yaml";
import type { z } from "zod";
import { TaplineError, reasonOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { closest } from "../core/suggest.ts";
import type { ArgumentRule, CompiledPolicy, CompiledServer, Fallback } from "./compiled.ts";
import type { Mode } from "./contract.ts";
import { hostPattern } from "./places.ts";
import { rangeProblem } from "./version.ts";
import { type PolicyFile, policySchema } from "./schema.ts";

type Server = PolicyFile["servers"][string];
type Tools = PolicyFile["agent_tools"];
type Said = PolicyFile["defaults"]["servers"];

/** Reads and checks a policy. Throws POLICY_INVALID with every problem in the message, one a line. */
export function parsePolicy(text: string, file: string): CompiledPolicy {
  const lines = new LineCounter();
  // The reader's own search for keys that are there twice takes quadratic time.
  const options = { schema: "core", prettyErrors: true, uniqueKeys: false, lineCounter: lines } as const;
  const document = parseDocument(text, options);
  const problems = [...document.errors, ...document.warnings].map((e) => e.message.split("\n")[0]!);
  if (problems.length === 0) problems.push(...repeatedKeys(document, lines));
  let raw: unknown;
  try {
    if (problems.length === 0) raw = document.toJS() as unknown;
  } catch (error) {
    problems.push(reasonOf(error));
  }
  if (hasPrototype(raw)) problems.push("__proto__ cannot be a name");
  if (problems.length === 0) {
    const parsed = policySchema.safeParse(raw ?? {});
    if (parsed.success) problems.push(...problemsOf(parsed.data));
    else problems.push(...parsed.error.issues.map((issue) => describe(issue)));
    if (parsed.success && problems.length === 0) return compile(parsed.data);
  }
  const told = problems.slice(0, LIMITS.config_problems);
  throw new TaplineError("POLICY_INVALID", told.map((problem) => `${file}: ${problem}`).join("\n"), {
    remedy: "see docs/guides/policy.md for every key",
  });
}

function repeatedKeys(document: Document, lines: LineCounter): string[] {
  const problems: string[] = [];
  visit(document, {
    Map: (_, map) => {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        const { line } = lines.linePos(key.range?.[0] ?? 0);
        if (seen.has(key.value))
          problems.push(`the key ${String(key.value)} is there twice, at line ${line}`);
        seen.add(key.value);
      }
    },
  });
  return problems;
}

/** A name that objects do not hold would be lost without a word. */
function hasPrototype(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.hasOwn(value, "__proto__") || Object.values(value).some(hasPrototype);
}

function describe(issue: z.core.$ZodIssue): string {
  const place = issue.path.length === 0 ? "" : ` at ${issue.path.join(".")}`;
  if (issue.code === "invalid_key") return `${issue.issues.map((one) => one.message).join(", ")}${place}`;
  if (issue.code !== "unrecognized_keys") return `${issue.message}${place}`;
  const known = keysAt(issue.path);
  const hints = issue.keys.map((key) => {
    const near = closest(key, known);
    return near === undefined ? `"${key}"` : `"${key}" (did you mean "${near}"?)`;
  });
  return `unknown key ${hints.join(", ")}${place}`;
}

interface Inner {
  readonly shape?: Readonly<Record<string, Inner>>;
  readonly def?: {
    readonly innerType?: Inner;
    readonly out?: Inner;
    readonly valueType?: Inner;
    readonly element?: Inner;
  };
}

/** The schema inside defaults, options and transformations. */
function bare(schema: Inner | undefined): Inner | undefined {
  let at = schema;
  while (at !== undefined && at.shape === undefined) {
    const next = at.def?.innerType ?? at.def?.out;
    if (next === undefined) break;
    at = next;
  }
  return at;
}

/** Keys that the object at a path may have. */
function keysAt(path: readonly PropertyKey[]): string[] {
  let at = bare(policySchema as unknown as Inner);
  for (const key of path) at = bare(at?.shape?.[String(key)] ?? at?.def?.valueType ?? at?.def?.element);
  return Object.keys(at?.shape ?? {});
}

/** What a schema cannot say: names that lead nowhere. */
function problemsOf(file: PolicyFile): string[] {
  const problems: string[] = [];
  const granted = new Set(Object.values(file.roles).flatMap((role) => role.tiers));
  const asked = (tier: string | undefined, place: string): void => {
    if (tier === undefined || granted.has(tier)) return;
    const near = closest(tier, [...granted]);
    const hint = near === undefined ? "no role has it" : `did you mean "${near}"?`;
    problems.push(`tier "${tier}" at ${place}: ${hint}`);
  };
  const all = (lines: Tools, place: string): void => {
    for (const [pattern, line] of Object.entries(lines)) {
      asked(line.tier, `${place}.${pattern}.tier`);
      for (const [name, rule] of Object.entries(line.arguments ?? {}))
        problems.push(...placesProblems(rule, `${place}.${pattern}.arguments.${name}`));
    }
  };
  all(file.agent_tools, "agent_tools");
  for (const [name, server] of Object.entries(file.servers)) {
    const place = `servers.${name}`;
    asked(server.tier, `${place}.tier`);
    for (const kind of ["tools", "resources", "prompts", "requests"] as const)
      all(server[kind], `${place}.${kind}`);
    if (server.url !== undefined && !URL.canParse(server.url)) problems.push(`no URL at ${place}.url`);
    const wrong = server.version === undefined ? undefined : rangeProblem(server.version);
    if (wrong !== undefined) problems.push(`${wrong} at ${place}.version`);
  }
  const servers = Object.keys(file.servers);
  for (const [at, { servers: named, paths, hosts }] of file.data.entries()) {
    problems.push(...placesProblems({ under: paths, hosts }, `data.${at}`));
    for (const name of named.filter((one) => !servers.includes(one))) {
      const near = closest(name, servers);
      problems.push(
        `no server "${name}"${near === undefined ? "" : ` (did you mean "${near}"?)`} at data.${at}.servers`,
      );
    }
  }
  return problems;
}

/** Directories and hosts that are none: one that was left out without a word could open what it should shut. */
function placesProblems(rule: ArgumentRule, place: string): string[] {
  const problems: string[] = [];
  for (const path of [...(rule.under ?? []), ...(rule.not_under ?? [])])
    if (!/^(?:\/|~(?:\/|$)|[a-z]:[/\\])/i.test(path))
      problems.push(`"${path}" is no path from / or ~ at ${place}`);
  for (const host of [...(rule.hosts ?? []), ...(rule.not_hosts ?? [])])
    if (hostPattern(host) === undefined) problems.push(`"${host}" is no host at ${place}`);
  return problems;
}

function compile(file: PolicyFile): CompiledPolicy {
  const { mode, defaults } = file;
  return {
    mode,
    defaults: {
      servers: fallback(defaults.servers, mode, "defaults.servers"),
      agent_tools: fallback(defaults.agent_tools, mode, "defaults.agent_tools"),
      changed: fallback(defaults.changed, mode, "defaults.changed"),
    },
    servers: Object.entries(file.servers).map(([name, server]) => compileServer(name, server, file)),
    agent_tools: file.agent_tools,
    roles: Object.entries(file.roles).map(([name, role]) => ({ name, ...role })),
    data: file.data,
  };
}

function fallback(said: Said, mode: Mode, place: string): Fallback {
  return { verdict: said.verdict, mode: said.mode ?? mode, place };
}

function compileServer(name: string, server: Server, { mode: outer, defaults }: PolicyFile): CompiledServer {
  const mode = server.mode ?? outer;
  const place = `servers.${name}`;
  const { default: said, ...rest } = server;
  return {
    ...rest,
    name,
    mode,
    fallback:
      said === undefined
        ? { ...fallback(defaults.tools, mode, "defaults.tools") }
        : fallback(said, mode, `${place}.default`),
  };
}

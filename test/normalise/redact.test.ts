// What stays in an event after redaction: no secret, the same mark for the same secret, everything else untouched.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FIELDS, type Event, newEvent, serialise } from "../../src/core/generated/event.ts";
import type { Capture } from "../../src/core/stage.ts";
import type { Json } from "../../src/core/text.ts";
import { TEXT_FIELDS, TEXT_LIST_FIELDS } from "../../src/normalise/content.ts";
import { createRedactor } from "../../src/normalise/redact.ts";
import { DETECT_SECRETS, python } from "../python.ts";
import { randomOf } from "../random.ts";
import { plantedSecrets } from "./planted.ts";

const REDACTED: Capture = {
  arguments: "redacted",
  results: "redacted",
  messages: "redacted",
  identity: "full",
};
const github = `ghp_${"a1B2c3".repeat(6)}`;

function redacted(fields: Partial<Event>, capture: Capture = REDACTED, key = "k"): Event {
  const e = Object.assign(newEvent(), fields);
  createRedactor(key).redact(e, capture);
  return e;
}

describe("marks", () => {
  const redactor = createRedactor("one");
  test("say the rule, and are equal for equal secrets only", () => {
    const mark = redactor.redactText(github);
    expect(mark).toMatch(/^\[REDACTED:github-token:[0-9a-f]{8}\]$/);
    expect(redactor.redactText(`x ${github} y`)).toBe(`x ${mark} y`);
    expect(redactor.redactText(github.replace("a1", "a2"))).not.toBe(mark);
    expect(createRedactor("two").redactText(github)).not.toBe(mark);
  });
  test("are left alone when seen again", () => {
    const once = redactor.redactText(`password="${github}" token=${github} https://u:${github}@h/`);
    expect(once).not.toContain(github);
    expect(redactor.redactText(once)).toBe(once);
  });
});

describe("events", () => {
  test("text anywhere in an object, and keys", () => {
    const args = {
      a: [{ b: `x ${github}` }],
      [github]: 1,
      n: 3,
      deep: { password: "letmein" },
      token: ["abcd", "efgh"],
    };
    const before = structuredClone(args);
    const e = redacted({ "gen_ai.tool.call.arguments": args });
    const text = serialise(e);
    for (const secret of [github, "letmein", "abcd", "efgh"]) expect(text).not.toContain(secret);
    expect(args).toEqual(before);
    expect(e["tapline.data.redacted"]).toBe(true);
    expect(e["tapline.data.secrets"]).toEqual(["github-token", "secret-key-value"]);
    expect(e["tapline.data.secret_count"]).toBe(5);
  });

  test("every field that can hold text of a record, also fields that come later", () => {
    for (const name of TEXT_FIELDS) {
      const value = FIELDS[name] === "object" ? { t: github } : `is ${github}`;
      const e = redacted({ [name]: value });
      expect(serialise(e), name).not.toContain(github);
      expect(e["tapline.data.secret_count"], name).toBe(1);
    }
    for (const name of TEXT_LIST_FIELDS)
      expect(serialise(redacted({ [name]: [github] })), name).not.toContain(github);
    for (const name of [
      "gen_ai.tool.call.arguments",
      "message",
      "error.message",
      "event.original",
      "tapline.server.command",
    ]) {
      expect(TEXT_FIELDS).toContain(name);
    }
  });

  test("without secrets nothing is copied or set", () => {
    const args = { path: "/a", list: [1, { x: "y" }], token: 5, password: "" };
    const e = redacted({ "gen_ai.tool.call.arguments": args });
    expect(e["gen_ai.tool.call.arguments"]).toBe(args);
    expect(e["tapline.data.redacted"]).toBeUndefined();
  });

  test("definitions of tools keep their words", () => {
    const schema = {
      properties: { password: { type: "string", description: "The password" }, token: { type: "string" } },
    };
    expect(redacted({ "gen_ai.tool.definitions": schema })["gen_ai.tool.definitions"]).toBe(schema);
  });

  const argsOf = (value: Json): Json | undefined =>
    redacted({ "gen_ai.tool.call.arguments": value })["gen_ai.tool.call.arguments"];
  const MARK = expect.stringMatching(/^\[REDACTED:secret-key-value:[0-9a-f]{8}\]$/) as unknown;

  test("numbers under keys that say secret, no counts", () => {
    expect(argsOf({ password: 84736251, pin: 1, db: { passwd: [-4096, 12] } })).toEqual({
      password: MARK,
      pin: 1,
      db: { passwd: [MARK, 12] },
    });
    const counts = { max_tokens: 4096, tokens: 123456, input_tokens: 9999, token_count: 5000, token: 999 };
    expect(argsOf(counts)).toBe(counts);
  });

  test("values beside names that say secret, and within their objects", () => {
    expect(argsOf({ password: { value: "my dog", kind: "plain" } })).toEqual({
      password: { value: MARK, kind: "plain" },
    });
    const env = [
      { name: "DB_PASSWORD", value: "my dog" },
      { value: "abcd", key: "x-api-key" },
      { name: "HOME", value: "/root" },
      { name: "API_KEY", valueFrom: { secretKeyRef: { name: "keys", key: "api" } } },
    ];
    expect(argsOf({ env })).toEqual({
      env: [{ name: "DB_PASSWORD", value: MARK }, { value: MARK, key: "x-api-key" }, env[2], env[3]],
    });
  });

  test("level full is left alone, class by class", () => {
    const fields = {
      "gen_ai.tool.call.arguments": { a: github },
      "gen_ai.tool.call.result": { a: github },
      message: github,
    };
    const e = redacted(fields, { ...REDACTED, arguments: "full" });
    expect(e["gen_ai.tool.call.arguments"]).toEqual({ a: github });
    expect(JSON.stringify(e["gen_ai.tool.call.result"])).not.toContain(github);
    expect(e.message).not.toContain(github);
    const all = redacted(fields, { arguments: "full", results: "full", messages: "full", identity: "full" });
    expect(all.message).toBe(github);
  });

  test("repeats come from the cache with the same counts", () => {
    const redactor = createRedactor("k");
    const results = [1, 2, 3].map(() => {
      const e = Object.assign(newEvent(), { message: `${github} ${github}` });
      redactor.redact(e, REDACTED);
      return [e.message, e["tapline.data.secret_count"]];
    });
    expect(results[1]).toEqual(results[0]);
    expect(results[0]![1]).toBe(2);
    expect(results[2]).toEqual(results[0]);
  });

  test("hostile keys keep their place and nobody's prototype", () => {
    const args = JSON.parse(
      `{"__proto__":{"x":"${github}"},"constructor":{"prototype":{"y":"${github}"}},"":"${github}"}`,
    ) as Json;
    const e = redacted({ "gen_ai.tool.call.arguments": args });
    const after = e["gen_ai.tool.call.arguments"] as Record<string, Json>;
    expect(Object.keys(after)).toEqual(["__proto__", "constructor", ""]);
    expect(Object.getPrototypeOf(after)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
    expect(serialise(e)).not.toContain(github);
  });

  test("large and odd values", () => {
    const keys = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, i) => [`key${i}`, i === 9_999 ? github : "v"]),
    );
    expect(serialise(redacted({ "tapline.ext": keys }))).not.toContain(github);
    expect(serialise(redacted({ "tapline.ext": { ["k".repeat(1_000_000)]: github } }))).not.toContain(github);
    expect(serialise(redacted({ message: `\ud800\u0000${github}\udfff` }))).not.toContain(github);
    let deep: Json = github;
    for (let i = 0; i < 3_000; i++) deep = [deep];
    expect(serialise(redacted({ "tapline.ext": { deep } }))).not.toContain(github);
  });
});

// A different implementation as oracle.
const ORACLE = python(DETECT_SECRETS);
const SCRIPT = `
import sys, json
from detect_secrets.core.scan import scan_line
from detect_secrets.settings import transient_settings
plugins = ["ArtifactoryDetector","AWSKeyDetector","AzureStorageKeyDetector","BasicAuthDetector","CloudantDetector",
 "DiscordBotTokenDetector","GitHubTokenDetector","GitLabTokenDetector","JwtTokenDetector","KeywordDetector",
 "MailchimpDetector","NpmDetector","OpenAIDetector","PrivateKeyDetector","PypiTokenDetector","SendGridDetector",
 "SlackDetector","SquareOAuthDetector","StripeDetector","TelegramBotTokenDetector","TwilioKeyDetector"]
with transient_settings({"plugins_used": [{"name": p} for p in plugins]}):
    found = [[[s.type, s.secret_value] for s in scan_line(line)] for line in json.load(open(sys.argv[1]))]
print(json.dumps(found))
`;

type Findings = [type: string, secret: string][][];
function oracle(lines: readonly string[]): Findings {
  const directory = mkdtempSync(join(tmpdir(), "tapline-oracle-"));
  try {
    const path = join(directory, "lines.json");
    writeFileSync(path, JSON.stringify(lines));
    return JSON.parse(
      execFileSync(ORACLE!, ["-c", SCRIPT, path], { maxBuffer: 1 << 28 }).toString(),
    ) as Findings;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe.skipIf(ORACLE === undefined)("detect-secrets as oracle", () => {
  test("finds nothing after redaction of what it finds before", () => {
    const redactor = createRedactor("k");
    const lines: string[] = [];
    for (let seed = 100; seed < 140; seed++)
      for (const { text } of plantedSecrets(randomOf(seed))) lines.push(`run ${text} now`);
    const before = oracle(lines);
    const after = oracle(lines.map((line) => redactor.redactText(line)));
    const known = before.flatMap((found, i) => found.map(([type, secret]) => ({ type, secret, i })));
    expect(known.length).toBeGreaterThan(500);
    expect(new Set(known.map((k) => k.type)).size).toBeGreaterThan(12);
    const left = after.flatMap((found, i) =>
      found.filter(([, s]) => !s.includes("REDACTED")).map(([type]) => ({ type, line: lines[i] })),
    );
    expect(left).toEqual([]);
  });
});

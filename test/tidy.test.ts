// The style guide as a test: import rules, bans on the hot path, sizes, registries, versions. Each test reports all
// offenders at once and what to do about them.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import { VERSION } from "../src/version.ts";

const FILE_LINES_MAX = 260;
const FUNCTION_LINES_MAX = 70;
const STAGES = ["sources", "normalise", "detect", "ledger", "sinks", "policy", "chokepoint"];
// Besides core/ and itself, a stage may import: the process that writes the store reads the ledger's files itself, the
// chokepoint asks policy, the index of the present of incidents is what the pure steps make of their events, anchors that
// mail or index checkpoints connect as the sinks do, and what writes to Kafka and what reads from it share the connection
// and the encoding.
const ALLOWED = [
  ["src/sinks/store-writer.ts", "src/ledger/reader.ts"],
  ["src/sinks/store-writer.ts", "src/store/writer.ts"],
  ["src/store/", "src/ledger/reader.ts"],
  ["src/chokepoint/", "src/policy/"],
  ["src/sinks/incident-", "src/incident/present.ts"],
  ["src/ledger/anchors/email.ts", "src/sinks/smtp.ts"],
  ["src/ledger/anchors/cluster.ts", "src/sinks/answer.ts"],
  ["src/ledger/anchors/cluster.ts", "src/sinks/connection.ts"],
  ["src/ledger/anchors/cluster.ts", "src/sinks/elasticsearch.ts"],
  ["src/ledger/anchors/cluster.ts", "src/sinks/opensearch.ts"],
  ["src/sinks/kafka", "src/kafka/"],
  ["src/sources/kafka", "src/kafka/"],
] as const;

function sources(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: "utf8" })
    .map((name) => join(dir, name))
    .filter((name) => /\.tsx?$/.test(name) && !name.includes("/generated/"))
    .toSorted();
}
const files = sources("src").map((path) => ({ path, text: readFileSync(path, "utf8") }));
const everything = [
  ...files,
  ...[...sources("test"), ...sources("bench"), ...sources("scripts"), ...sources("dashboards")].map(
    (path) => ({
      path,
      text: readFileSync(path, "utf8"),
    }),
  ),
];

function imports(path: string, text: string): string[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(([, to]) =>
    to!.startsWith(".") ? normalize(join(dirname(path), to!)) : to!,
  );
}
const stageOf = (path: string): string | undefined =>
  STAGES.find((stage) => path.startsWith(`src/${stage}/`));

test("stages import core/ and themselves, never each other", () => {
  const wrong: string[] = [];
  for (const { path, text } of files) {
    const stage = stageOf(path);
    for (const to of imports(path, text)) {
      if (!to.startsWith("src/")) continue;
      const own =
        stage === undefined
          ? path.startsWith("src/core/") && !to.startsWith("src/core/")
          : !to.startsWith("src/core/") && !to.startsWith(`src/${stage}/`);
      const allowed = ALLOWED.some(([from, target]) => path.startsWith(from) && to.startsWith(target));
      if (own && !allowed)
        wrong.push(`${path} imports ${to}: hand it in from pipeline.ts or move it to core/`);
    }
  }
  expect(wrong).toEqual([]);
});

test("hot files stay free of zod, files, logs and promises", () => {
  const hot = [
    ...files.map((f) => f.path).filter((p) => p.startsWith("src/normalise/formats/")),
    "src/detect/match.ts",
    "src/ledger/merkle.ts",
    "src/normalise/scope.ts",
    "src/normalise/session.ts",
    "src/normalise/prefilter.ts",
    "src/core/run.ts",
    "src/sinks/bulk.ts",
  ];
  const wrong: string[] = [];
  for (const { path, text } of files) {
    if (!hot.includes(path) || path.endsWith("/json.ts")) continue;
    for (const ban of [/from "zod"/, /from "node:fs/, /from "pino"/, /\basync\b/, /\bconsole\./]) {
      if (ban.test(text)) wrong.push(`${path} has ${ban}: move it off the hot path`);
    }
  }
  expect(wrong).toEqual([]);
});

test("a heavy dependency is imported by the file that bears its name, when it is opened", () => {
  const owners: Record<string, RegExp> = {
    "@elastic/elasticsearch": /sinks\/elasticsearch/,
    "@opensearch-project/opensearch": /sinks\/opensearch/,
    "@duckdb/node-api": /(sinks|store)\//,
    "node-rdkafka": /src\/kafka\/client/,
    avsc: /src\/kafka\/avro/,
  };
  const wrong: string[] = [];
  for (const { path, text } of files) {
    for (const [name, owner] of Object.entries(owners)) {
      const statically = new RegExp(`^import (?!type)[^;]*"${name}"`, "m");
      if (text.includes(`"${name}"`) && !owner.test(path)) wrong.push(`${path} names ${name}`);
      if (statically.test(text) && path !== "src/sinks/store-writer.ts")
        wrong.push(`${path} imports ${name} at load: use await import() in open()`);
    }
  }
  expect(wrong).toEqual([]);
});

test("files open with what they do, and stay small", () => {
  const wrong: string[] = [];
  for (const { path, text } of everything) {
    if (!/^(#!.*\n)?\/\/ /.test(text))
      wrong.push(`${path}: open with one to five lines that say what it does`);
    const lines = text.split("\n").length - 1;
    if (lines > FILE_LINES_MAX && path.startsWith("src/")) wrong.push(`${path}: ${lines} lines, split it`);
  }
  expect(wrong).toEqual([]);
});

test("functions stay under 70 lines", () => {
  const wrong: string[] = [];
  for (const { path, text } of files) {
    const lines = text.split("\n");
    for (let i = 0; i < lines.length; i++) {
      const indent =
        /^( *)(?:export )?(?:async )?(?:function|(?:static |async |get |#)*[#\w]+\([^)]*\)[^;=]*\{$)/.exec(
          lines[i]!,
        );
      if (indent === null || /^\s*(if|for|while|switch|return)\b/.test(lines[i]!)) continue;
      const end = lines.indexOf(`${indent[1]}}`, i);
      if (end - i > FUNCTION_LINES_MAX) wrong.push(`${path}:${i + 1}: ${end - i} lines`);
    }
  }
  expect(wrong).toEqual([]);
});

test("no leftovers", () => {
  const words = ["TO" + "DO", "FIX" + "ME", "XX" + "X:", "HA" + "CK"];
  const found = everything.flatMap(({ path, text }) =>
    words.filter((word) => new RegExp(`\\b${word}\\b`).test(text)).map((word) => `${path}: ${word}`),
  );
  expect(found).toEqual([]);
});

test("every rule has its proof beside it, and every format its fixtures", () => {
  const rules = readdirSync("detections", { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".yml") && !name.endsWith(".test.yml"),
  );
  const bare = rules.filter((name) => !existsSync(join("detections", name.replace(/\.yml$/, ".test.yml"))));
  expect(bare, "add <same name>.test.yml").toEqual([]);
  expect(rules.length).toBeGreaterThanOrEqual(10);
  const index = readFileSync("src/normalise/formats/index.ts", "utf8");
  const formats = [...index.matchAll(/from "\.\/([\w-]+)\.ts"/g)].map(([, name]) => name!);
  expect(
    formats.filter((name) => name !== "json" && !existsSync(join("test/fixtures", name))),
    "add fixtures",
  ).toEqual([]);
});

test("version, changelog and package agree", () => {
  const head = /^## (\d+\.\d+\.\d+)/m.exec(readFileSync("CHANGELOG.md", "utf8"))![1];
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  expect([head, version]).toEqual([VERSION, VERSION]);
});

test("generated files are fresh", () => {
  execFileSync(process.execPath, ["scripts/gen.ts", "--check"], { stdio: "pipe" });
});

test("ARCHITECTURE.md fits in 200 lines", () => {
  expect(readFileSync("ARCHITECTURE.md", "utf8").split("\n").length).toBeLessThanOrEqual(201);
});

test("the documents' links lead somewhere", () => {
  const documents = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    ...readdirSync("docs", { recursive: true, encoding: "utf8" })
      .filter((n) => n.endsWith(".md"))
      .map((n) => join("docs", n)),
  ];
  const broken: string[] = [];
  for (const path of documents) {
    for (const [, to] of readFileSync(path, "utf8").matchAll(/\]\(((?!https?:|#|mailto:)[^)#\s]+)/g)) {
      if (!existsSync(join(dirname(path), to!))) broken.push(`${basename(path)} → ${to}`);
    }
  }
  expect(broken).toEqual([]);
});

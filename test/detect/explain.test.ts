// Explain: the outcome of every test, and that it never tells another story than the engine. Documents read back are the
// events that were written, also when texts had moved to blobs.
import { expect, test } from "vitest";
import { createDigest } from "../../src/core/digest.ts";
import { eventOf } from "../../src/core/event.ts";
import { type Event, serialise } from "../../src/core/generated/event.ts";
import { blobsOf, eventOfDocument } from "../../src/detect/document.ts";
import { Explainer, type Leaf } from "../../src/detect/explain.ts";
import { parseRules } from "../../src/detect/parse.ts";
import { compileRules } from "../../src/detect/rules.ts";
import { moveLongTexts, moveToBlobs } from "../../src/normalise/blob.ts";

function ruleOf(detection: string, product = "tapline", category = "") {
  const logsource = `{product: ${product}${category === "" ? "" : `, category: ${category}`}}`;
  const { rules } = parseRules(`title: T\nlogsource: ${logsource}\ndetection:\n${detection}`, "r.yml");
  return rules[0]!;
}

function leafOf(item: string, event: object): Leaf {
  return new Explainer(ruleOf(`  s: {${item}}\n  condition: s\n`, "other"), event as Event).explain()
    .leaves[0]!;
}

const EVENT = {
  name: "Server-One",
  count: 7,
  size: "big",
  host: "10.1.2.3",
  path: "/home/ann/x.txt",
  list: ["a1x", "b2y"],
};

test.each([
  ["name: server-one", "matches"],
  ["nobody: x12", "absent"],
  ["name: other", "differs"],
  ["name|cased: server-one", "case"],
  ["name|re: server.*", "case"],
  ["name|cased: other", "differs"],
  ["size|gt: 3", "type"],
  ["count|gt: 9", "differs"],
  ["count|lt: 9", "matches"],
  ["name|cidr: 10.0.0.0/8", "type"],
  ["host|cidr: 192.168.0.0/16", "differs"],
  ["name|neq: server-one", "excluded"],
  ["nobody|exists: true", "absent"],
  ["name|exists: false", "differs"],
  ["name: null", "differs"],
  ["list: b2y", "matches"],
])("%s is %s", (item, outcome) => {
  expect(leafOf(item, EVENT).outcome).toBe(outcome);
});

test("what the event holds, what is missing of all, and where it would match", () => {
  expect(leafOf("name: other", EVENT).found).toEqual(["Server-One"]);
  expect(leafOf("name|contains|all: [server, two]", EVENT).missing).toEqual(["two"]);
  expect(leafOf("nobody|contains: /home/", EVENT).elsewhere).toEqual(["path"]);
  expect(leafOf("name|contains: absent-everywhere", EVENT).elsewhere).toEqual([]);
});

test("the selections that decided", () => {
  const rule = (condition: string) =>
    ruleOf(`  yes: {count: 7}\n  no: {count: 8}\n  also: {size: big}\n  condition: ${condition}\n`, "other");
  const decided = (condition: string) => {
    const { matches, decided: names } = new Explainer(rule(condition), EVENT as unknown as Event).explain();
    return [matches, ...names];
  };
  expect(decided("yes and no")).toEqual([false, "no"]);
  expect(decided("yes or no")).toEqual([true, "yes"]);
  expect(decided("yes and not also")).toEqual([false, "also"]);
  expect(decided("no or (no and yes)")).toEqual([false, "no"]);
  expect(decided("1 of them")).toEqual([true, "yes", "also"]);
  expect(decided("all of them")).toEqual([false, "no"]);
});

test("a log source that is another says so", () => {
  const rule = ruleOf("  s: {event.action|exists: true}\n  condition: s\n", "tapline", "tool-result");
  const event = eventOf("tool-call", { namespace: "default", host: "h", version: "0" });
  const { matches, logsource, conditions } = new Explainer(rule, event).explain();
  expect([matches, conditions[0]!.holds]).toEqual([false, true]);
  expect(logsource).toMatch(/tool-result.*tool-call/);
});

test("it agrees with the engine on every combination of three tests", () => {
  const conditions = [
    "a and b or c",
    "not a and (b or not c)",
    "1 of them",
    "all of them",
    "not 1 of them",
    "a or not (b and c)",
  ];
  for (const condition of conditions) {
    const rule = ruleOf(
      `  a: {x: 1}\n  b: {y|contains: q}\n  c: {z|exists: true}\n  condition: ${condition}\n`,
      "other",
    );
    const set = compileRules([rule], { fields: "any" });
    for (let bits = 0; bits < 8; bits++) {
      const event = {
        ...(bits & 1 ? { x: 1 } : {}),
        ...(bits & 2 ? { y: "qq" } : {}),
        ...(bits & 4 ? { z: "" } : {}),
      };
      const out: number[] = [];
      set.match(event as Event, out);
      expect(new Explainer(rule, event as Event).explain().matches, `${condition} ${bits}`).toBe(
        out.length === 1,
      );
    }
  }
});

const digest = createDigest("test");

function longEvent(): Event {
  const e = eventOf("tool-call", { namespace: "default", host: "h", version: "0" });
  e["event.id"] = "e1";
  e["@timestamp"] = "2026-01-01T00:00:00.000Z";
  e["message"] = `first ${"m".repeat(50_000)} last`;
  e["gen_ai.tool.call.arguments"] = {
    "a/b~c": { text: `${"x".repeat(40_000)} needle` },
    short: "s",
    list: ["y".repeat(30_000)],
  };
  e["process.command_line"] = "c".repeat(20_000);
  e["tapline.data.secrets"] = ["one", "two"];
  return e;
}

test.each([
  ["an entry", (e: Event) => moveToBlobs(e, 60_000, digest)],
  ["a small entry", (e: Event) => moveToBlobs(e, 6_000, digest)],
  ["an index", (e: Event) => moveLongTexts(e, digest)],
])("texts that moved to blobs for %s come back", (_, move) => {
  const stored = longEvent();
  const blobs = move(stored);
  expect(blobs.length).toBeGreaterThan(0);
  const document = JSON.parse(serialise(stored)) as object;
  expect(blobsOf(document).toSorted()).toEqual(blobs.map((blob) => blob.digest).toSorted());
  const texts = new Map(blobs.map((blob) => [blob.digest, Buffer.from(blob.bytes).toString("utf8")]));
  const back = eventOfDocument(document, texts);
  expect(JSON.parse(serialise(back))).toEqual(JSON.parse(serialise(longEvent())));
});

test("a blob that is gone leaves the first part of the text", () => {
  const stored = longEvent();
  moveToBlobs(stored, 60_000, digest);
  const back = eventOfDocument(JSON.parse(serialise(stored)) as object);
  expect(back["message"] ?? "").toMatch(/^first m+$/);
});

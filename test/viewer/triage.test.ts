// The present of alerts from what was said of them; cells of CSV; figures that are remembered.
import { expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { cell, csvRow } from "../../src/viewer/csv.ts";
import { Remembered } from "../../src/viewer/remembered.ts";
import { type Light, Presents } from "../../src/viewer/triage.ts";

const alert = (id: string, index: number, user = "ann", rule = "r1"): Light => ({
  index,
  ms: Date.UTC(2026, 10, 1) + index,
  id,
  rule,
  level: "high",
  backfill: false,
  same: {
    "user.name": user,
    "gen_ai.conversation.id": "s",
    "tapline.server.name": "",
    "gen_ai.tool.name": "",
  },
});
const said = (index: number, transition: string, more: Record<string, unknown> = {}, ids = ["a"]) => ({
  "event.sequence": index,
  "@timestamp": Date.UTC(2026, 10, 1) + index,
  "user.name": "eve",
  "tapline.triage.transition": transition,
  "tapline.triage.alert_ids": ids,
  ...more,
});

test("transitions follow each other in the order of the ledger; what does not follow is told as odd", () => {
  const presents = new Presents([
    said(10, "assigned", { "tapline.triage.assignee": "bob" }),
    said(11, "acknowledged", { "tapline.triage.note": "mine" }),
    said(12, "acknowledged"),
    said(13, "closed", { "tapline.triage.verdict": "false_positive" }),
    said(14, "assigned", { "tapline.triage.assignee": "zoe" }),
    said(15, "reopened"),
  ]);
  const present = presents.of(alert("a", 1));
  expect(present).toMatchObject({ status: "open", assignee: "bob", verdict: null, notes: 1 });
  expect(present.changed).toEqual({ at: new Date(Date.UTC(2026, 10, 1) + 15).toISOString(), by: "eve" });
  expect(presents.history("a").map(({ odd }) => odd)).toEqual([
    null,
    null,
    "it is acknowledged",
    null,
    "it is closed",
    null,
  ]);
  expect(presents.of(alert("other", 2)).status).toBe("open");
});

test("a suppression holds for later alerts of its rule and value, until its time, and no others", () => {
  const until = { "tapline.triage.until": Date.UTC(2026, 10, 1) + 50, "rule.id": "r1" };
  const same = { "tapline.triage.same.field": "user.name", "tapline.triage.same.value": "ann" };
  const presents = new Presents([said(10, "suppressed", { ...until, ...same })]);
  expect(presents.of(alert("a", 1)).status).toBe("suppressed");
  const status = (light: Light): string => presents.of(light).status;
  expect(status(alert("before", 9))).toBe("open");
  expect(status(alert("after", 11))).toBe("suppressed");
  expect(status(alert("too late", 51))).toBe("open");
  expect(status(alert("of another user", 12, "bob"))).toBe("open");
  expect(status(alert("of another rule", 13, "ann", "r2"))).toBe("open");
});

test.each([
  ["=1+1", `"'=1+1"`],
  ["+1", `"'+1"`],
  ["-1", `"'-1"`],
  ["@SUM(A1)", `"'@SUM(A1)"`],
  ["\t=1", `"'\t=1"`],
  [" =1", `"' =1"`],
  ["\uff1d1", `"'\uff1d1"`],
  [`a"b,c\nd`, `"a""b,c\nd"`],
  ["plain", `"plain"`],
])("the cell %j becomes %j", (text, expected) => {
  expect(cell(text)).toBe(expected);
});

test("numbers stay numbers, lists become one cell", () => {
  expect(csvRow([-1, true, null, ["=a", "b"]])).toBe(`-1,true,,"'=a; b"\r\n`);
});

test("what is remembered stays within its bound, the least used goes first", () => {
  const remembered = new Remembered();
  const cells = Array.from({ length: 10_000 }, (_, i) => i);
  const partial = { groups: [{ keys: [], cells: [cells] }], cut: false };
  const most = Math.ceil(LIMITS.viewer_cache_cells / cells.length);
  for (let i = 0; i < most + 50; i++) {
    remembered.put(String(i), partial);
    remembered.get("0");
  }
  expect(remembered.cells).toBeLessThanOrEqual(LIMITS.viewer_cache_cells);
  expect(remembered.get("0")).toBeDefined();
  expect(remembered.get("1")).toBeUndefined();
});

// The file `erased`, and what an entry has to be for blobs to be excused by it.
import { expect, test } from "vitest";
import { erasureOf } from "../../src/ledger/erased.ts";
import { UPSTREAM } from "./pruning.ts";

const ANN = "a".repeat(32);

test("only this ledger's own entry tells of an erasure", () => {
  const tapline = { vantage: "self", erasure: { subject: ANN, blobs: ["0123abcd", "../../etc"] } };
  const told = (group: object, action = "subject-erasure") =>
    erasureOf(Buffer.from(JSON.stringify({ event: { action }, tapline: group })));
  expect(told(tapline)).toEqual({ subject: ANN, blobs: ["0123abcd"] });
  expect(told({ ...tapline, vantage: "transcript" })).toBeUndefined();
  expect(told({ ...tapline, upstream: UPSTREAM })).toBeUndefined();
  expect(told(tapline, "tool-call")).toBeUndefined();
  expect(told({ ...tapline, erasure: null })).toBeUndefined();
  expect(erasureOf(Buffer.from("null"))).toBeUndefined();
});
